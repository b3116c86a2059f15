# SPDX-License-Identifier: MIT
"""mysql_ha guard, the resident manager of a cluster."""

import json
import signal

from guard import Guard
from server import spawn, wait_until


class MysqlGuard(Guard):
    """A guard of a Cluster, which prints into a file; ends with the block, if it has not before.
    `settings` are added to its environment: "NAME=VALUE"."""

    def __init__(self, cluster, *words, settings=()):
        super().__init__(cluster.directory / "resident.conf")
        self._cluster, self._words, self._settings = cluster, words, settings

    def __enter__(self):
        self.log.unlink(missing_ok=True)
        command = ["env", *self._settings, *self._cluster.command("guard", *self._words)]
        self.process = spawn([str(word) for word in command], self.log, self._cluster.directory)
        self.wait_for(" is the primary")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def out(self):
        """Return all that it has printed."""
        return self.log.read_text()

    def wait_for(self, words, times=1, timeout=30.0):
        """Wait until it has printed these words so often."""
        try:
            wait_until(lambda: self.said(words) >= times, timeout)
        except TimeoutError:
            raise TimeoutError(f"the guard did not say {words!r}:\n{self.out()}") from None

    def reload(self):
        """Let it read its files of options again."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """End it as a service manager would; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def status(self):
        """Return the exit code of `guard status` and what it tells."""
        outcome = self._cluster.run("guard", "status", "--output", "json")
        return outcome.code, json.loads(outcome.out)

    def wait_until_well(self):
        """Wait until its state, as others see it, is free of trouble."""
        return wait_until(lambda: self.status()[0] == 0 and self.status()[1], what="no trouble")
