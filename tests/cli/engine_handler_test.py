# SPDX-License-Identifier: MIT
"""handle_engine_failover against command pipes, sockets, status files and commands that misbehave."""

import concurrent.futures
import fcntl
import os
import pwd
import random
import re
import shlex
import select
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from engine_handler import DONE, FAILED, RUNTIME, UNVERIFIED, USAGE, command, event, run

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

    def __init__(self, directory, obeys=True, deaf_to=0, every=0.1):
        """every: the seconds between two status files."""
        self.pipe = directory / "nagios.cmd"
        self.status = directory / "status.dat"
        self.flags = {"notifications": 0, "checks": 0}
        self.lines = []
        self.obeys, self.deaf_to, self.every = obeys, deaf_to, every
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
        due = time.monotonic() + self.every
        while not self._stop.is_set():
            if select.select([self._fd], [], [], min(0.1, self.every))[0]:
                for line in os.read(self._fd, 65536).decode().splitlines():
                    self._take(line)
            if self.obeys and time.monotonic() >= due:
                self.publish()
                due += self.every

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


def test_an_activation_is_verified_and_a_second_one_writes_nothing(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--scope", "all")
    first = run(*event("CRITICAL"), *options, within=5)
    assert first.code == DONE, first
    assert engine.words() == ["START_EXECUTING_SVC_CHECKS", "START_EXECUTING_HOST_CHECKS",
                              "ENABLE_NOTIFICATIONS"]
    assert "verified in" in first.text
    second = run(*event("DOWN"), *options, within=5)
    assert second.code == DONE
    assert second.text == "activation on DOWN HARD: the engine is active already"
    assert len(engine.lines) == 3
    back = run(*event("UP"), *options, within=5)
    assert back.code == DONE
    assert engine.words()[3:] == ["DISABLE_NOTIFICATIONS", "STOP_EXECUTING_HOST_CHECKS",
                                  "STOP_EXECUTING_SVC_CHECKS"]


def test_two_engines_that_write_one_status_file_verify_nothing(engine, tmp_path):
    """Each command reaches one of them, and each look shows one of them."""
    config = tmp_path / "nagios.cfg"
    config.touch()
    daemons = [subprocess.Popen(["tail", "-f", config], stderr=subprocess.DEVNULL,
                                start_new_session=True) for _ in range(2)]
    engine.pid = daemons[0].pid
    engine.publish()
    try:
        outcome = run(*event("CRITICAL"), *nagios(tmp_path, "--status-file", engine.status,
                                                  "--verify-timeout", 1), within=4)
        assert outcome.code == UNVERIFIED, outcome
        assert f"processes {daemons[0].pid} and {daemons[1].pid}" in outcome.text
        again = run(*event("CRITICAL"), *nagios(tmp_path, "--status-file", engine.status,
                                                "--verify-timeout", 1), within=4)
        assert again.code == UNVERIFIED, "the flags that it shows may be the other one's"
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.wait()


def test_a_deactivation_undoes_only_an_activation_on_record(engine, tmp_path):
    options = nagios(tmp_path, "--status-file", engine.status, "--state-dir", tmp_path / "state")
    engine.flags["notifications"] = 1  # by an administrator
    none = run(*event("OK"), *options, within=5)
    assert (none.code, engine.lines) == (DONE, []), none
    assert "no activation is on record" in none.text
    engine.flags["notifications"] = 0
    engine.publish()
    assert run(*event("CRITICAL"), *options, within=5).code == DONE
    assert run(*event("OK"), *options, within=5).code == DONE
    assert engine.words() == ["ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS"]
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_an_activation_that_was_not_answered_is_undone_too(tmp_path):
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
    assert "no process reads the command pipe" in outcome.text


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


def test_no_permission(public_directory):
    if os.geteuid() != 0:
        pytest.fail("needs root, to become another user")
    os.mkfifo(public_directory / "nagios.cmd", 0o600)
    outcome = run(*event("CRITICAL"), *nagios(public_directory), within=3, user=65534)
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


@pytest.fixture
def engines(tmp_path):
    """Return a function that starts a fake engine in a directory of its own."""
    started = []

    def start(name="engine", **settings):
        (tmp_path / name).mkdir()
        started.append(FakeEngine(tmp_path / name, **settings))
        return started[-1]
    yield start
    for fake in started:
        fake.close()


def begin(state, *options):
    """Start a handler without waiting for it."""
    return subprocess.Popen(command(*event(state), *options), stdout=subprocess.PIPE, text=True)


def end(process):
    """Return (exit code, first line without the program's name) of a handler."""
    output, _ = process.communicate(timeout=60)
    return process.returncode, output.splitlines()[0].removeprefix("handle_engine_failover: ")


def is_registered(process, fake=None, directory=None):
    """True once a handler has entered the queue of its engine."""
    places = [directory] if directory else [fake.pipe.parent / "state",
                                            Path(RUNTIME.format(os.geteuid()))]
    return any(f'"pid":{process.pid},' in path.read_text()
               for place in places for path in place.glob("*.events"))


def options_for(fake, *more, remembers=False):
    """Return the options that reach a fake engine."""
    kept = ["--state-dir", fake.pipe.parent / "state"] if remembers else []
    return nagios(fake.pipe.parent, "--status-file", fake.status, *kept, *more)


@pytest.mark.parametrize("remembers", [False, True], ids=["", "state-dir"])
def test_a_status_older_than_another_handlers_command_proves_nothing(engines, remembers):
    fake = engines(every=1.5)
    options = options_for(fake, remembers=remembers)
    over = begin("CRITICAL", *options)
    wait(lambda: fake.lines)
    back = run(*event("OK"), *options, within=8)
    assert back.code == DONE and "verified" in back.text, back
    assert end(over) == (DONE, "activation on CRITICAL HARD: superseded by deactivation on OK HARD")
    assert (fake.words()[-1], fake.flags["notifications"]) == ("DISABLE_NOTIFICATIONS", 0)


@pytest.mark.parametrize("remembers", [False, True], ids=["", "state-dir"])
def test_a_status_older_than_a_persons_command_proves_nothing(engines, remembers):
    fake = engines(every=60)
    fake.flags["notifications"] = 1
    fake.publish()
    fake.flags["notifications"] = 0  # by hand, and the status does not show it yet
    process = begin("CRITICAL", *options_for(fake, remembers=remembers))
    wait(lambda: is_registered(process, fake))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    assert fake.lines == [], "it waits for a status"
    fake.publish()
    wait(lambda: fake.flags["notifications"])
    time.sleep(2.1 - time.time() % 1)  # into a later second than the command's end
    fake.publish()
    code, text = end(process)
    assert (code, "verified" in text) == (DONE, True), text


def test_a_verify_command_that_reads_an_old_status_proves_nothing_before_a_command(engines):
    fake = engines(every=1)
    fake.flags["notifications"] = 1
    outcome = run(*event("CRITICAL"), *nagios(fake.pipe.parent), "--verify-command", "true", within=5)
    assert outcome.code == DONE and "verified" in outcome.text, outcome
    wait(lambda: fake.words() == ["ENABLE_NOTIFICATIONS"])


def test_an_engine_that_reads_its_pipe_now_and_then_is_always_told(engines):
    fake = engines(every=0.2)
    fake.flags["notifications"] = 1
    wait(lambda: "enable_notifications=1" in fake.status.read_text())
    outcome = run(*event("CRITICAL"), *options_for(fake), "--engine", "icinga1", within=8)
    assert outcome.code == DONE and "verified" in outcome.text, outcome
    assert fake.words() == ["ENABLE_NOTIFICATIONS"]


def flap(fake, options, seed):
    """Start handlers for a few events at random moments; return what they said when the last
    event's role is not the engine's in the end."""
    chance = random.Random(seed)
    states = [chance.choice(["CRITICAL", "OK"]) for _ in range(chance.randint(3, 5))]
    started = []
    for state in states:
        started.append(begin(state, *options))
        time.sleep(chance.choice([0, 0, 0, 0.02, 0.3]))
    said = [end(process) for process in started]
    wanted = int(states[-1] == "CRITICAL")
    time.sleep(0.3)  # for a line that is in the pipe
    return [] if (fake.flags["notifications"], said[-1][0]) == (wanted, DONE) else said


def test_the_last_event_decides_in_whatever_order_its_handlers_run(engines):
    def engine_of(number):
        fake = engines(f"engine{number}", every=0.2)
        options = options_for(fake, remembers=number % 2 == 1)
        return [said for turn in range(4) if (said := flap(fake, options, 10 * number + turn))]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        wrong = [said for of_engine in pool.map(engine_of, range(6)) for said in of_engine]
    assert wrong == []


@pytest.mark.parametrize("remembers", [False, True], ids=["", "state-dir"])
def test_who_waits_is_superseded_at_once(engines, remembers):
    fake = engines(obeys=False)  # nothing is ever seen
    options = options_for(fake, "--verify-timeout", 20, remembers=remembers)
    holder = begin("DOWN", *options)
    wait(lambda: fake.lines)
    waiting = begin("CRITICAL", *options)  # of the same role, so the first goes on
    time.sleep(0.5)
    assert holder.poll() is None
    last = begin("UP", *options)
    for process, title in ((holder, "activation on DOWN HARD"),
                           (waiting, "activation on CRITICAL HARD")):
        assert process.wait(12) == DONE
        assert end(process) == (DONE, f"{title}: superseded by deactivation on UP HARD")
    wait(lambda: fake.words()[-1] == "DISABLE_NOTIFICATIONS")
    last.kill()
    last.communicate()


def test_who_cannot_register_on_a_full_disk_acts_after_who_is_at_work(engines):
    fake = engines(obeys=False)  # nothing is ever seen
    options = options_for(fake, remembers=True)
    over = begin("CRITICAL", *options, "--verify-timeout", 30, "-t", 60)
    wait(lambda: fake.lines)
    events, = (fake.pipe.parent / "state").glob("*.events")
    events.unlink()
    events.mkdir()  # cannot be replaced
    back = begin("OK", *options, "--verify-timeout", 0.2, "-t", 30)
    wait(lambda: is_registered(back, directory=Path(RUNTIME.format(os.geteuid()))))
    with pytest.raises(subprocess.TimeoutExpired):
        back.wait(1)
    assert (over.poll(), fake.words()) == (None, ["ENABLE_NOTIFICATIONS"])
    over.kill()
    over.communicate()
    assert end(back)[0] == UNVERIFIED
    wait(lambda: fake.words() == ["ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS"])


def test_a_deactivation_that_may_do_nothing_does_not_supersede_the_role_on_record(engines):
    fake = engines(every=0.2)
    options = options_for(fake, remembers=True)
    assert run("--activate", *options).code == DONE
    fake.obeys = False
    fake.flags["notifications"] = 0  # restarted from its configuration
    fake.status.unlink()
    reassert = subprocess.Popen(command("--reassert", *options), stdout=subprocess.PIPE, text=True)
    wait(lambda: has_turn(fake))
    back = begin("OK", *options)
    wait(lambda: is_registered(back, fake))
    fake.obeys = True
    code, text = end(reassert)
    assert (code, "verified" in text, fake.flags["notifications"]) == (DONE, True, 1), text
    code, text = end(back)
    assert (code, "it was activated by hand" in text, fake.flags["notifications"]) == (DONE, True, 1)


def has_turn(fake):
    """True while a handler has the turn in the state directory."""
    for path in (fake.pipe.parent / "state").glob("*[!s].lock"):
        with open(path, encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def test_what_cannot_be_verified_is_undone_once(engines):
    fake = engines()
    options = nagios(fake.pipe.parent, "--state-dir", fake.pipe.parent / "state")
    assert [run(*event(state), *options, within=4).code for state in ("CRITICAL", "OK")] == [
        UNVERIFIED] * 2
    again = run(*event("OK"), *options, within=4)
    assert (again.code, "no activation is on record" in again.text) == (DONE, True), again
    assert fake.words() == ["ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS"]


def test_a_damaged_record_is_replaced_by_what_a_person_decides(engines):
    fake = engines(every=0.2)
    options = options_for(fake, remembers=True)
    assert run(*event("CRITICAL"), *options).code == DONE
    record, = (fake.pipe.parent / "state").glob("*.json")
    record.write_text("{")
    back = run(*event("OK"), *options, within=5)
    whole = shlex.join(command(*options))
    assert (back.code, back.text) == (
        FAILED, f"deactivation on OK HARD failed: {record}: the record of the role is damaged; to set the "
        f"role and replace the record, run: {whole} --deactivate (or {whole} --activate)")
    dry = run("--deactivate", *options, "--dry-run", within=5)
    assert (dry.code, record.read_text()) == (DONE, "{"), dry
    assert run("--deactivate", *options, within=8).code == DONE
    assert fake.flags["notifications"] == 0
    assert run(*event("OK"), *options, within=5).code == DONE
    record.write_text("{")
    assert run("--deactivate", *options, within=8).code == DONE, "it stands by already"
    assert run(*event("OK"), *options, within=5).code == DONE


def cold(directory):
    """Return the options of a cold standby that takes its time to start."""
    flag = directory / "running"
    return flag, ["--engine", "nagios",
                  "--start-command", f"sh -c 'touch {flag}.begun; sleep 2; touch {flag}'",
                  "--stop-command", f"rm -f '{flag}'", "--verify-command",
                  f"sh -c 'if [ $HA_ROLE = active ]; then test -e {flag}; else test ! -e {flag}; fi'"]


def test_an_event_whose_handler_was_killed_while_it_waited_is_carried_out(tmp_path):
    flag, options = cold(tmp_path)
    options += ["--state-dir", tmp_path / "state"]

    def registered(process):
        return is_registered(process, directory=tmp_path / "state")
    over = begin("CRITICAL", *options)
    wait(Path(f"{flag}.begun").exists)
    back = begin("OK", *options)
    wait(lambda: registered(back))
    assert not flag.exists(), "the first one is at work"
    back.kill()
    back.communicate()
    code, text = end(over)
    assert (code, flag.exists()) == (DONE, False), text
    assert "; then deactivation on OK HARD: engine stopped, verified in" in text


def test_a_deactivation_that_failed_is_not_undone_by_the_next_start(engines):
    fake = engines()
    options = options_for(fake, remembers=True)
    assert run(*event("CRITICAL"), *options).code == DONE
    fake.pipe.rename(fake.pipe.with_suffix(".away"))
    assert run(*event("OK"), *options, "--verify-timeout", 0.3).code == FAILED
    fake.pipe.with_suffix(".away").rename(fake.pipe)
    again = run("--reassert", *options)
    assert (again.code, fake.flags["notifications"]) == (DONE, 0), again
    assert again.text.startswith("deactivation on OK HARD: notifications off"), again


def test_handlers_that_cannot_be_kept_apart_act_and_say_so(public_directory):
    fake = FakeEngine(public_directory, every=0.2)
    fake.pipe.chmod(0o666)
    another_user = 64999
    place = RUNTIME.format(another_user)
    os.mkdir(place)  # It is root's, or another user's, who may give it back at any moment.
    try:
        outcome = run(*event("CRITICAL"), *options_for(fake), within=6, user=another_user)
    finally:
        os.rmdir(place)
        fake.close()
    assert outcome.code == UNVERIFIED and fake.flags["notifications"] == 1, outcome
    assert outcome.text.endswith(
        f"; not kept apart from other handlers: {place} is no private directory of user {another_user}; "
        f"run as root: rm -r {place}, or give --state-dir"), outcome


def test_a_persons_decision_is_recorded_and_stays(engines):
    fake = engines()
    options = options_for(fake, remembers=True)
    by_hand = run("--activate", *options, within=5, env={"SUDO_USER": "anna"})
    assert by_hand.code == DONE and fake.flags["notifications"] == 1, by_hand
    assert by_hand.text.startswith("activation by hand: notifications on, verified in")
    assert "already" in run(*event("CRITICAL"), *options).text
    back = run(*event("OK"), *options)
    assert (back.code, fake.flags["notifications"]) == (DONE, 1)
    audited = Path("/proc/self/loginuid")  # Kernels without audit have none.
    login = int(audited.read_text(encoding="ascii")) if audited.exists() else 2**32 - 1
    told = re.fullmatch(r"deactivation on OK HARD: it was activated by hand \(by (.+), \d{4}-\d\d-\d\d "
                        r"\d\d:\d\d\), so it stays active; to end that, run: (.*)", back.text)
    assert told, back
    assert told[1] == (pwd.getpwuid(login).pw_name if login != 2**32 - 1 else "anna")
    off = subprocess.run(told[2], shell=True, capture_output=True, timeout=20)
    assert (off.returncode, fake.flags["notifications"]) == (DONE, 0), off
    assert off.stdout.startswith(b"handle_engine_failover: deactivation by hand"), off
    assert run(*event("CRITICAL"), *options).code == DONE, "the next problem activates it"
    assert run(*event("OK"), *options).code == DONE
    assert fake.flags["notifications"] == 0


@pytest.mark.parametrize("role, by_hand, told", [
    ("active", 0, "activation again, by the record: notifications on, verified in {}s; this undoes what "
     "was switched by hand or lost in a restart: notifications were off (to keep that, run: "
     "{} --deactivate)"),
    ("standby", 1, "deactivation again, by the record: notifications off, verified in {}s; this undoes "
     "what was switched by hand or lost in a restart: notifications were on (to keep that, run: "
     "{} --activate)"),
])
def test_what_is_undone_by_the_record_is_told(engines, role, by_hand, told):
    fake = engines(every=0.2)
    options = options_for(fake, remembers=True)
    if role == "active":
        assert run(*event("CRITICAL"), *options).code == DONE
    fake.flags["notifications"] = by_hand
    again = run("--reassert", *options, within=8)
    assert again.code == DONE
    before, between, after = told.split("{}")
    whole = shlex.join(command(*options))
    assert again.text.startswith(before) and again.text.endswith(between + whole + after), again


def test_the_role_on_record_waits_for_what_a_starting_engine_shows(engines):
    fake = engines(every=60)
    fake.flags["notifications"] = 1  # retained over the restart
    fake.status.unlink()
    process = subprocess.Popen(command("--reassert", *options_for(fake, remembers=True)),
                               stdout=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    assert fake.lines == []
    fake.publish()
    wait(lambda: fake.words() == ["DISABLE_NOTIFICATIONS"] and not fake.flags["notifications"])
    time.sleep(1.1)  # into another second than the command's
    fake.publish()
    code, text = end(process)
    assert (code, "notifications were on" in text) == (DONE, True), text


def test_a_late_status_does_not_make_an_administrators_flag_ours(engines):
    fake = engines(every=60)
    fake.flags["notifications"] = 1  # by an administrator
    fake.publish(created=int(time.time()) - 40)
    options = options_for(fake, "--verify-timeout", 0.5, remembers=True)
    over = run(*event("CRITICAL"), *options, within=4)
    assert over.code == UNVERIFIED, over
    back = run(*event("OK"), *options, within=4)
    assert "changed nothing" in back.text, back
    assert "DISABLE_NOTIFICATIONS" not in fake.words()


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
