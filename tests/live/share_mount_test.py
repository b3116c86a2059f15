# SPDX-License-Identifier: MIT
"""check_share_mount against mounts that are broken in every way."""

import math
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import plugin
from mounts import Mounts
from server import wait_until

SHARE = "check_share_mount"
NOBODY = {"user": 65534, "group": 65534}


@pytest.fixture
def mounts(public_directory):
    with Mounts(public_directory) as own:
        yield own


@pytest.fixture
def check(mounts):
    """Run the check on mount points, with the state directory of the test."""
    def run(*points, options=(), **arguments):
        words = [word for point in points for word in ("--mount", point)]
        return plugin.run(SHARE, "--state-dir", mounts.state, *words, *options, **arguments)
    return run


def finding(outcome, point):
    """Return (state, text) of one directory."""
    if len(outcome.lines) == 1:
        return outcome.state, outcome.text
    pattern = rf"\[(\w+)\] {re.escape(str(point))}( \(|:).*"
    line = next(line for line in outcome.lines if re.fullmatch(pattern, line))
    return line[1:].split("]")[0], line


# Well


def test_a_healthy_share(mounts, check):
    share = mounts.faulty("share")
    outcome = check(f"{share.point},type=glusterfs,source=gfs1:pandora,owner=root:root,mode=755")
    assert outcome.state == "OK", outcome.out
    assert outcome.text.split(";")[0] == f"{share.point} (gfs1:/pandora, fuse.glusterfs): answers, 25% used"
    latency, used = (outcome.perfdata[f"{share.point}_{label}"] for label in ("latency", "used"))
    assert 0 < latency.value < 5 and latency.unit == "s"
    assert (used.value, used.unit, used.max) == (25, "%", "100")


def test_a_healthy_write_test_leaves_nothing(mounts, check):
    share = mounts.faulty("share")
    outcome = check(share.point, options=["--write-test"])
    assert outcome.state == "OK", outcome.out
    assert os.listdir(share.point) == []


def test_voices(mounts, check):
    share = mounts.faulty("share")
    words = [plugin.path(SHARE), "--state-dir", mounts.state, "--mount", share.point]
    assert plugin.run_raw([*words, "--value", f"{share.point}_used"]).out == "25\n"
    assert plugin.run_raw([*words, "--discovery"]).json() == [
        {"{#MOUNT}": str(share.point), "{#PREFIX}": f"{share.point}_",
         "{#SOURCE}": "gfs1:/pandora", "{#TYPE}": "fuse.glusterfs"}]
    share.faults(all="ESTALE")
    answer = plugin.run_raw([*words, "--output", "json"]).json()
    assert answer["state"] == "CRITICAL"
    assert answer["items"][0]["facts"]["causes"] == "stale"


# Broken


@pytest.mark.parametrize("faults, words", [
    ({"all": "ESTALE"}, "cannot be opened: Stale file handle (ESTALE)"),
    ({"statfs": "ESTALE"}, "cannot tell its usage: Stale file handle (ESTALE)"),
    ({"opendir": "ENOTCONN"}, "Transport endpoint is not connected (ENOTCONN)"),
    ({"readdir": "EIO"}, "cannot be listed: Input/output error (EIO)"),
    ({"create": "EROFS"}, "cannot take a new file: Read-only file system (EROFS)"),
    ({"create": "ENOSPC"}, "cannot take a new file: No space left on device (ENOSPC)"),
    ({"write": "EDQUOT"}, "cannot be written: Disk quota exceeded (EDQUOT)"),
    ({"fsync": "EIO"}, "cannot be written: Input/output error (EIO)"),
    ({"read": "EIO"}, "cannot be read back: Input/output error (EIO)"),
    ({"unlink": "EIO"}, "cannot remove a file: Input/output error (EIO)"),
], ids=lambda value: "-".join(f"{k}-{v}" for k, v in value.items()) if isinstance(value, dict) else "")
def test_errors_are_told_apart(mounts, check, faults, words):
    share = mounts.faulty("share")
    share.faults(**faults)
    outcome = check(share.point, options=["--write-test"])
    assert outcome.state == "CRITICAL" and words in outcome.text, outcome.out
    assert outcome.perfdata[f"{share.point}_latency"].value is None
    share.faults()
    assert check(share.point, options=["--write-test"]).state == "OK"


