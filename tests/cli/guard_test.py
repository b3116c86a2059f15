# SPDX-License-Identifier: MIT
"""ha_guard as its user runs it: real commands, real kills, two at once, a daemon."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import plugin
from guard import Guard

HEALTHY, STEP_FAILED, NOT_HANDLED, CONFIGURATION = range(4)


class ScriptedGuard(Guard):
    """A guard whose check and steps are small scripts in one directory; each logs its name."""

    def __init__(self, directory):
        super().__init__(directory / "guard.conf")
        self.directory = directory
        self.steps = directory / "log"
        self.lines = ["name = test", f"state-dir = {directory}/state", "retry-interval = 0.05",
                      "command-timeout = 20"]
        self.script("check", "exit 0")
        self.lines.append(f"check = {directory}/check")

    def script(self, name, body):
        """Write an executable that logs its name first; return its path."""
        path = self.directory / name
        path.write_text(f"#!/bin/sh\necho {name} >>{self.steps}\n{body}\n")
        path.chmod(0o755)
        return path

    def configure(self, *lines):
        """Add configuration lines; a bare script name is completed by the directory."""
        self.lines += [line.format(dir=self.directory) for line in lines]
        self.config.write_text("\n".join(self.lines) + "\n")
        return self

    def begin(self, *options):
        """Start a pass or a daemon; return the process."""
        return subprocess.Popen(self.command(*options), stdout=subprocess.PIPE, text=True)

    def ran(self):
        """Return what was run since the last call, in order."""
        words = self.steps.read_text().split() if self.steps.exists() else []
        self.steps.unlink(missing_ok=True)
        return words

    def wait_for(self, word):
        """Wait until something has run."""
        end = time.monotonic() + 20
        while not self.steps.exists() or word not in self.steps.read_text().split():
            assert time.monotonic() < end, f"{word} did not run"
            time.sleep(0.01)


@pytest.fixture
def guard(tmp_path):
    return ScriptedGuard(tmp_path)


def test_healthy_pass_is_silent_and_copies(guard):
    guard.script("copy", "echo noise")
    guard.configure("while-healthy = {dir}/copy")
    assert guard.run() == (HEALTHY, "")
    assert guard.ran() == ["check", "copy"]


def test_failover_in_order_then_silence_until_the_lock_file_goes(guard, tmp_path):
    guard.script("check", "echo 'HEARTBEAT CRITICAL - dead'; exit 2")
    for name in ("promote", "start", "mail"):
        guard.script(name, 'test $# -le 1')
    guard.configure("on-failure = {dir}/promote 'one word'", "on-failure = {dir}/start",
                    "on-failure = -{dir}/mail a b", "lock-file = {dir}/failover.lock")
    code, output = guard.run()
    assert code == HEALTHY
    assert guard.ran() == ["check"] * 3 + ["promote", "start", "mail"]
    assert "attempt 3 of 3: the check exited with 2: HEARTBEAT CRITICAL - dead" in output
    assert output.endswith("test: all done\n")
    assert (tmp_path / "failover.lock").stat().st_mode & 0o777 == 0o600

    assert guard.run() == (HEALTHY, "")
    assert guard.ran() == []

    (tmp_path / "failover.lock").unlink()
    guard.script("check", "exit 0")
    assert guard.run() == (HEALTHY, "")
    assert guard.ran() == ["check"]


def test_recovery_without_a_lock_file(guard):
    guard.script("check", "exit 255")
    guard.script("up", "")
    guard.script("down", "")
    guard.configure("on-failure = {dir}/up", "on-recovery = {dir}/down")
    assert guard.run()[0] == HEALTHY
    assert guard.ran()[-1] == "up"
    assert guard.run()[0] == HEALTHY
    assert guard.ran() == ["check"] * 3
    guard.script("check", "exit 0")
    assert guard.run()[0] == HEALTHY
    assert guard.ran() == ["check", "down"]


def test_a_hung_check_is_a_failure_and_a_hung_step_ends(guard):
    guard.script("check", "sleep 60")
    guard.script("hang", "sleep 60")
    guard.configure("check-timeout = 0.2", "retries = 2", "command-timeout = 0.3",
                    "on-failure = {dir}/hang")
    begin = time.monotonic()
    code, output = guard.run()
    assert code == STEP_FAILED
    assert time.monotonic() - begin < 5
    assert output.count("did not end within 0.") == 3  # two attempts and the step


@pytest.mark.parametrize("body", ["exit 3", "exit 126", "exit 127", "kill -SEGV $$"])
def test_a_broken_check_is_no_failover(guard, body):
    guard.script("check", body)
    guard.script("promote", "")
    guard.configure("on-failure = {dir}/promote")
    code, output = guard.run()
    assert code == CONFIGURATION
    assert "this means a broken check" in output
    assert guard.ran() == ["check"]


def test_killed_at_every_step_and_resumed(guard, tmp_path):
    names = ["one", "two", "three"]
    guard.script("check", "exit 2")
    guard.configure("retries = 1", "lock-file = {dir}/lock",
                    *(f"on-failure = {{dir}}/{name}" for name in names))
    for killed in names:
        for name in names:
            guard.script(name, "sleep 60" if name == killed else "")
        process = guard.begin()
        guard.wait_for(killed)
        process.kill()
        process.wait()
        _kill_children_of_script(tmp_path / killed)
        finished = names[:names.index(killed)]
        assert guard.ran() == ["check", *finished, killed]

        guard.script(killed, "")
        code, output = guard.run()
        assert (code, output.splitlines()[0]) == (HEALTHY,
                                                  "test: resuming where the last run ended")
        assert guard.ran() == names[names.index(killed):]
        (tmp_path / "lock").unlink()
        guard.script("check", "exit 0")
        assert guard.run() == (HEALTHY, "")
        guard.ran()
        guard.script("check", "exit 2")


def _kill_children_of_script(path):
    """End the step that outlived its killed guard: only processes that run this very script."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(path).encode() in words:
            # A process that the script forks has its words until it runs another program.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(os.getpgid(int(entry.name)), signal.SIGKILL)


