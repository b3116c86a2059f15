# SPDX-License-Identifier: MIT
"""handle_engine_failover against command pipes, sockets, status files and commands that misbehave."""

import os
import select
import socket
import stat
import subprocess
import threading
import time

import pytest

from engine_handler import DONE, FAILED, UNVERIFIED, USAGE, command, event, run

STATUS = """info {{
\tcreated={created}
\tversion=4.4.6
\t}}

programstatus {{
\tnagios_pid={pid}
\tenable_notifications={notifications}
\tactive_service_checks_enabled={checks}
\tactive_host_checks_enabled={checks}
\t}}
"""


class FakeEngine:
    """Reads a command pipe and writes a status file as an engine does, as far as it is told to."""

    def __init__(self, directory, obeys=True, deaf_to=0):
        self.pipe = directory / "nagios.cmd"
        self.status = directory / "status.dat"
        self.flags = {"notifications": 0, "checks": 0}
        self.lines = []
        self.obeys, self.deaf_to = obeys, deaf_to
        self.pid = os.getpid()
        os.mkfifo(self.pipe)
        self._fd = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        self._stop = threading.Event()
        self.publish()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def publish(self, created=None):
        """Replace the status file."""
        new = self.status.with_suffix(".new")
        new.write_text(STATUS.format(created=created or int(time.time()), pid=self.pid,
                                     **self.flags))
        new.rename(self.status)

    def _work(self):
        while not self._stop.is_set():
            if select.select([self._fd], [], [], 0.1)[0]:
                for line in os.read(self._fd, 65536).decode().splitlines():
                    self._take(line)
            if self.obeys:
                self.publish()

    def _take(self, line):
        self.lines.append(line)
        self.deaf_to -= 1
        if self.deaf_to >= 0:
            return
        word = line.split()[1]
        name = "notifications" if word.endswith("NOTIFICATIONS") else "checks"
        self.flags[name] = int(word.startswith(("ENABLE", "START")))

    def words(self):
        """Return the commands that have arrived, without their times."""
        return [line.split()[1] for line in self.lines]

    def close(self):
        self._stop.set()
        self._thread.join()
        os.close(self._fd)


@pytest.fixture
def engine(tmp_path):
    fake = FakeEngine(tmp_path)
    yield fake
    fake.close()


def nagios(directory, *more):
    return ["--engine", "nagios", "--command-file", directory / "nagios.cmd", *more]


def test_take_over_is_verified_and_a_second_one_writes_nothing(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--scope", "all")
    first = run(*event("CRITICAL"), *options, within=5)
    assert first.code == DONE, first
    assert engine.words() == ["START_EXECUTING_SVC_CHECKS", "START_EXECUTING_HOST_CHECKS",
                              "ENABLE_NOTIFICATIONS"]
    assert "verified in" in first.text
    second = run(*event("DOWN"), *options, within=5)
    assert second.code == DONE
    assert second.text == "take-over on DOWN HARD: the engine is active already"
    assert len(engine.lines) == 3
    back = run(*event("UP"), *options, within=5)
    assert back.code == DONE
    assert engine.words()[3:] == ["DISABLE_NOTIFICATIONS", "STOP_EXECUTING_HOST_CHECKS",
                                  "STOP_EXECUTING_SVC_CHECKS"]


def test_two_engines_that_write_one_status_file_verify_nothing(engine, tmp_path):
    """Each command reaches one of them, and each look shows one of them."""
    config = tmp_path / "nagios.cfg"
    config.touch()
    daemons = [subprocess.Popen(["tail", "-f", config], stderr=subprocess.DEVNULL) for _ in range(2)]
    engine.pid = daemons[0].pid
    engine.publish()
    try:
        outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--status-file", engine.status,
                                                  "--verify-timeout", 1), within=4)
        assert outcome.code == UNVERIFIED, outcome
        assert f"processes {daemons[0].pid} and {daemons[1].pid}" in outcome.text
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.wait()