def test_a_slow_share(mounts, check):
    share = mounts.faulty("share")
    share.faults(statfs="0.5")
    outcome = check(share.point, options=["-w", "0.3", "-c", "5"])
    assert outcome.state == "WARNING" and "took 0.5" in outcome.text, outcome.out
    assert outcome.perfdata[f"{share.point}_latency"].value > 0.4
    assert check(share.point, options=["-w", "0.1", "-c", "0.3"]).state == "CRITICAL"
    assert check(share.point, options=["-w", "5"]).state == "OK"


def test_a_process_that_is_stopped_goes_on_and_is_killed(mounts, check):
    share = mounts.faulty("share")
    share.stop()
    outcome = check(share.point, options=["-t", "1"])
    assert outcome.state == "CRITICAL" and "hangs: no answer within" in outcome.text
    assert outcome.seconds < 1.5
    share.resume()
    wait_until(lambda: check(share.point).state == "OK", what="the share to be well")
    share.kill()
    outcome = check(share.point)
    assert outcome.state == "CRITICAL" and "(ENOTCONN)" in outcome.text, outcome.out


def test_the_state_of_the_timeout_is_that_of_a_share_that_hangs(mounts, check):
    share = mounts.faulty("share")
    share.faults(all="hang")
    assert check(share.point, options=["-t", "1:unknown"]).state == "UNKNOWN"


# Hanging


def test_ten_of_twenty_hang(mounts, check):
    shares = mounts.faulty(*[f"share{i}" for i in range(20)])
    for share in shares[::2]:
        share.faults(all="hang")
    outcome = check(*[share.point for share in shares], options=["-t", "2"])
    assert outcome.state == "CRITICAL"
    assert outcome.seconds < 2.5
    assert "and 7 more" in outcome.text, outcome.text
    values = [outcome.perfdata.get(f"{share.point}_latency") for share in shares]
    assert [value.value is None for value in values if value] == [True, False] * 10
    assert len(mounts.probes()) == 10


def test_what_a_write_test_left_is_removed_by_the_next(mounts, check):
    share = mounts.faulty("share")
    share.faults(fsync="hang")
    options = ["--write-test", "-t", "1"]
    outcome = check(share.point, options=options)
    assert "answers, but the write test hangs" in outcome.text, outcome.out
    assert outcome.perfdata[f"{share.point}_used"].value == 25
    assert len(os.listdir(share.point)) == 1
    share.faults()
    wait_until(lambda: not mounts.probes(), what="the killed probe to end")
    assert len(os.listdir(share.point)) == 1
    assert check(share.point, options=options).state == "OK"
    assert os.listdir(share.point) == []


@pytest.mark.parametrize("remembered", [True, False], ids=["by lock", "by name"])
@pytest.mark.parametrize("user", [{}, NOBODY], ids=["root", "nobody"])
def test_a_hundred_runs_leave_one_probe(mounts, remembered, user):
    share = mounts.faulty("share")
    share.faults(all="hang")
    mounts.state.mkdir(mode=0o700)
    os.chown(mounts.state, user.get("user", 0), user.get("group", 0))
    words = ["--state-dir", mounts.state if remembered else "/nonexistent/state",
             "--mount", share.point]
    first = plugin.run(SHARE, *words, "-t", "2", **user)
    assert "hangs: no answer within" in first.text
    wait_until(lambda: list(mounts.probes().values()) == ["D"], what="the probe to be stuck")
    probes = mounts.probes()
    for _ in range(100):
        outcome = plugin.run(SHARE, *words, "-t", "2", **user)
        assert outcome.state == "CRITICAL"
        assert re.search(r"hangs: a probe that was started [0-9.]+s ago has not ended", outcome.text)
        assert outcome.seconds < 1
    assert mounts.probes() == probes
    share.faults()
    wait_until(lambda: not mounts.probes(), what="the killed probe to end")
    outcome = plugin.run(SHARE, *words, **user)
    assert outcome.state == "OK", outcome.out


