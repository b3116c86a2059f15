# SPDX-License-Identifier: MIT
"""check_heartbeat where no server is needed: files, processes, options, a mount that hangs."""

import os
import signal
import subprocess
import sys
import time

import pytest

from plugin import path, run, run_raw, run_usage_error
from status_dat import status_dat

HEARTBEAT = "check_heartbeat"


@pytest.fixture
def status(tmp_path):
    """A writer of status files."""
    def write(age_s=0, block="programstatus", notifications=1, options=()):
        file = tmp_path / "status.dat"
        file.write_text(status_dat(age_s, block, notifications))
        return run(HEARTBEAT, "--preset", "status-dat", "--file", file, *options)
    return write


@pytest.mark.parametrize("block", ["program", "programstatus"])
def test_status_dat(status, block):
    outcome = status(block=block)
    assert outcome.state == "OK"
    assert "notifications enabled" in outcome.text
    assert "notifications disabled" in status(block=block, notifications=0).text
    assert status(100, block).state == "WARNING"
    outcome = status(200, block)
    assert outcome.state == "CRITICAL"
    assert (outcome.perfdata["age"].warning, outcome.perfdata["age"].critical) == ("90", "180")
    assert status(-60, block).state == "UNKNOWN"


def test_status_dat_that_is_none(tmp_path):
    file = tmp_path / "status.dat"
    options = ["--preset", "status-dat", "--file", file]
    outcome = run(HEARTBEAT, *options)
    assert outcome.state == "CRITICAL" and "stopped cleanly" in outcome.text
    for content in ("", "info {\n\tcreated=1\n", "\0" * 4096, "x" * 200000):
        file.write_text(content)
        assert run(HEARTBEAT, *options).state == "UNKNOWN"
    file.unlink()
    file.mkdir()
    assert run(HEARTBEAT, *options).state == "UNKNOWN"


def test_file(tmp_path):
    file = tmp_path / "beat"
    options = ["--preset", "file", "--file", file, "-w", "30", "-c", "60"]
    assert run(HEARTBEAT, *options).state == "CRITICAL"
    for age, state in ((0, "OK"), (40, "WARNING"), (100, "CRITICAL"), (-100, "UNKNOWN")):
        file.touch()
        os.utime(file, (time.time() - age,) * 2)
        assert run(HEARTBEAT, *options).state == state, age


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    outcome = run(HEARTBEAT, "--preset", "file", "--file", tmp_path / "pipe", "-w", "1", "-c", "2")
    assert outcome.state == "UNKNOWN"
    assert outcome.seconds < 2


def test_process(tmp_path):
    file = tmp_path / "beat"
    file.touch()
    options = ["--preset", "file", "--file", file, "-w", "3000", "-c", "6000"]
    engine = tmp_path / "engine-of-this-test"
    engine.symlink_to("/bin/sleep")
    pattern = f"^{engine} (59|60)$"
    assert run(HEARTBEAT, *options, "--process", pattern).state == "CRITICAL"
    process = subprocess.Popen([engine, "60"])
    try:
        outcome = run(HEARTBEAT, *options, "--process", pattern)
        assert outcome.state == "OK" and str(process.pid) in outcome.text
        assert run(HEARTBEAT, *options, "--process", f"^{engine} 5").state == "CRITICAL"
    finally:
        process.kill()
        process.wait()
    assert run(HEARTBEAT, *options, "--process", pattern).state == "CRITICAL"


