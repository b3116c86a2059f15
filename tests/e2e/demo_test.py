# SPDX-License-Identifier: MIT
"""conf-examples/demo/run plays to its end without questions, and leaves nothing behind however it
ends."""

import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import plugin
from nagios import ROOT
from servers import wait_until

RUN = ROOT / "conf-examples/demo/run"
MARK = "HA_DEMO_TEST"


class Demo:
    """A run of the demonstration without a terminal, with a private /dev/shm and temporary files."""

    def __init__(self, directory, **environment):
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.left = directory / "left"
        self._output = directory / "output"
        self._mark = f"{MARK}={directory}"
        # The mount disappears with its last process; what is left in it is written down before.
        script = ('set -m; mount -t tmpfs none /dev/shm; "$0" & echo $! >"$2"; '
                  'wait $!; code=$?; find /dev/shm "$TMPDIR" -mindepth 1 >"$1"; exit $code')
        pid_file = directory / "pid"
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "bash", "-c", script, RUN, self.left, pid_file],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, "HA_BUILD_DIR": str(plugin.BUILD), "TMPDIR": str(self.temporary),
                     MARK: str(directory), **environment})
        self.pid = int(wait_until(lambda: pid_file.exists() and pid_file.read_text(), 20))

    def text(self):
        """Return what was shown so far."""
        return self._output.read_text()

    def end(self):
        """Wait for the end; return the exit code."""
        return self.process.wait(240)

    def processes(self):
        """Return the ids of all processes that descend from the run, whatever their parent is now."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self._mark.encode() in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # Ended, or too privileged to descend from us.
        return found

    def close(self):
        """End what a failed test leaves."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path):
    started = Demo(tmp_path)
    yield started
    started.close()


def assert_nothing_is_left(demo):
    assert demo.processes() == []
    assert demo.left.read_text() == ""
    assert not list(RUN.parent.glob("__pycache__"))


def test_states_come_in_order_and_nothing_is_left(demo):
    assert demo.end() == 0, demo.text()
    events = re.findall(r"^ *\d+\.\d s  (OK|WARNING|CRITICAL|UNKNOWN) +(Replication \w+) +(.*)$",
                        demo.text(), re.MULTILINE)
    for service in ("Replication lag", "Replication threads"):
        states, texts = zip(*[(state, text) for state, name, text in events if name == service])
        assert states[:3] == ("OK", "CRITICAL", "OK"), demo.text()
        assert "SQL thread stopped" in texts[1]
    before, _, after = demo.text().partition("db1: kill -9")
    assert re.search(r"^ +db1 +primary .*(\n +\+- db[23] +replica .*){2}\n\n +healthy$", before,
                     re.MULTILINE)
    assert "FAILOVER READY OK - db2 would replace db1" in before
    told = re.findall(r"Nagios notifies (\w+): Replication threads", before)
    assert told == ["PROBLEM", "RECOVERY"]
    second = re.findall(r"the \w+ notifies \w+|master: kill -9|the standby is \w+", demo.text())
    assert second == ["the master notifies PROBLEM", "master: kill -9", "the standby is active",
                      "the standby notifies RECOVERY", "the standby is silent"]
    steps = re.findall(r"^ +\+\d+\.\d{3}s  ([a-z-]+) ", after, re.MULTILINE)
    order = ["confirm-dead", "fence", "drain", "promote", "repoint", "make-writable"]
    assert [step for step in steps if step in order][:6] == order, after
    assert re.search(r"fence db1: \S+ exited with 0: there is no /proc/\d+ any more", after), after
    assert re.search(r"^ +db2 +primary .*\n +\+- db3 +replica", after, re.MULTILINE), after
    after, _, finale = after.partition("Finale: the cable")
    acknowledged, lost = re.search(r"acknowledged: (\d+), lost: (\d+)\n", after).groups()
    assert int(acknowledged) >= 100 and int(lost) == 0
    order = ["the cable of db1 is cut", "the guard of db1: closing db1",
             "the guard of db2: db2 has the lease of the primary", "the cable is repaired"]
    assert sorted(order, key=finale.index) == order, finale
    first, second, both = re.search(r"acknowledged by db1 until it was closed: (\d+), by db2 since then: "
                                    r"(\d+); by both at once: (\d+)\n", finale).groups()
    assert int(first) >= 20 and int(second) >= 50 and int(both) == 0
    assert re.search(rf"acknowledged in all: {int(first) + int(second)}, lost: 0; only db2 accepts", finale)
    assert "\033" not in demo.text(), "no terminal, no escape sequences"
    assert_nothing_is_left(demo)


@pytest.mark.parametrize("moment", ["starting three MariaDB servers", "db1 is ", "STOP SLAVE",
                                    "starting two Nagios", "master: kill -9", "db1: kill -9",
                                    "journal show", "the cable of db1 is cut"])
def test_interrupted_at_any_moment_nothing_is_left(tmp_path, moment):
    """By each signal, in demonstrations that play at the same time: they wait more than they work."""
    def interrupt(number):
        directory = tmp_path / number.name
        directory.mkdir()
        with contextlib.closing(Demo(directory)) as demo:
            wait_until(lambda: moment in demo.text(), 240, moment)
            os.kill(demo.pid, number)
            assert demo.end() == 128 + number, demo.text()
            assert "Traceback" not in demo.text()
            assert_nothing_is_left(demo)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(interrupt, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_what_a_program_has_started_is_ended(tmp_path, number):
    programs, here = tmp_path / "bin", tmp_path / "here"
    programs.mkdir()
    server = programs / "mariadbd"
    server.write_text(f"#!/bin/sh\nsetsid sh -c 'touch {here}; exec sleep 600' &\nexec sleep 600\n")
    server.chmod(0o755)
    with contextlib.closing(Demo(tmp_path, PATH=f"{programs}:{os.environ['PATH']}")) as demo:
        wait_until(here.exists, 60, "the program to start another one")
        os.kill(demo.pid, number)
        assert demo.end() == 128 + number, demo.text()
        assert_nothing_is_left(demo)


def test_failure_is_told_and_nothing_is_left(demo):
    wait_until(lambda: "STOP SLAVE" in demo.text(), 60)
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in demo.processes()}
    assert any(b"/nagios4\0" in command for command in commands.values())
    os.kill(next(pid for pid, command in commands.items() if b"db2/data" in command), signal.SIGKILL)
    assert demo.end() == 1, demo.text()
    assert "The demonstration failed" in demo.text()
    assert "Traceback" not in demo.text()
    assert_nothing_is_left(demo)
