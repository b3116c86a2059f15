# SPDX-License-Identifier: MIT
"""check_share_mount on a server of a real GlusterFS pool, which is then broken in every way."""

import concurrent.futures
import re

import pytest

import plugin
from gluster import MOUNT, VOLUME, GlusterPool
from nagios import ROOT
from servers import Bench, wait_until

CHECK = "check_share_mount"
THE_MOUNT = ("--mount", f"{MOUNT},type=glusterfs,source=gluster1:/{VOLUME}")
THE_VOLUME = ("--gluster-volume", VOLUME)
HEAL_OFF = {f"cluster__{kind}": "off" for kind in
            ("self_heal_daemon", "data_self_heal", "metadata_self_heal", "entry_self_heal")}


@pytest.fixture
def pool(bench):
    return GlusterPool(bench).create_volume()


@pytest.fixture
def mounted(pool):
    pool.servers[0].mount()
    return pool


@pytest.fixture(scope="module")
def sound():
    """A pool with a mounted volume that no test breaks."""
    with Bench() as bench:
        pool = GlusterPool(bench).create_volume()
        pool.servers[0].mount()
        yield pool


def check(server, *options):
    """Run the check on a server; it ends within its budget."""
    outcome = plugin.run(CHECK, *options, inside=server.inside)
    assert outcome.seconds < 10.5
    return outcome


def wait_for(server, state, *options):
    """Run the check until it has a state; return that outcome."""
    def has_state():
        nonlocal last
        last = check(server, *options)
        return last.state == state
    last = None
    try:
        wait_until(has_state, 30)
    except TimeoutError:
        raise TimeoutError(f"not {state} but {last.out}") from None
    return last


def metrics(outcome):
    """Return {label: value} of the volume."""
    return {label.removeprefix(f"{VOLUME}_"): metric.value
            for label, metric in outcome.perfdata.items() if label.startswith(f"{VOLUME}_")}


def test_healthy(sound):
    first, second = sound.servers
    outcome = check(first, *THE_MOUNT, *THE_VOLUME, "--heal", "--write-test")
    assert outcome.state == "OK", outcome.out
    assert metrics(outcome) == {"bricks_online": 2, "bricks_total": 2, "peers_connected": 1,
                                "heal_entries": 0}
    assert f"{MOUNT}_latency" in outcome.perfdata
    outcome = check(second, *THE_VOLUME)
    assert outcome.state == "OK", outcome.out
    assert outcome.text == f"volume {VOLUME}: 2 of 2 bricks online; nothing to heal"


def test_client_hangs(mounted):
    first = mounted.servers[0]
    first.signal("client", "STOP")
    outcome = check(first, *THE_MOUNT, *THE_VOLUME, "--write-test", "-t", "3")
    assert outcome.state == "CRITICAL"
    assert outcome.seconds < 3.5
    assert MOUNT in outcome.text
    assert metrics(outcome)["bricks_online"] == 2, "what does not hang is told"
    first.signal("client", "CONT")
    wait_for(first, "OK", *THE_MOUNT, *THE_VOLUME)


def test_client_dies(mounted):
    first = mounted.servers[0]
    first.signal("client", "KILL")
    wait_until(lambda: "endpoint is not connected" in first.run("ls", MOUNT, check=False))
    outcome = check(first, *THE_MOUNT, *THE_VOLUME)
    assert outcome.state == "CRITICAL"
    assert "ENOTCONN" in outcome.text
    assert metrics(outcome)["bricks_online"] == 2


def test_brick_dies(mounted):
    first, second = mounted.servers
    mounted.kill_brick(second)
    for server in mounted.servers:
        outcome = check(server, *THE_VOLUME)
        assert outcome.state == "WARNING", outcome.out
        assert f"1 of 2 bricks online, offline: {second.brick}" in outcome.text
        assert metrics(outcome)["bricks_online"] == 1
    assert check(first, *THE_MOUNT, "--write-test").state == "OK", "the other replica serves"
    mounted.start_bricks()
    wait_for(first, "OK", *THE_VOLUME, "--heal")


def test_volume_is_stopped(mounted):
    first = mounted.servers[0]
    first.gluster("volume", "stop", VOLUME)
    outcome = check(first, *THE_VOLUME)
    assert outcome.state == "CRITICAL"
    assert outcome.text == f"volume {VOLUME}: is stopped"
    assert metrics(outcome) == {"bricks_online": 0, "bricks_total": 2, "peers_connected": 1,
                                "heal_entries": None}
    assert check(first, *THE_MOUNT).state == "CRITICAL"


