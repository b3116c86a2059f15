# SPDX-License-Identifier: MIT
"""A real NRPE daemon runs every command of nrpe/ha-plugins.cfg, as it ships, without arguments."""

import re
import shutil
import subprocess

import pytest

import cache
import plugin
from nagios import ROOT, kill_session, monitor_file
from servers import wait_until

SHIPPED = ROOT / "nrpe/ha-plugins.cfg"
COMMANDS = re.findall(r"^command\[(.+?)\]=", SHIPPED.read_text(), re.MULTILINE)

DAEMON = """\
server_address=127.0.0.1
server_port={port}
allowed_hosts=127.0.0.1
nrpe_user=nobody
nrpe_group=nogroup
dont_blame_nrpe=0
pid_file={directory}/nrpe.pid
log_file={directory}/nrpe.log
include={directory}/ha-plugins.cfg
"""


class Nrpe:
    """The daemon on a free port; only the places of the shipped file are changed to ours.

    NRPE refuses to be root, so what it uses has to be within the reach of somebody else.
    """

    def __init__(self, bench, account):
        self.port = bench.free_port()
        bench.directory.chmod(0o711)
        plugins = bench.directory / "plugins"
        plugins.mkdir()
        for check in plugin.CHECKS:
            shutil.copy(plugin.path(check), plugins)
        shutil.chown(account, "nobody")
        shipped = SHIPPED.read_text()
        assert "$ARG" not in shipped
        for place, ours in (("/usr/lib/nagios/plugins/", f"{plugins}/"),
                            ("/etc/nagios/mysql-monitor.cnf", str(account))):
            assert place in shipped
            shipped = shipped.replace(place, ours)
        (bench.directory / "ha-plugins.cfg").write_text(shipped)
        config = bench.directory / "nrpe.cfg"
        config.write_text(DAEMON.format(port=self.port, directory=bench.directory))
        with open(bench.directory / "nrpe.output", "wb") as output:
            self.process = subprocess.Popen(
                [cache.nrpe_root() / "usr/sbin/nrpe", "-c", config, "-f"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        bench.add(self)
        wait_until(lambda: self.ask()[0] == 0, 20, "the NRPE daemon to answer")

    def ask(self, *command):
        """Return (exit code, output) of check_nrpe."""
        done = subprocess.run([cache.nrpe_root() / "usr/lib/nagios/plugins/check_nrpe", "-H",
                               "127.0.0.1", "-p", str(self.port), *command],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout

    def close(self):
        """End the daemon and whatever it started."""
        wait_until(lambda: not kill_session(self.process.pid), what="the NRPE daemon to end")
        self.process.wait()


def test_every_command_ships_once():
    assert sorted(COMMANDS) == sorted(set(COMMANDS))
    assert set(plugin.CHECKS) <= set(COMMANDS)


@pytest.fixture
def nrpe(bench, pair):
    return Nrpe(bench, monitor_file(bench.directory / "monitor.cnf", f"socket={pair.replica.socket}"))


@pytest.mark.parametrize("command", plugin.CHECKS)
def test_check_through_nrpe(pair, nrpe, command):
    name = command.removeprefix("check_").replace("_", " ").upper()
    code, output = nrpe.ask("-c", command)
    assert (code, output.split(" - ")[0]) == (0, f"{name} OK"), output
    assert "|" in output, "perfdata come through"
    pair.replica.stop_replication(thread="SQL")
    code, output = nrpe.ask("-c", command)
    assert (code, output.split(" - ")[0]) == (2, f"{name} CRITICAL"), output
    assert "SQL thread stopped" in output