def test_a_share_that_hangs_holds_up_no_other_probe_of_its_mount(mounts, check):
    """Two directories in one share: one child asks both, in their order."""
    share = mounts.faulty("share")
    share.faults(all="hang")
    outcome = check(share.point, share.point / "deeper", options=["-t", "1"])
    assert outcome.state == "CRITICAL" and len(mounts.probes()) == 1
    assert finding(outcome, share.point)[0] == "CRITICAL"
    assert finding(outcome, share.point / "deeper")[0] == "CRITICAL"


def test_a_killed_check_takes_its_probe_along(mounts):
    share = mounts.faulty("share")
    share.stop()  # then a probe can be killed
    process = subprocess.Popen([plugin.path(SHARE), "--state-dir", mounts.state, "--mount",
                                share.point], stdout=subprocess.DEVNULL)
    wait_until(mounts.probes, what="the probe")
    process.kill()
    process.wait()
    wait_until(lambda: not mounts.probes(), what="the probe to end")


def test_two_checks_at_once_do_not_disturb_each_other(mounts):
    share = mounts.faulty("share")
    share.faults(statfs="0.3")
    command = [plugin.path(SHARE), "--state-dir", mounts.state, "--mount", share.point]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        output = process.communicate(timeout=30)[0]
        assert process.returncode == 0, output


def test_a_check_whose_signals_are_blocked_ends_all_the_same(mounts, check):
    share = mounts.faulty("share")
    share.faults(all="hang")
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGCHLD])
    try:
        outcome = check(share.point, options=["-t", "1"])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert outcome.seconds < 1.5


# Not mounted, or not the right thing


def test_missing_with_files_hidden_below(mounts, check):
    point = mounts.point("share")
    outcome = check(point)
    assert outcome.state == "CRITICAL" and "not mounted, only a directory on" in outcome.text
    assert "lie in it" not in outcome.text
    for name in ("a.xml", "b.xml", "c"):
        (point / name).touch()
    outcome = check(point)
    assert "3 files or directories lie in it, which the share would hide" in outcome.text
    mounts.tmpfs("share")
    assert check(point).state == "OK"
    assert check(point / "none").state == "CRITICAL"
    assert "there is no such directory" in check(mounts.directory / "none").text


@pytest.mark.parametrize("demand, words", [
    ("type=nfs", "the type is fuse.glusterfs instead of nfs"),
    ("source=gfs2:/pandora", "the source is gfs1:/pandora instead of gfs2:/pandora"),
    ("owner=daemon:daemon", "the owner is root:root instead of daemon:daemon"),
    ("owner=root:daemon", "the owner is root:root instead of root:daemon"),
    ("mode=770", "the mode is 755 instead of 770"),
])
def test_the_wrong_thing_is_mounted(mounts, check, demand, words):
    share = mounts.faulty("share")
    outcome = check(f"{share.point},{demand}")
    assert outcome.state == "CRITICAL" and words in outcome.text, outcome.out


def test_owner_and_mode_are_those_of_the_mounted_directory(mounts, check):
    point = mounts.point("share")
    os.chown(point, 1, 1)
    mounts.tmpfs("share", "size=1m,mode=2770,uid=4711,gid=4712")
    assert check(f"{point},owner=4711:4712,mode=770").state == "OK"
    assert check(f"{point},owner=daemon:daemon").state == "CRITICAL"


def test_read_only(mounts, check):
    point = mounts.tmpfs("share")
    subprocess.run(["mount", "-o", "remount,ro", point], check=True)
    outcome = check(point, options=["--write-test"])
    assert outcome.state == "CRITICAL" and "mounted read-only" in outcome.text, outcome.out
    subprocess.run(["mount", "-o", "remount,rw", point], check=True)
    assert check(point, options=["--write-test"]).state == "OK"