def test_write_quorum_is_lost(mounted):
    first, second = mounted.servers
    mounted.set(cluster__quorum_type="auto")
    mounted.kill_brick(second)
    assert first.write("a", "the first brick breaks the tie")
    assert check(first, *THE_VOLUME).state == "WARNING"
    mounted.start_bricks()
    wait_for(first, "OK", *THE_VOLUME, "--heal")

    mounted.kill_brick(first)
    wait_until(lambda: not first.write("a", "the second does not"))
    outcome = check(first, *THE_VOLUME)
    assert outcome.state == "CRITICAL"
    assert f"no write quorum, 1 of 2 bricks online, offline: {first.brick}" in outcome.text
    outcome = check(first, *THE_MOUNT, "--write-test")
    assert outcome.state == "CRITICAL"
    assert "lacks its quorum" in outcome.text, "the client is alive and says ENOTCONN"


def test_heal_backlog(mounted):
    first, second = mounted.servers
    mounted.set(**HEAL_OFF)
    mounted.kill_brick(second)
    for number in range(5):
        assert first.write(f"file{number}", "x")
    outcome = check(first, *THE_VOLUME)
    assert outcome.state == "WARNING"
    backlog = metrics(outcome)["heal_entries"]
    assert backlog > 5, "the files and their directory"
    mounted.start_bricks()

    outcome = check(first, *THE_VOLUME)
    assert outcome.state == "OK", outcome.out
    assert metrics(outcome)["heal_entries"] == backlog
    outcome = check(first, *THE_VOLUME, "--heal")
    assert outcome.state == "WARNING"
    assert f"{backlog:.0f} entries to heal" in outcome.text
    assert check(first, *THE_VOLUME, "--heal-warning", f"{backlog:.0f}").state == "OK"
    outcome = check(first, *THE_VOLUME, "--heal-warning", "1", "--heal-critical", "5")
    assert outcome.state == "CRITICAL"
    limits = outcome.perfdata[f"{VOLUME}_heal_entries"]
    assert (limits.warning, limits.critical) == ("1", "5")

    mounted.set(**dict.fromkeys(HEAL_OFF, "on"))
    first.gluster("volume", "heal", VOLUME)
    wait_for(first, "OK", *THE_VOLUME, "--heal")


def test_split_brain(mounted):
    first, second = mounted.servers
    assert first.write("a", "before")
    mounted.set(**HEAL_OFF)
    for server in (second, first):
        mounted.kill_brick(server)
        assert first.write("a", f"while {server.name} is away")
        mounted.start_bricks()
    outcome = wait_for(first, "CRITICAL", *THE_VOLUME)
    assert "1 entry in split brain" in outcome.text
    assert metrics(outcome)["bricks_online"] == 2
    assert "Input/output error" in first.run("cat", f"{MOUNT}/a", check=False)

    first.gluster("volume", "heal", VOLUME, "split-brain", "source-brick", first.brick, "/a")
    wait_for(first, "OK", *THE_VOLUME, "--heal")


def test_glusterd_dies(pool):
    first, second = pool.servers
    second.signal("glusterd", "KILL")
    outcome = wait_for(first, "WARNING", *THE_VOLUME)
    assert f"{second.brick} (no answer)" in outcome.text
    assert f"peer {second.name} is disconnected" in outcome.text
    assert metrics(outcome)["peers_connected"] == 0
    assert metrics(outcome)["bricks_total"] == 2
    outcome = check(second, *THE_VOLUME)
    assert outcome.state == "CRITICAL"
    assert "glusterd does not answer: Connection failed." in outcome.text
    second.start()
    wait_for(first, "OK", *THE_VOLUME)


def test_servers_lose_their_quorum(pool):
    first, second = pool.servers
    pool.set(cluster__server_quorum_type="server")
    second.signal("glusterd", "KILL")
    outcome = wait_for(first, "CRITICAL", *THE_VOLUME)  # glusterd ends its own brick
    assert "0 of 2 bricks online" in outcome.text
    assert f"peer {second.name} is disconnected" in outcome.text


def test_glusterd_hangs(pool):
    first, second = pool.servers
    second.signal("glusterd", "STOP")
    outcome = check(first, *THE_VOLUME, "-t", "3")
    assert outcome.state == "CRITICAL"
    assert outcome.seconds < 3.5
    assert f"'gluster volume status {VOLUME}' did not end within" in outcome.text
    outcome = check(first, *THE_VOLUME, "-t", "10")
    assert outcome.state == "CRITICAL"
    assert "Another transaction is in progress" in outcome.text, "that of the first check"
    second.signal("glusterd", "CONT")
    wait_for(first, "OK", *THE_VOLUME)


