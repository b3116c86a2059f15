# SPDX-License-Identifier: MIT
"""A throwaway NRPE daemon on a free loopback port that runs commands as they ship."""

import shutil
import subprocess

import cache
import plugin
from nagios import kill_session
from server import spawn, uninterrupted, wait_until

_DAEMON = """\
server_address=127.0.0.1
server_port={port}
allowed_hosts=127.0.0.1
nrpe_user=nobody
nrpe_group=nogroup
dont_blame_nrpe=0
pid_file={directory}/nrpe.pid
log_file={directory}/nrpe.log
include={directory}/commands.cfg
"""


def adapted(text, places):
    """Return the text of a shipped file with its places replaced by ours; all must be in it."""
    for place, ours in places.items():
        assert place in text, f"{place} is not in:\n{text}"
        text = text.replace(place, str(ours))
    return text


class Nrpe:
    """The daemon with the commands of a shipped file; `places` are what is changed in it.

    NRPE refuses to be root, so what it uses has to be within the reach of another user.
    """

    def __init__(self, bench, commands, places, checks=plugin.CHECKS, port=None):
        self.port = port or bench.free_port()
        self.process = None
        bench.directory.chmod(0o711)
        directory = bench.directory / f"nrpe-{self.port}"
        plugins = directory / "plugins"
        plugins.mkdir(parents=True)
        for check in checks:
            shutil.copy(plugin.path(check), plugins)
        shipped = commands.read_text()
        assert "$ARG" not in shipped
        (directory / "commands.cfg").write_text(
            adapted(shipped, {"/usr/lib/nagios/plugins/": f"{plugins}/", **places}))
        self._config = directory / "nrpe.cfg"
        self._config.write_text(_DAEMON.format(port=self.port, directory=directory))
        bench.add(self)
        self.start()

    def start(self):
        """Start the daemon and wait until it answers."""
        with uninterrupted():
            self.process = spawn([cache.nrpe_root() / "usr/sbin/nrpe", "-c", self._config, "-f"],
                                 self._config.parent / "output", self._config.parent)
        wait_until(lambda: self.ask()[0] == 0, 20, "the NRPE daemon to answer")

    def ask(self, *command):
        """Return (exit code, output) of check_nrpe."""
        done = subprocess.run([client(), "-H", "127.0.0.1", "-p", str(self.port), *command],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout

    def close(self):
        """End the daemon and whatever it started."""
        if self.process is None:
            return
        wait_until(lambda: not kill_session(self.process.pid), what="the NRPE daemon to end")
        self.process.wait()


def client():
    """Return the path of check_nrpe."""
    return cache.nrpe_root() / "usr/lib/nagios/plugins/check_nrpe"
