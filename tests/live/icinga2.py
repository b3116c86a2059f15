# SPDX-License-Identifier: MIT
"""A real Icinga 2 with its files in one directory."""

import os
import re
import subprocess

import cache
import plugin
from nagios import ROOT, kill_session
from server import wait_until

EXAMPLES = ROOT / "conf-examples/icinga2"


class Icinga2:
    """Icinga 2 with all its files in one directory and one configuration file."""

    def __init__(self, directory, config):
        root = cache.icinga2_root()
        directory.mkdir()
        self.log = directory / "output"
        self.process = None
        (directory / "icinga2.conf").write_text(
            f'const PluginDir = "{plugin.BUILD}/plugins"\n'
            f"include <itl>\ninclude <plugins>\n{config}")
        places = [word for name in ("DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")
                  for word in ("-D", f"Configuration.{name}={directory}")]
        program = next(root.glob("usr/lib/*/icinga2/sbin/icinga2"))
        self._command = [program, "daemon", "-c", directory / "icinga2.conf", "-I",
                         root / "usr/share/icinga2/include", *places,
                         "-D", f"Configuration.PidPath={directory}/pid"]
        self._environment = {"PATH": os.environ["PATH"], "ICINGA2_USER": "root",
                             "ICINGA2_GROUP": "root"}

    def validate(self):
        """Return (accepted, what Icinga says) of its own look at the configuration."""
        done = subprocess.run([*self._command, "-C"], env=self._environment, text=True,
                              capture_output=True, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def start(self):
        """Start the daemon; it logs every command that it runs."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self._command, "-x", "notice"], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self._environment,
                                            start_new_session=True)
        return self

    def close(self):
        """End the daemon and whatever it started."""
        if self.process:
            wait_until(lambda: not kill_session(self.process.pid), what="Icinga 2 to end")
            self.process.wait()

    def runs(self, name):
        """Return [(arguments, exit code)] of the finished runs of a check, in no order."""
        pattern = rf"PID \d+ \('[^']*/{name}'((?: '[^']*')*)\) terminated with exit code (\d+)"
        return [(re.findall(r"'([^']*)'", arguments), int(code))
                for arguments, code in re.findall(pattern, self.log.read_text())]
