# SPDX-License-Identifier: MIT
"""ha_guard with a configuration file, run pass by pass or as a daemon."""

import os
import signal
import subprocess
from pathlib import Path

import plugin
from nagios import kill_session
from server import spawn, wait_until


class Guard:
    """`environment` is that of its passes, ours unless one is given. As a daemon it prints into
    `log`."""

    def __init__(self, config, environment=None):
        self.config = Path(config)
        self.log = self.config.with_suffix(".output")
        self.process = None
        self._environment = environment

    def command(self, *options):
        """Return the command line of one pass."""
        return [plugin.path("ha_guard"), "--config", str(self.config), *options]

    def run(self, *options):
        """Make a pass; return (exit code, output)."""
        done = subprocess.run(self.command(*options), capture_output=True, text=True, timeout=90,
                              stdin=subprocess.DEVNULL, env=self._environment)
        assert done.stderr == "", done.stderr
        return done.returncode, done.stdout

    def start(self):
        """Start the daemon."""
        self.process = spawn(self.command("--daemon"), self.log, self.config.parent)
        return self

    def said(self, words):
        """Return how often the daemon has printed these words."""
        return self.log.read_text().count(words)

    def end(self):
        """End the daemon as its administrator would; return all that it has printed."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        return self.log.read_text()

    def close(self):
        """End the daemon and whatever it has started."""
        if self.process is not None:
            wait_until(lambda: not kill_session(self.process.pid), what="the guard to end")
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()

    def cpu_s(self):
        """Return the CPU seconds of the daemon and its ended children so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[i]) for i in range(11, 15)) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        """Return the peak resident memory of the daemon."""
        return self._memory_mib("VmHWM")

    def resident_mib(self):
        """Return the resident memory of the daemon now."""
        return self._memory_mib("VmRSS")

    def _memory_mib(self, what):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        own = next(line for line in status.splitlines() if line.startswith(what))
        return int(own.split()[1]) / 1024
