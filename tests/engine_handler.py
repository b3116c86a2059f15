# SPDX-License-Identifier: MIT
"""Runs handle_engine_failover as an engine does, and holds every run to what handlers promise."""

import atexit
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import plugin

HANDLER = str(plugin.BUILD / "plugins" / "handle_engine_failover")
DONE, UNVERIFIED, FAILED, USAGE = range(4)
# Where handlers without --state-dir keep who comes after whom, by the user's number.
RUNTIME = "/dev/shm/monitoring-plugins-ha-{}"
_engines = set()


class HandlerOutcome(plugin.Outcome):
    """What a run gave."""

    @property
    def text(self):
        """Return the first line without the program's name."""
        return self.out.splitlines()[0].removeprefix("handle_engine_failover: ")


def event(state, kind="HARD"):
    """Return the options of an event."""
    return ["--state", state, "--state-type", kind]


def command(*options):
    """Return a command line."""
    words = [str(option) for option in options]
    for name, value in zip(words, words[1:]):
        if name in ("--command-file", "--query-handler", "--api", "--start-command"):
            name = " ".join(shlex.split(value))
            _engines.add("engine" + re.sub(r"[^A-Za-z0-9.-]", "_", name)[-200:])
    return [HANDLER, *words]


@atexit.register
def _forget():
    """Remove what handlers without --state-dir have left until the machine restarts."""
    for directory in Path("/dev/shm").glob(Path(RUNTIME.format("*")).name):
        for path in directory.iterdir():
            if any(path.name.startswith(f"{engine}.") for engine in _engines):
                path.unlink(missing_ok=True)


def run(*options, within=None, timeout=40, **arguments):
    """Run the handler; within: the seconds that it may take at most."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **arguments.pop("env", {})}
    begin = time.monotonic()
    done = subprocess.run(command(*options), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout, env=environment, **arguments)
    outcome = HandlerOutcome(done.returncode, done.stdout.decode(), time.monotonic() - begin)
    assert done.stderr == b"", done.stderr
    assert outcome.code in (DONE, UNVERIFIED, FAILED, USAGE), outcome
    assert outcome.out.startswith("handle_engine_failover: "), outcome
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", outcome.out), outcome
    assert within is None or outcome.seconds < within, outcome
    return outcome