def test_brick_hangs(pool):
    first = pool.servers[0]
    first.run("kill", "-STOP", str(pool.bricks()[first.name]))
    outcome = check(first, *THE_VOLUME, "-t", "3")
    assert outcome.state == "OK", "glusterd knows nothing of it"
    assert outcome.seconds < 3.5
    assert "the entries to heal are unknown" in outcome.text
    outcome = check(first, *THE_VOLUME, "--heal", "-t", "3")
    assert outcome.state == "UNKNOWN"
    assert metrics(outcome)["heal_entries"] is None
    names = first.run("sh", "-c", "cat /proc/[0-9]*/comm").split()
    assert "glusterd" in names
    assert not {"gluster", "glfsheal"} & set(names), "nothing is left of the commands"


def test_both_servers_are_checked_at_the_same_time(sound):
    with concurrent.futures.ThreadPoolExecutor() as threads:
        for _ in range(5):
            runs = [threads.submit(check, server, *THE_VOLUME) for server in sound.servers]
            for run in runs:
                assert run.result().state == "OK", run.result().out


def test_without_privileges_the_mount_is_judged_and_the_volume_unknown(sound):
    first = sound.servers[0]
    first.run("cp", plugin.path(CHECK), "/var/tmp")
    outcome = plugin.run_raw([*first.inside, "setpriv", "--reuid=nobody", "--regid=nogroup",
                              "--clear-groups", f"/var/tmp/{CHECK}", *THE_MOUNT, *THE_VOLUME])
    assert outcome.state == "UNKNOWN"
    assert outcome.text == f"volume {VOLUME}: 'gluster volume info {VOLUME}' needs root"
    assert f"{MOUNT}_latency" in outcome.perfdata


def test_unknown_volume(sound):
    outcome = check(sound.servers[0], "--gluster-volume", "nosuch", *THE_VOLUME)
    assert outcome.state == "CRITICAL"
    assert outcome.text == "volume nosuch: gluster says: Volume does not exist"
    assert metrics(outcome)["bricks_online"] == 2


SPOOL = ROOT / "conf-examples/pandora-shared-spool"
DATA_IN = "/var/spool/pandora/data_in"
PANDORA = f"""
groupadd -f apache
for user in pandora nagios; do id $user || useradd $user; done
usermod -aG apache nagios
cd {DATA_IN} && mkdir conf collections md5 netflow && echo old >conf/"$(hostname)"
mkdir -p /var/www/html/pandora_console/attachment /var/pandora_files
chmod 755 /var/www/html/pandora_console
"""


def shipped_check(server, name):
    """Run a command of the spool's nrpe.cfg as its user, or as root where it says sudo."""
    line = re.search(rf"^command\[{name}\]=(.*)$", (SPOOL / "nrpe.cfg").read_text(), re.MULTILINE)[1]
    program, options = line.split("/usr/lib/nagios/plugins/check_share_mount ")
    user = [] if program == "sudo -n " else ["runuser", "-u", "nagios", "--"]
    return plugin.run_raw([*server.inside, *user, f"/var/tmp/{CHECK}", *options.split()])


def test_pandora_spool_by_its_readme(bench):
    """Only what lies outside /var is elsewhere: the servers have nothing else of their own."""
    pool = GlusterPool(bench, ("pandora1", "pandora2"))
    readme = (SPOOL / "README.md").read_text().replace("/bricks", "/var/bricks")
    readme = readme.replace("/pandora_files", "/var/pandora_files")
    for command in re.findall(r"^ +gluster (.*)$", readme, re.MULTILINE):
        pool.servers[0].gluster(*command.split())
    links, = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    fstab = (SPOOL / "glusterfs.fstab").read_text().replace("/pandora_files", "/var/pandora_files")
    for server in pool.servers:
        server.run("mkdir", "-p", DATA_IN)
        server.run("sh", "-euc", PANDORA)
        server.run("sh", "-euc", 'printf "%s" "$1" >/etc/fstab; mount -a', "sh", fstab)
        server.run("sh", "-euc", re.sub(r"^ {3}", "", links, flags=re.MULTILINE))
        server.run("cp", plugin.path(CHECK), "/var/tmp")

    for server in pool.servers:
        for name in ("check_pandora_spool", "check_pandora_volume"):
            outcome = shipped_check(server, name)
            assert outcome.state == "OK", outcome.out
        assert server.run("ls", f"{DATA_IN}/conf") == "pandora1\npandora2\n"

    pool.servers[1].run("umount", "/var/pandora_files")
    assert shipped_check(pool.servers[0], "check_pandora_spool").state == "OK"
    outcome = shipped_check(pool.servers[1], "check_pandora_spool")
    assert outcome.state == "CRITICAL" and "not mounted" in outcome.text
    pool.servers[1].signal("glusterd", "KILL")
    wait_until(lambda: "peer pandora2 is disconnected"
               in shipped_check(pool.servers[0], "check_pandora_volume").text)