def test_a_process_that_may_be_hidden_is_not_missing(tmp_path):
    """Of a /proc that shows us only our own processes (hidepid=2)."""
    program = os.open(path(HEARTBEAT), os.O_RDONLY)
    os.set_inheritable(program, True)
    inside = ("mount -t proc -o hidepid=$1 proc /proc && shift && "
              "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"")

    def check(hidepid, pattern):
        return run_raw(["unshare", "--mount", "sh", "-c", inside, "sh", hidepid,
                        f"/proc/self/fd/{program}", "--preset", "file", "--file", "/etc/passwd",
                        "-w", "1e9", "-c", "1e9", "--process", pattern], pass_fds=[program])
    try:
        for hidepid in ("1", "2"):
            outcome = check(hidepid, "no such process")
            assert outcome.state == "UNKNOWN", outcome.out
            assert "hidepid" in outcome.text and "'no such process'" in outcome.text
        assert check("0", "no such process").state == "CRITICAL"
    finally:
        os.close(program)


@pytest.fixture
def daemons():
    """A starter of processes that each lead a session, and of what they leave behind there."""
    processes = []

    def start(*words, **arguments):
        processes.append(subprocess.Popen(words, start_new_session=True, **arguments))
        return processes[-1]
    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def written_by(tmp_path):
    """Check a status file that names a process as its writer."""
    def check(process, *options):
        file = tmp_path / "status.dat"
        file.write_text(status_dat().replace("4711", str(process.pid)))
        return run(HEARTBEAT, "--preset", "status-dat", "--file", file, *options)
    return check


def test_two_daemons_that_write_one_status_file(tmp_path, daemons, written_by):
    first, second = daemons("sleep", "60", "1"), daemons("sleep", "60", "2")
    remembering = "--state-dir", tmp_path / "state"
    assert written_by(first).state == "OK"
    assert written_by(first, *remembering).state == "OK"
    for _ in range(2):
        outcome = written_by(second, *remembering)
        assert outcome.state == "WARNING", outcome.out
        assert f"{first.pid} and {second.pid} write the status file" in outcome.text
    first.kill()
    first.wait()
    assert written_by(second, *remembering).state == "OK", "one has ended"

    config = tmp_path / "nagios.cfg"
    config.touch()
    one, other = daemons("tail", "-f", config), daemons("tail", "-f", config)
    outcome = written_by(one)
    assert outcome.state == "WARNING" and str(other.pid) in outcome.text, outcome.out


# The helper's parent has ended and init has adopted it, as Nagios 2 and 3 leave it.
FORKS_TWICE = """import os, time
child = os.fork()
if child == 0:
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.waitpid(child, 0)
time.sleep(60)
"""


def test_what_a_daemon_leaves_to_init_is_no_second_daemon(tmp_path, daemons, written_by):
    program = tmp_path / "nagios.py"
    program.write_text(FORKS_TWICE)
    command = [sys.executable, program]
    daemon = daemons(*command, stdout=subprocess.PIPE)
    assert int(daemon.stdout.readline()) != daemon.pid
    assert written_by(daemon).state == "OK"
    second = daemons(*command, stdout=subprocess.PIPE)
    assert int(second.stdout.readline()) != second.pid
    outcome = written_by(daemon)
    assert f"processes {daemon.pid} and {second.pid} run on the same" in outcome.text, "the oldest"


def test_a_program_of_another_user_is_no_second_daemon(daemons, written_by):
    command = ["tail", "-f", "/etc/passwd"]
    daemon = daemons(*command)
    daemons(*command, user=65534)
    assert written_by(daemon).state == "OK"


def test_a_writer_on_another_machine_is_no_process_of_this_one(tmp_path, daemons, written_by):
    remembering = "--state-dir", tmp_path / "state"
    for process in daemons("sleep", "60"), daemons("tail", "-f", "/etc/passwd"):
        assert written_by(process, *remembering).state == "OK"


def test_a_memory_that_cannot_be_had_does_not_hide_a_dead_engine(tmp_path, status):
    (tmp_path / "file").touch()
    options = "--state-dir", tmp_path / "file"
    for age_s, state in ((0, "UNKNOWN"), (100, "WARNING"), (200, "CRITICAL")):
        outcome = status(age_s, options=options)
        assert outcome.state == state, outcome.out
        assert "heartbeat" in outcome.text and "; --state-dir: " in outcome.text, outcome.out
    assert "age" in outcome.perfdata


def test_neither_we_nor_our_ancestors_count_as_the_process(tmp_path):
    file = tmp_path / "beat"
    file.touch()
    command = (f"{path(HEARTBEAT)} --preset file --file {file} -w 3000 -c 6000 "
               f"--process only-in-this-command-line; exit $?")
    outcome = run_raw(["sh", "-c", f"sh -c '{command}'; exit $?"])
    assert outcome.code == 2, outcome.out


def test_usage_errors():
    for options, word in (([], "--preset"), (["--preset", "nagios"], "nagios1"),
                          (["--preset", "file", "--file", "/x"], "--warning"),
                          (["--preset", "sql", "-w", "1", "-c", "2"], "--query"),
                          (["--preset", "status-dat"], "--file"),
                          (["--preset", "icinga2-api", "--api", "https://x"], "--api-credentials"),
                          (["--preset", "zabbix", "--instance", "x"], "--instance"),
                          (["--preset", "ndo", "--process", "("], "--process")):
        assert word in run_usage_error(HEARTBEAT, *options), options


def test_api_that_is_not_there(tmp_path):
    credentials = tmp_path / "api.conf"
    credentials.write_text("username=x\npassword=y\n")
    options = ["--preset", "icinga2-api", "--api-credentials", credentials]
    assert run(HEARTBEAT, *options, "--api", "https://127.0.0.1:1").state == "CRITICAL"
    assert run(HEARTBEAT, *options, "--api", "http://127.0.0.1:1").state == "UNKNOWN"
    credentials.write_text("nonsense\n")
    assert run(HEARTBEAT, *options, "--api", "https://127.0.0.1:1").state == "UNKNOWN"
