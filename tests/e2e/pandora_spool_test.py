# SPDX-License-Identifier: MIT
"""conf-examples/pandora-shared-spool by its own README. Where this machine has no client or server
of NFS and GlusterFS, a file system in FUSE stands for the mount, under the name that theirs has."""

import os
import re
import shutil
import subprocess

import pytest

import plugin
from mounts import Mounts
from nagios import ROOT, Nagios
from nrpe import adapted

SPOOL = ROOT / "conf-examples/pandora-shared-spool"
DIRECTORIES = ("conf", "collections", "md5", "netflow")
PANDORA, APACHE, NAGIOS = 4711, 4712, 4713


class PandoraServer:
    """A Pandora FMS server with a console, whose places are below one directory."""

    def __init__(self, mounts):
        self.mounts = mounts
        self.data_in = mounts.point("spool/data_in")
        self.attachment = mounts.point("console/attachment")
        self.share = mounts.directory / "pandora_files"
        for name in DIRECTORIES:
            mounts.point(f"spool/data_in/{name}")
        for directory in self.directories():
            (directory / "first.conf").write_text("precious")
        self._add_people("passwd", f"pandora:x:{PANDORA}:{PANDORA}::/:/bin/false")
        self._add_people("group", f"apache:x:{APACHE}:")

    def directories(self):
        """Return what has to be shared."""
        return [*(self.data_in / name for name in DIRECTORIES), self.attachment]

    def adapted(self, text):
        """Return a shipped text with our places, which all have to be in it or none of them."""
        places = {"/var/spool/pandora/data_in": self.data_in, "/pandora_files": self.share,
                  "/var/www/html/pandora_console/attachment": self.attachment}
        return adapted(text, {place: ours for place, ours in places.items() if place in text})

    def use_fstab(self, name):
        """Take a shipped fstab as this machine's."""
        fstab = self.mounts.directory / "fstab"
        fstab.write_text(self.adapted((SPOOL / name).read_text()))
        self.mounts.bind(fstab, "/etc/fstab")

    def check(self):
        """Run the shipped NRPE command as the user that it tells to have in apache's group."""
        shipped = (SPOOL / "nrpe.cfg").read_text()
        command = re.search(r"^command\[check_pandora_spool\]=(.*)$", shipped, re.MULTILINE)[1]
        program, *options = command.split()
        assert program == "/usr/lib/nagios/plugins/check_share_mount"
        return plugin.run("check_share_mount", *options, "--data-in", self.data_in, "--attachment",
                          self.attachment, user=NAGIOS, group=NAGIOS, extra_groups=[APACHE])

    def _add_people(self, name, line):
        changed = self.mounts.directory / name
        shutil.copy(f"/etc/{name}", changed)
        with open(changed, "a", encoding="ascii") as file:
            file.write(line + "\n")
        self.mounts.bind(changed, f"/etc/{name}")


@pytest.fixture
def server(public_directory):
    with Mounts(public_directory) as mounts:
        yield PandoraServer(mounts)


def test_glusterfs(server):
    server.use_fstab("glusterfs.fstab")
    outcome = server.check()
    assert outcome.state == "CRITICAL", outcome.out
    assert f"{server.share}: not mounted" in outcome.text

    share = server.mounts.faulty("pandora_files", source="localhost:/pandora")
    outcome = server.check()
    assert f"{server.data_in}/conf: not mounted" in outcome.text, outcome.out

    block, = re.findall(r"```sh\n(.*?)```", (SPOOL / "README.md").read_text(), re.DOTALL)
    subprocess.run(["sh", "-eu", "-c", server.adapted(block)], check=True)
    outcome = server.check()
    assert outcome.state == "OK" and outcome.text.startswith("6 directories answer"), outcome.out
    for directory in server.directories():
        assert directory.is_symlink()
        assert (directory / "first.conf").read_text() == "precious"

    os.chmod(share.point / "md5", 0o755)
    assert "the mode is 755 instead of 770" in server.check().text
    share.kill()
    outcome = server.check()
    assert outcome.state == "CRITICAL" and "(ENOTCONN)" in outcome.text, outcome.out


def test_nfs(server):
    server.use_fstab("nfs.fstab")
    outcome = server.check()
    assert outcome.state == "CRITICAL", outcome.out
    assert "1 file or directory lies in it, which the share would hide" in outcome.text
    shares = []
    for directory in server.directories():
        shares.append(server.mounts.faulty(str(directory.relative_to(server.mounts.directory)),
                                           source=f"nas:/srv/pandora/{directory.name}",
                                           subtype="nfs4"))
        os.chown(directory, PANDORA, APACHE)
        os.chmod(directory, 0o770)
    outcome = server.check()
    assert outcome.state == "OK" and outcome.text.startswith("5 directories answer"), outcome.out
    os.chmod(shares[1].point, 0o750)
    assert "the mode is 750 instead of 770" in server.check().text
    shares[2].faults(all="ESTALE")
    outcome = server.check()
    assert outcome.state == "CRITICAL" and "(ESTALE)" in outcome.text, outcome.out


def test_objects(tmp_path):
    accepted, text = Nagios(tmp_path / "nagios", plugin.BUILD / "plugins",
                            [SPOOL / "spool.cfg"]).verify()
    assert accepted, text
    assert "Total Warnings: 0" in text