def test_full(mounts, check):
    point = mounts.tmpfs("share", "size=64k")
    with open(point / "a", "wb") as file:
        file.write(b"x" * 40 * 1024)
    outcome = check(point, options=["--usage-warning", "50", "--usage-critical", "90"])
    assert outcome.state == "WARNING" and "62.5% used" in outcome.text, outcome.out
    used = outcome.perfdata[f"{point}_used"]
    assert (used.value, used.warning, used.critical) == (62.5, "50", "90")
    with open(point / "b", "wb") as file:
        file.write(b"x" * 24 * 1024)
    outcome = check(point)
    assert outcome.state == "CRITICAL" and "no space is left" in outcome.text, outcome.out
    outcome = check(point, options=["--write-test"])
    assert "cannot be written: No space left on device (ENOSPC)" in outcome.text, outcome.out
    assert sorted(os.listdir(point)) == ["a", "b"]


def test_full_of_files(mounts, check):
    point = mounts.tmpfs("share", "size=1m,nr_inodes=10")
    for number in range(7):
        (point / str(number)).touch()
    outcome = check(point, options=["--usage-warning", "70"])
    assert outcome.state == "WARNING" and "80.0% of the inodes used" in outcome.text, outcome.out
    for number in range(7, 9):
        (point / str(number)).touch()
    outcome = check(point)
    assert outcome.state == "CRITICAL" and "no inode is left" in outcome.text, outcome.out


@pytest.mark.parametrize("told, write, state, words, used", [
    ({"f_files": 5079, "f_ffree": -1}, False, "OK", "answers, 25% used", 25),
    ({"f_files": 1038, "f_ffree": 0}, True, "OK", "answers, 25% used", 25),
    ({"f_files": 1038, "f_ffree": 0}, False, "CRITICAL", "no inode is left", 25),
    ({"f_files": 999, "f_ffree": 1000000}, False, "OK", "answers, 25% used", 25),
    ({"f_bfree": 60, "f_bavail": -40}, False, "CRITICAL", "no space is left, 104.4% used", 104.4),
    ({"f_bfree": 5000, "f_bavail": 5000}, False, "OK", "answers", None),
], ids=["no limit of inodes", "no inodes, refuted", "no inodes", "more free than there are",
        "more used than may be", "more space than there is"])
def test_numbers_that_cannot_be(mounts, check, told, write, state, words, used):
    share = mounts.faulty("share", subtype="ceph-fuse")
    share.faults(**told)
    outcome = check(share.point, options=["--usage-warning", "80", "--usage-critical", "90",
                                          *["--write-test"] * write])
    assert outcome.state == state and f": {words}" in outcome.text, outcome.out
    value = outcome.perfdata[f"{share.point}_used"].value
    assert value is None if used is None else abs(value - used) < 0.1


def test_a_sandbox_is_told_to_be_one(mounts, check):
    point = mounts.tmpfs("share")
    words = "this process sees mounts of its own and not the machine's"
    assert words in check(point).text
    assert words in check("/dev/none").text
    assert words in plugin.run(SHARE, "--mount", point, **NOBODY).text
    # Those of the program that started this one, which are the machine's unless it is in a sandbox, too.
    outside, first = (f"/proc/{process}/mountinfo" for process in (os.getppid(), 1))
    differs = Path(outside).read_text().split()[0] != Path(first).read_text().split()[0]
    for user in ([], ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]):
        outcome = plugin.run(SHARE, "--mount", "/proc", inside=[
            "nsenter", f"--mount=/proc/{os.getppid()}/ns/mnt", "--", *user])
        assert outcome.state == "OK" and (words in outcome.text) == differs, outcome.out


# Ways to a mount


def test_blanks_in_the_mount_point(mounts, check):
    point = mounts.tmpfs("my share\t\\1,2")
    outcome = check(re.sub(r"([\\,])", r"\\\1", str(point)))
    assert outcome.state == "OK", outcome.out


def test_of_stacked_mounts_the_visible_one_counts(mounts, check):
    mounts.tmpfs("share", source="below")
    point = mounts.tmpfs("share", source="above")
    assert check(f"{point},source=above").state == "OK"
    assert check(f"{point},source=below").state == "CRITICAL"


def test_a_share_below_a_later_mount_is_not_there(mounts, check):
    share = mounts.faulty("parent/share")
    mounts.tmpfs("parent")
    outcome = check(share.point)
    assert outcome.state == "CRITICAL" and "not mounted" in outcome.text, outcome.out


