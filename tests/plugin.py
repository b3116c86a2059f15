# SPDX-License-Identifier: MIT
"""Runs a check as a monitoring engine does, and holds every run to what all checks promise."""

import dataclasses
import json
import os
import re
import subprocess
import time
from pathlib import Path

BUILD = Path(os.environ.get("HA_BUILD_DIR", Path(__file__).parent.parent / "build")).resolve()
LAG = "check_mysql_replication_lag"
THREADS = "check_mysql_replication_threads"
CHECKS = (LAG, THREADS)

STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
MAX_BYTES = 4096
# An address that must not be contacted; a usage error is found before.
NOWHERE = ("-H", "127.0.0.1", "-P", "1")

_ITEM = re.compile(r"'((?:[^']|'')+)'=(-?[0-9.]+(?:e[-+]?[0-9]+)?|U)(s|B|%|c|)"
                   r"(?:;([^; ]*))?(?:;([^; ]*))?(?:;([^; ]*))?(?:;([^; ]*))?(?: |$)")


@dataclasses.dataclass
class Metric:
    """One item of the perfdata; value is None for U."""
    value: float | None
    unit: str
    warning: str
    critical: str
    min: str
    max: str


@dataclasses.dataclass
class Outcome:
    """What a run gave: exit code, output, and how long it took."""
    code: int
    out: str
    seconds: float

    @property
    def state(self):
        """Return the state that the exit code stands for."""
        return STATES[self.code]

    @property
    def lines(self):
        """Return the lines of the output, without perfdata."""
        return [line.split("|")[0].rstrip() for line in self.out.splitlines()]

    @property
    def text(self):
        """Return the first line after `NAME STATE - `, without perfdata."""
        return self.lines[0].split(" - ", 1)[1]

    @property
    def perfdata(self):
        """Return {label: Metric}."""
        rest = self.out.splitlines()[0].partition("|")[2].strip()
        metrics = {}
        while rest:
            match = _ITEM.match(rest)
            assert match, f"not perfdata: {rest!r}"
            label, value, *others = match.groups()
            metrics[label.replace("''", "'")] = Metric(
                None if value == "U" else float(value), *(other or "" for other in others))
            rest = rest[match.end():]
        return metrics

    def json(self):
        """Return the output as the JSON value that it is."""
        return json.loads(self.out)


def path(check):
    """Return the path of a binary in the build directory."""
    return str(BUILD / "plugins" / check)


def run_raw(command, timeout=30, **arguments):
    """Run a command line; exit code 0 to 3, silence on stderr and valid UTF-8 are asserted."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **arguments.pop("env", {})}
    begin = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, env=environment, **arguments)
    seconds = time.monotonic() - begin
    assert done.stderr == b"", done.stderr
    assert done.returncode in (0, 1, 2, 3), (done.returncode, done.stdout)
    assert done.stdout.endswith(b"\n")
    return Outcome(done.returncode, done.stdout.decode("utf-8"), seconds)


def run(check, *options, inside=(), **arguments):
    """Run a check in the default voice; the form of its output is asserted too. `inside` is a command
    that runs it elsewhere."""
    outcome = run_raw([*inside, path(check), *options], **arguments)
    name = check.removeprefix("check_").replace("_", " ").upper()
    assert outcome.out.startswith(f"{name} {outcome.state} - "), outcome.out
    assert len(outcome.out.encode()) <= MAX_BYTES, len(outcome.out.encode())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", outcome.out), outcome.out
    assert outcome.out.count("|") == (1 if outcome.perfdata else 0), outcome.out
    return outcome


def run_usage_error(check, *options, **arguments):
    """Run a check that must refuse its options: UNKNOWN, one line, no perfdata; return the text."""
    outcome = run(check, *options, **arguments)
    assert outcome.state == "UNKNOWN", outcome.out
    assert outcome.out.count("\n") == 1, outcome.out
    assert not outcome.perfdata
    return outcome.text