def test_a_stand_down_undoes_only_a_take_over_on_record(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--state-dir", tmp_path / "state")
    engine.flags["notifications"] = 1  # by an administrator
    none = run(*event("OK"), *options, within=5)
    assert (none.code, engine.lines) == (DONE, []), none
    assert "no take-over is on record" in none.text
    engine.flags["notifications"] = 0
    engine.publish()
    assert run(*event("CRITICAL"), *options, within=5).code == DONE
    assert run(*event("OK"), *options, within=5).code == DONE
    assert engine.words() == ["ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS"]
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_take_over_that_was_not_answered_is_undone_too(tmp_path):
    naemon = FakeQueryHandler(tmp_path / "naemon.qh", None)
    options = ["--engine", "naemon", "--query-handler", tmp_path / "naemon.qh",
               "--state-dir", tmp_path / "state", "--verify-timeout", 0.3]
    try:
        for state in ("CRITICAL", "OK"):
            assert run(*event(state), *options, within=4).code == FAILED
        assert b"ENABLE_NOTIFICATIONS" in naemon.queries[0]
        assert b"DISABLE_NOTIFICATIONS" in naemon.queries[-1]
    finally:
        naemon.close()


def test_the_role_on_record_is_given_again_after_a_restart(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--state-dir", tmp_path / "state")
    assert run(*event("CRITICAL"), *options).code == DONE
    engine.flags["notifications"] = 0  # restarted from its configuration
    wait(lambda: "enable_notifications=0" in engine.status.read_text())
    active = run("--reassert", *options)
    assert (active.code, engine.flags["notifications"]) == (DONE, 1), active
    assert run(*event("OK"), *options).code == DONE
    engine.flags["notifications"] = 1  # restarted with what it had retained
    wait(lambda: "enable_notifications=1" in engine.status.read_text())
    standby = run("--reassert", *options)
    assert (standby.code, engine.flags["notifications"]) == (DONE, 0), standby


def wait(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_command_that_a_restarting_engine_lost_is_repeated(tmp_path):
    fake = FakeEngine(tmp_path, deaf_to=1)
    try:
        outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--status-file", fake.status), within=8)
        assert outcome.code == DONE, outcome
        assert fake.words() == ["ENABLE_NOTIFICATIONS"] * 2
    finally:
        fake.close()


def test_an_engine_that_hangs_is_not_believed(tmp_path):
    fake = FakeEngine(tmp_path, obeys=False)
    try:
        outcome = run(*event("CRITICAL"), *nagios(
            tmp_path, "--status-file", fake.status, "--verify-timeout", 1), within=4)
        assert outcome.code == UNVERIFIED
        assert "the status file has not been written since" in outcome.text
    finally:
        fake.close()


@pytest.mark.parametrize("content, told", [
    (None, "No such file"),
    ("", "ends before its programstatus block does"),
    ("info {\n\tcreated=1\n\t}\nprogramstatus {\n\tenable_noti", "ends before"),
], ids=["absent", "empty", "half"])
def test_a_status_file_that_tells_nothing_leaves_it_unverified(tmp_path, content, told):
    os.mkfifo(tmp_path / "nagios.cmd")
    reader = os.open(tmp_path / "nagios.cmd", os.O_RDWR | os.O_NONBLOCK)
    if content is not None:
        (tmp_path / "status.dat").write_text(content)
    outcome = run(*event("CRITICAL"), *nagios(
        tmp_path, "--status-file", tmp_path / "status.dat", "--verify-timeout", 0.5), within=4)
    assert outcome.code == UNVERIFIED
    assert told in outcome.text
    assert os.read(reader, 4096).endswith(b"] ENABLE_NOTIFICATIONS\n")
    os.close(reader)


def test_a_status_file_from_the_future_is_not_taken_for_the_present(tmp_path):
    fake = FakeEngine(tmp_path, obeys=False)
    try:
        fake.flags["notifications"] = 1
        fake.publish(created=int(time.time()) + 3600)
        outcome = run(*event("CRITICAL"), *nagios(
            tmp_path, "--status-file", fake.status, "--verify-timeout", 0.5), within=4)
        assert outcome.code == UNVERIFIED
        wait(lambda: fake.words() == ["ENABLE_NOTIFICATIONS"])
    finally:
        fake.close()


def test_a_missing_pipe_is_not_created(tmp_path):
    outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--verify-timeout", 0.5), within=3)
    assert outcome.code == FAILED
    assert "there is no such command pipe" in outcome.text
    assert list(tmp_path.iterdir()) == []


def test_a_regular_file_stays_as_it_was(tmp_path):
    (tmp_path / "nagios.cmd").write_text("precious")
    outcome = run(*event("CRITICAL"), *nagios(tmp_path), within=3)
    assert outcome.code == FAILED
    assert "it is not a pipe" in outcome.text
    assert (tmp_path / "nagios.cmd").read_text() == "precious"


def test_nobody_reads(tmp_path):
    os.mkfifo(tmp_path / "nagios.cmd")
    outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--verify-timeout", 0.5), within=3)
    assert outcome.code == FAILED
    assert "nobody reads the command pipe" in outcome.text


def test_a_full_pipe(tmp_path):
    os.mkfifo(tmp_path / "nagios.cmd")
    reader = os.open(tmp_path / "nagios.cmd", os.O_RDWR | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(reader, b"x" * 4096)
    outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--verify-timeout", 0.5), within=3)
    assert outcome.code == FAILED
    assert "the command pipe is full" in outcome.text
    os.close(reader)


def test_a_pipe_that_appears_in_time_is_used(tmp_path):
    process = subprocess.Popen(command(*event("CRITICAL"), *nagios(tmp_path)),
                               stdout=subprocess.PIPE)
    os.mkfifo(tmp_path / "nagios.cmd")
    reader = os.open(tmp_path / "nagios.cmd", os.O_RDWR | os.O_NONBLOCK)
    assert process.wait(20) == UNVERIFIED, process.stdout.read()
    assert os.read(reader, 4096).endswith(b"] ENABLE_NOTIFICATIONS\n")
    os.close(reader)


def test_no_permission(tmp_path):
    if os.geteuid() != 0:
        pytest.fail("needs root, to become somebody else")
    os.mkfifo(tmp_path / "nagios.cmd", 0o600)
    for directory in (tmp_path, *tmp_path.parents):
        if str(directory) not in ("/", "/tmp"):
            directory.chmod(directory.stat().st_mode | 0o055)
    outcome = run(*event("CRITICAL"), *nagios(tmp_path), within=3, user=65534)
    assert outcome.code == FAILED
    assert "no permission" in outcome.text


@pytest.mark.parametrize("options", [
    ["--state", "$SERVICESTATE$", "--state-type", "HARD"],
    ["--state", "CRITICAL", "--state-type", "$SERVICESTATETYPE$"],
    ["--state", "CRITICAL\nX", "--state-type", "HARD"],
    ["--state", "CRITICAL", "--state-type", "HARD\r"],
    ["--state", "CRITICAL;1", "--state-type", "HARD"],
    ["--state", "", "--state-type", "HARD"],
    ["--state", "BROKEN", "--state-type", "HARD"],
    ["--state", "CRITICAL", "--state-type", ""],
    ["--state", "CRITICAL", "--state-type", "HARD", "--attempt", "$SERVICEATTEMPT$"],
    ["--state", "CRITICAL", "--state-type", "HARD", "--nonsense"],
    ["--state-type", "HARD"],
])
def test_what_no_engine_says_is_refused_and_nothing_written(engine, tmp_path, options):
    outcome = run(*options, *nagios(tmp_path, "--status-file", engine.status), within=3)
    assert outcome.code == USAGE
    assert outcome.out.count("\n") == 1
    assert engine.lines == []


@pytest.mark.parametrize("state, kind", [("CRITICAL", "SOFT"), ("WARNING", "HARD"),
                                         ("UNKNOWN", "HARD"), ("DOWN", "SOFT")])
def test_other_events_mean_nothing(engine, tmp_path, state, kind):
    outcome = run(*event(state, kind), *nagios(tmp_path), within=3)
    assert (outcome.code, outcome.text) == (DONE, f"nothing to do on {state} {kind}")
    assert engine.lines == []


def test_handlers_for_one_engine_wait_for_each_other(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--state-dir", tmp_path / "state")
    started = [subprocess.Popen(command(*event("CRITICAL"), *options), stdout=subprocess.PIPE)
               for _ in range(5)]
    assert [process.wait(30) for process in started] == [DONE] * 5
    assert engine.words() == ["ENABLE_NOTIFICATIONS"], "the others found it done"
    for process in started:
        process.stdout.close()


def test_a_cold_standby_is_started_verified_and_stopped(tmp_path):
    flag = tmp_path / "running"
    options = ["--engine", "nagios", "--start-command", f"touch '{flag}'",
               "--stop-command", f"rm -f '{flag}'", "--state-dir", tmp_path / "state",
               "--verify-command",
               f"sh -c 'if [ $HA_ROLE = active ]; then test -e {flag}; else test ! -e {flag}; fi'"]
    assert run(*event("DOWN"), *options, within=3).code == DONE
    assert flag.exists()
    assert "already" in run(*event("DOWN"), *options, within=3).text
    back = run(*event("UP"), *options, within=3)
    assert (back.code, flag.exists()) == (DONE, False), back


def test_a_start_command_that_fails_is_told_with_its_words(tmp_path):
    outcome = run(*event("DOWN"), "--engine", "nagios", "--start-command",
                  "sh -c 'echo no licence; exit 7'", within=3)
    assert outcome.code == FAILED
    assert "sh exited with 7: no licence" in outcome.text


def test_a_start_command_that_hangs_ends_with_the_budget(tmp_path):
    outcome = run(*event("DOWN"), "--engine", "nagios", "--start-command", "sleep 60", "-t", 1,
                  within=1.5 + 0.5)
    assert outcome.code == FAILED
    assert "did not end within" in outcome.text


class FakeQueryHandler:
    """Answers each query of Naemon's socket with the same bytes; None: with nothing, ever."""

    def __init__(self, path, answer):
        self.queries = []
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self):
        held = []
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            query = b""
            while not query.endswith(b"\0"):
                query += peer.recv(4096)
            self.queries.append(query)
            if self._answer is None:
                held.append(peer)
            else:
                peer.sendall(self._answer)
                peer.close()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.mark.parametrize("answer, code, told", [
    (b"200: OK\0", DONE, "verified in"),
    (b"400: Unknown command\n\0", FAILED, "400: Unknown command"),
    (b"", FAILED, "answered with ''"),
    (None, FAILED, "no answer in time"),
], ids=["ok", "refused", "empty", "hangs"])
def test_naemon_acknowledges_or_does_not(tmp_path, answer, code, told):
    naemon = FakeQueryHandler(tmp_path / "naemon.qh", answer)
    try:
        outcome = run(*event("CRITICAL"), "--engine", "naemon", "--query-handler",
                      tmp_path / "naemon.qh", "--verify-timeout", 1, within=4)
        assert outcome.code == code, outcome
        assert told in outcome.text
        assert naemon.queries[0].startswith(b"#command run [")
        assert naemon.queries[0].endswith(b"] ENABLE_NOTIFICATIONS\0")
    finally:
        naemon.close()