def test_a_bind_mount_of_a_directory(mounts, check):
    mounts.tmpfs("share", source="nas:/export")
    (mounts.directory / "share/conf").mkdir()
    point = mounts.point("conf")
    mounts.bind(mounts.directory / "share/conf", point)
    assert check(f"{point},source=nas:/export/conf").state == "OK"
    assert check(f"{point},source=nas:/export").state == "OK"
    assert check(f"{point},source=nas:/export/md5").state == "CRITICAL"


def test_a_bind_mount_of_a_directory_that_was_deleted(mounts, check):
    mounts.tmpfs("share", source="nas:/export")
    (mounts.directory / "share/conf").mkdir()
    point = mounts.point("conf")
    mounts.bind(mounts.directory / "share/conf", point)
    (mounts.directory / "share/conf").rmdir()
    outcome = check(f"{point},source=nas:/export")
    assert outcome.state == "CRITICAL", outcome.out
    assert "the directory that is mounted here was deleted: unmount and mount again" in outcome.text


def test_links_into_a_share(mounts, check):
    share = mounts.faulty("share")
    (mounts.point("spool") / "conf").symlink_to("../share")
    link = mounts.directory / "spool/conf"
    outcome = check(f"{link},type=glusterfs")
    assert outcome.state == "OK" and str(link) in outcome.text, outcome.out
    share.faults(all="hang")
    outcome = check(link, options=["-t", "1"])
    assert outcome.state == "CRITICAL" and outcome.seconds < 1.5 and "hangs" in outcome.text
    outcome = check(link / "deeper", options=["-t", "1"])
    assert outcome.seconds < 1.5 and "hangs" in outcome.text
    link.unlink()
    link.symlink_to(mounts.point("local"))
    outcome = check(link)
    assert f"not mounted, leads to {mounts.directory}/local" in outcome.text, outcome.out


def test_an_automount_point_is_left_alone_unless_asked(mounts, check):
    point, log = mounts.automount("auto")
    outcome = check(point, options=["--write-test"])
    assert outcome.state == "UNKNOWN" and "--automount" in outcome.text, outcome.out
    assert log.read_text() == "waiting\n"
    outcome = check(f"{point},source=nas:/export", options=["--automount"])
    assert outcome.state == "OK", outcome.out
    wait_until(lambda: log.read_text() == "waiting\nwaiting\n", what="the second request")
    assert check(f"{point},source=nas:/export").state == "OK"


def test_fstab(mounts, check):
    fstab = mounts.directory / "fstab"
    mounts.faulty("good", source="gfs1:/pandora")
    mounts.faulty("wrong", source="gfs1:/other")
    mounts.tmpfs("read-only", "size=1m,ro", source="nas:/ro")
    places = {name: mounts.point(name) for name in ("good", "wrong", "missing", "rare", "my share")}
    fstab.write_text(f"""# nas:/commented {places['rare']} nfs defaults 0 0
UUID=1234 / ext4 defaults 0 1
gfs1:/pandora {places['good']} glusterfs defaults,_netdev 0 0
""")
    mounts.bind(fstab, "/etc/fstab")
    outcome = check(options=["--fstab"])
    assert outcome.state == "OK" and str(places["good"]) in outcome.text, outcome.out
    with open(fstab, "a", encoding="ascii") as file:
        file.write(f"""gfs1:/pandora {places['wrong']} glusterfs defaults 0 0
nas:/missing {places['missing']} nfs4 defaults 0 0
nas:/rare {places['rare']} nfs noauto 0 0
nas:/blanks {str(places['my share']).replace(' ', chr(92) + '040')} nfs defaults 0 0
""")
    outcome = check(options=["--fstab"])
    assert outcome.state == "CRITICAL"
    assert len(outcome.lines) == 5, outcome.out
    assert finding(outcome, places["good"])[0] == "OK"
    assert "the source is gfs1:/other" in finding(outcome, places["wrong"])[1]
    assert "not mounted" in finding(outcome, places["missing"])[1]
    assert "not mounted" in finding(outcome, places["my share"])[1]
    # What the kernel shows is what a mount helper made of these.
    mounts.faulty("pool", source="a:b", subtype="mergerfs")
    mounts.tmpfs("local")
    fstab.write_text(f"""gfs2,gfs1:/pandora {places['good']} glusterfs defaults 0 0
/a:/b {mounts.point('pool')} mergerfs defaults 0 0
/a {mounts.point('pool')} fuse.bindfs defaults 0 0
""")
    assert check(options=["--fstab"]).state == "OK"
    fstab.write_text(f"/a:/b {mounts.point('local')} fuse.mergerfs defaults 0 0\n")
    outcome = check(options=["--fstab"])
    assert outcome.state == "CRITICAL" and "the type is tmpfs instead of fuse" in outcome.text
    fstab.write_text("# none\n")
    outcome = check(options=["--fstab"])
    assert outcome.state == "UNKNOWN" and "/etc/fstab names no network mount" in outcome.text
    fstab.write_text(f"nas:/rare {places['rare']} nfs noauto,x-systemd.automount 0 0\n")
    outcome = check(options=["--fstab"])
    assert outcome.state == "UNKNOWN", outcome.out
    assert "all network mounts of /etc/fstab have noauto; name those that matter" in outcome.text