def test_two_guards_of_one_name_exclude_each_other(guard):
    guard.script("check", f"while ! test -e {guard.directory}/go; do sleep 0.05; done")
    guard.configure("check-timeout = 20")
    first = guard.begin()
    guard.wait_for("check")
    assert guard.run() == (HEALTHY, "ha_guard: another guard 'test' is running\n")
    (guard.directory / "go").touch()
    assert first.wait(timeout=20) == HEALTHY
    assert guard.ran() == ["check"]


def test_a_daemon_makes_passes_and_stops_on_sigterm(guard):
    guard.configure()
    daemon = guard.begin("--daemon", "--interval", "0.05")
    end = time.monotonic() + 20
    while not guard.steps.exists() or guard.steps.read_text().split().count("check") < 3:
        assert time.monotonic() < end
        time.sleep(0.01)
    daemon.terminate()
    assert daemon.wait(timeout=10) == 0


def test_a_daemon_started_by_a_step_holds_no_lock(guard):
    guard.script("check", "exit 2")
    # Its descriptors are those of the shell until it has become another program.
    guard.script("start", f"sleep 60 & echo $! >{guard.directory}/pid; "
                          "until grep -q sleep /proc/$!/comm; do :; done; "
                          f"ls /proc/$!/fd | wc -l >{guard.directory}/descriptors")
    guard.configure("retries = 1", "on-failure = {dir}/start", "lock-file = {dir}/lock")
    try:
        assert guard.run()[0] == HEALTHY
        assert (guard.directory / "descriptors").read_text().strip() == "3"
        (guard.directory / "lock").unlink()
        guard.script("check", "exit 0")
        assert guard.run() == (HEALTHY, "")
    finally:
        os.kill(int((guard.directory / "pid").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("line, complaint", [
    ("retries = 0", "--retries: '0' is not a count (accepted: 1 to 1000)"),
    ("interval = 5s", "--interval: '5s' is not a duration"),
    ("fail-on = unknown", "--fail-on: 'unknown' is not accepted"),
    ("on-failure = 'open", "--on-failure: a ' is not closed"),
    ("on-failure =", "--on-failure: the command is empty"),
    ("onfailure = x", "unknown option 'onfailure'"),
    ("just words", "expected key=value"),
    ("name = ../x", "--name: needs letters"),
    ("name =", "--name: needs letters"),
])
def test_a_wrong_configuration_is_named(guard, line, complaint):
    guard.configure(line)
    code, output = guard.run()
    assert code == CONFIGURATION
    assert complaint in output and output.count("\n") == 1
    assert guard.ran() == []


def test_the_configuration_files_name_is_the_default(guard):
    guard.lines.remove("name = test")
    guard.configure()
    for _ in range(2):
        code, output = guard.run()
        assert (code, output) == (HEALTHY, "")
    assert (guard.directory / "state/guard.journal").exists()
    code, output = guard.run("--name=other", "-v")
    assert (code, output) == (HEALTHY, "other: pass done\n")


def test_what_a_step_prints_commands_no_terminal(guard):
    guard.script("check", "exit 2")
    guard.script("step", "printf 'a\\033[2J\\342\\200\\256b\\n'; exit 1")
    guard.configure("retries = 1", "on-failure = {dir}/step")
    code, output = guard.run()
    assert code == 1 and "a [2J b" in output, output
    journal = (guard.directory / "state/test.journal").read_bytes()
    assert b"\\u001B[2J\\u202Eb" in journal and journal.isascii()


def test_recovery_steps_and_a_lock_file_contradict_each_other(guard):
    guard.configure("on-recovery = true", "lock-file = {dir}/lock")
    code, output = guard.run()
    assert code == CONFIGURATION and "--on-recovery" in output


def test_a_state_directory_of_others_is_refused(guard):
    (guard.directory / "state").mkdir(mode=0o777)
    (guard.directory / "state").chmod(0o777)
    guard.configure()
    code, output = guard.run()
    assert code == CONFIGURATION and "--state-dir" in output


def test_help_and_version_exit_with_0():
    for option in ("-h", "-V"):
        done = subprocess.run([plugin.path("ha_guard"), option], capture_output=True, timeout=10)
        assert done.returncode == 0 and done.stdout