def test_what_fstab_wants_read_only_may_be(mounts, check):
    fstab = mounts.directory / "fstab"
    share = mounts.faulty("share")
    fstab.write_text(f"gfs1:/pandora {share.point} fuse.glusterfs ro 0 0\n")
    mounts.bind(fstab, "/etc/fstab")
    subprocess.run(["mount", "-o", "remount,bind,ro", share.point], check=True)
    assert check(options=["--fstab", "--write-test"]).state == "OK"
    assert check(share.point).state == "CRITICAL"


# Ordinary users


def test_an_ordinary_user_is_told_what_can_be_said(mounts):
    share = mounts.faulty("share")
    outcome = plugin.run(SHARE, "--mount", share.point, **NOBODY)
    assert outcome.state == "OK", outcome.out
    outcome = plugin.run(SHARE, "--mount", share.point, "--write-test", **NOBODY)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "cannot take a new file: Permission denied (EACCES); this user may not" in outcome.text
    os.chmod(share.point, 0o700)
    outcome = plugin.run(SHARE, "--mount", f"{share.point},mode=700,type=glusterfs", **NOBODY)
    assert outcome.state == "UNKNOWN" and "cannot be listed: Permission denied" in outcome.text
    assert outcome.perfdata[f"{share.point}_used"].value == 25
    outcome = plugin.run(SHARE, "--mount", f"{share.point},type=nfs", **NOBODY)
    assert outcome.state == "CRITICAL" and "instead of nfs" in outcome.text


def test_an_ordinary_user_without_a_state_directory_is_told_so(mounts):
    point = mounts.tmpfs("share")
    mounts.state.mkdir(mode=0o700)  # root's
    outcome = plugin.run(SHARE, "--state-dir", mounts.state, "--mount", point, "-v", **NOBODY)
    assert outcome.state == "OK", outcome.out
    assert f"--state-dir {mounts.state} is not used: " in outcome.out


def test_a_directory_in_a_closed_one(mounts):
    closed = mounts.point("closed")
    point = mounts.tmpfs("closed/share")
    closed.chmod(0o700)
    outcome = plugin.run(SHARE, "--mount", point, **NOBODY)
    assert outcome.state == "UNKNOWN" and "cannot be opened: Permission denied" in outcome.text
    outcome = plugin.run(SHARE, "--mount", closed / "none", **NOBODY)
    assert outcome.state == "UNKNOWN" and "Permission denied" in outcome.text


def test_a_state_directory_on_a_share_is_not_used(mounts):
    share = mounts.faulty("share")
    share.faults(all="hang")
    outcome = plugin.run(SHARE, "--state-dir", share.point / "state", "--mount",
                         mounts.tmpfs("other"), "-v")
    assert outcome.state == "OK", outcome.out
    assert "may hang" in outcome.out


# Pandora FMS


@pytest.fixture
def spool(mounts):
    """A spool as with GlusterFS: data_in is local, four directories are links into a share."""
    share = mounts.faulty("pandora_files")
    data_in, console = mounts.point("data_in"), mounts.point("console")
    for name in ("conf", "collections", "md5", "netflow"):
        (data_in / name).symlink_to(share.point)
    (console / "attachment").symlink_to(share.point)
    return share


def pandora(mounts, *options, data_in="data_in", attachment="console/attachment"):
    return plugin.run(SHARE, "--state-dir", mounts.state, "--pandora", "--data-in",
                      mounts.directory / data_in, "--attachment", mounts.directory / attachment,
                      *options)


def test_pandora(mounts, spool):
    outcome = pandora(mounts)
    assert outcome.state == "OK" and outcome.text.startswith("5 directories answer"), outcome.out
    link = mounts.directory / "data_in/md5"
    link.unlink()
    link.mkdir()
    outcome = pandora(mounts)
    assert outcome.state == "CRITICAL" and f"{link}: not mounted" in outcome.text, outcome.out
    mounts.tmpfs("data_in/md5")
    outcome = pandora(mounts)
    assert "tmpfs is a local file system, which no other machine shares" in outcome.text


def test_pandora_with_different_kinds(mounts, spool):
    link = mounts.directory / "data_in/md5"
    link.unlink()
    mounts.faulty("data_in/md5", subtype="sshfs")
    outcome = pandora(mounts)
    assert outcome.state == "WARNING", outcome.out
    assert "shared in different ways: glusterfs, sshfs" in outcome.text


def test_pandora_with_a_shared_data_in(mounts):
    mounts.tmpfs("share", source="nas:/export")
    mounts.faulty("data_in")
    outcome = pandora(mounts)
    assert outcome.state == "CRITICAL"
    assert f"{mounts.directory}/data_in itself is shared" in outcome.text, outcome.out


def test_pandora_with_an_own_incoming_directory(mounts, spool):
    data_in = mounts.directory / "data_in"
    shutil.rmtree(data_in)
    data_in.symlink_to(spool.point)
    outcome = pandora(mounts)
    assert outcome.state == "CRITICAL" and "itself is shared" in outcome.text, outcome.out
    for name in ("conf", "collections", "md5", "netflow", "xml_srv1"):
        (spool.point / name).mkdir()
    outcome = pandora(mounts, data_in="data_in/xml_srv1")
    assert outcome.state == "OK" and outcome.text.startswith("6 directories answer"), outcome.out
    (spool.point / "xml_srv1").rmdir()
    outcome = pandora(mounts, data_in="data_in/xml_srv1")
    assert outcome.state == "CRITICAL" and "xml_srv1" in outcome.text, outcome.out


def test_pandora_owner_and_mode(mounts, spool):
    for name, line in (("passwd", "pandora:x:4711:4711::/:/bin/false"), ("group", "apache:x:4712:")):
        changed = mounts.directory / name
        shutil.copy(f"/etc/{name}", changed)
        with open(changed, "a", encoding="ascii") as file:
            file.write(line + "\n")
        mounts.bind(changed, f"/etc/{name}")
    outcome = pandora(mounts)
    assert outcome.state == "CRITICAL", outcome.out
    assert "the owner is root:root instead of pandora:apache" in outcome.text
    assert "the mode is 755 instead of 770" in outcome.text
    os.chown(spool.point, 4711, 4712)
    os.chmod(spool.point, 0o2770)
    assert pandora(mounts).state == "OK"


# Cost


def test_a_healthy_check_of_twenty_mounts_costs_little(mounts):
    words = [plugin.path(SHARE), "--state-dir", mounts.state]
    for number in range(20):
        words += ["--mount", mounts.tmpfs(f"share{number}")]

    # The least of many runs: others are at work on this machine, for seconds on end. A start takes a
    # millisecond or two, but much more in a build with sanitizers.
    start_ms = min(cpu_ms([plugin.path(SHARE), "-V"]) for _ in range(10))
    check_ms = math.inf
    end = time.monotonic() + 30
    while check_ms >= max(10, 6 * start_ms):
        assert time.monotonic() < end, (start_ms, check_ms)
        check_ms = min(check_ms, cpu_ms(words))


def cpu_ms(command):
    """Return the milliseconds of CPU that a command and its children took."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return 1000 * (usage.ru_utime + usage.ru_stime)
