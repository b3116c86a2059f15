# SPDX-License-Identifier: MIT
"""handle_engine_failover switches a real Nagios Core and a real Icinga 2, and is not fooled by one
that is dead, hangs or restarts."""

import os
import signal
import subprocess
import time

import pytest

import plugin
from certificates import Authority
from engine_handler import DONE, FAILED, UNVERIFIED, command, event, run
from icinga2 import Icinga2
from nagios import Nagios
from servers import wait_until

FLAGS = ("enable_notifications", "active_service_checks_enabled", "active_host_checks_enabled")
STANDBY = {"enable_notifications": 0, "execute_service_checks": 0, "execute_host_checks": 0}
HOSTS = """\
define host {
    use                 generic-host
    host_name           monitoring1
    address             127.0.0.1
    contact_groups      admins
    max_check_attempts  3
}
define service {
    use                  generic-service
    host_name            monitoring1
    service_description  Anything
    check_command        check-host-alive
    check_interval       1
    retry_interval       1
    max_check_attempts   3
}
"""


@pytest.fixture
def standby(bench):
    """A Nagios that neither notifies nor checks."""
    return bench.add(Nagios(bench.directory / "standby", plugin.BUILD / "plugins", [], HOSTS,
                            settings={**STANDBY, "use_retained_program_state": 1})).start()


def flags(nagios):
    """Return (notifications, service checks, host checks) by status.dat."""
    return tuple(int(nagios.program()[name]) for name in FLAGS)


def options(nagios, *more):
    return ["--engine", "nagios", "--command-file", nagios.command_file,
            "--status-file", nagios.status_file, *more]


@pytest.mark.parametrize("scope, active", [("notifications", (1, 0, 0)), ("checks", (0, 1, 1)),
                                           ("all", (1, 1, 1))])
def test_both_directions_are_verified(standby, scope, active):
    assert flags(standby) == (0, 0, 0)
    over = run(*event("CRITICAL"), *options(standby, "--scope", scope), within=10)
    assert over.code == DONE, over
    assert flags(standby) == active, "verified means that it is so now"
    back = run(*event("OK"), *options(standby, "--scope", scope), within=10)
    assert back.code == DONE, back
    assert flags(standby) == (0, 0, 0)
    assert "External command" not in standby.log.read_text().replace("EXTERNAL COMMAND", "")


def test_the_role_survives_a_restart_and_is_given_back(standby, tmp_path):
    more = options(standby, "--scope", "all", "--state-dir", tmp_path / "state")
    assert run(*event("DOWN"), *more).code == DONE
    standby.stop()
    standby.start()
    again = run("--reassert", *more, within=10)
    assert again.code == DONE, again
    assert flags(standby) == (1, 1, 1)
    assert run(*event("UP"), *more).code == DONE
    assert flags(standby) == (0, 0, 0)
    standby.command("ENABLE_NOTIFICATIONS")
    wait_until(lambda: flags(standby) == (1, 0, 0), what="what an administrator wants")
    assert "no activation is on record" in run(*event("UP"), *more).text
    assert flags(standby) == (1, 0, 0)


def test_an_engine_that_hangs_takes_commands_but_is_not_believed(standby):
    standby.freeze()
    outcome = run(*event("CRITICAL"), *options(standby, "--verify-timeout", 2), within=6)
    assert outcome.code == UNVERIFIED, outcome
    assert "has not been written since" in outcome.text
    standby.thaw()
    wait_until(lambda: flags(standby) == (1, 0, 0), what="the command to be carried out late")


def test_an_engine_that_is_dead_is_told_at_once(standby):
    standby.kill()
    outcome = run(*event("CRITICAL"), *options(standby, "--verify-timeout", 1), within=4)
    assert outcome.code == FAILED, outcome
    assert "no process reads the command pipe" in outcome.text


def test_a_pipe_that_fills_up_behind_a_dead_worker_does_not_hold_us(standby):
    standby.freeze()
    for pid in _children(standby.process.pid):
        os.kill(int(pid), signal.SIGSTOP)
    for length in (4000, 0):  # Short ones last, for what room a long one leaves.
        with pytest.raises(BlockingIOError):
            for _ in range(5000):
                standby.command("UNKNOWN_COMMAND;" + "x" * length)
    outcome = run(*event("CRITICAL"), *options(standby, "--verify-timeout", 1), within=4)
    assert outcome.code == FAILED, outcome
    assert "the command pipe is full" in outcome.text


def _children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


def test_an_engine_that_restarts_during_the_activation(standby):
    standby.kill()
    handler = subprocess.Popen([*command(*event("CRITICAL"), *options(standby))],
                               stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)  # It finds nobody who reads; whether it has looked yet does not matter.
    assert handler.poll() is None
    standby.start()
    output, _ = handler.communicate(timeout=30)
    assert handler.returncode == DONE, output
    assert flags(standby) == (1, 0, 0)


def test_two_events_at_once_make_one_activation(standby, tmp_path):
    more = options(standby, "--state-dir", tmp_path / "state")
    handlers = [subprocess.Popen(command(*event(state), *more), stdout=subprocess.PIPE, text=True)
                for state in ("CRITICAL", "DOWN")]
    outputs = [handler.communicate(timeout=40)[0] for handler in handlers]
    assert [handler.returncode for handler in handlers] == [DONE, DONE], outputs
    assert flags(standby) == (1, 0, 0)
    assert sum("verified in" in output for output in outputs) == 1, outputs
    assert sum("already" in output or "superseded by" in output for output in outputs) == 1, outputs


@pytest.mark.parametrize("remembers", [False, True], ids=["", "state-dir"])
def test_the_newest_of_two_events_wins_however_late_the_status_is(bench, tmp_path, remembers):
    late = bench.add(Nagios(bench.directory / "late", plugin.BUILD / "plugins", [], HOSTS,
                            settings={**STANDBY, "status_update_interval": 5})).start()
    more = options(late, *(["--state-dir", tmp_path / "state"] if remembers else []))
    over = subprocess.Popen(command(*event("CRITICAL"), *more), stdout=subprocess.PIPE, text=True)
    wait_until(lambda: "ENABLE_NOTIFICATIONS" in late.log.read_text(), what="the first command")
    back = run(*event("OK"), *more, within=15)
    assert back.code == DONE and "verified" in back.text, back
    assert flags(late) == (0, 0, 0)
    output, _ = over.communicate(timeout=20)
    assert (over.returncode, "superseded by deactivation on OK HARD" in output) == (DONE, True), output


def test_a_cold_standby_is_started_and_stopped(bench, tmp_path):
    nagios = bench.add(Nagios(bench.directory / "cold", plugin.BUILD / "plugins", [], HOSTS))
    nagios.start()
    begin = nagios.process.args
    nagios.stop()
    pid_file = nagios.directory / "nagios.pid"
    daemon = [*begin[begin.index("--") + 1:-1], "-d", begin[-1]]
    stop = f"sh -c 'kill $(cat {pid_file})'"
    cold = ["--engine", "nagios", "--status-file", nagios.status_file,
            "--state-dir", tmp_path / "state",
            "--start-command", " ".join(str(word) for word in daemon), "--stop-command", stop]
    try:
        over = run(*event("DOWN"), *cold, within=15)
        assert over.code == DONE, over
        assert flags(nagios)[0] == 1
        back = run(*event("UP"), *cold, within=15)
        assert back.code == DONE, back
        assert not nagios.status_file.exists()
    finally:
        subprocess.run(["sh", "-c", f"kill -9 $(cat {pid_file} 2>/dev/null) 2>/dev/null"])


ICINGA = """\
const NodeName = "node2"
const ZoneName = NodeName
object ApiListener "api" {{
  bind_host = "127.0.0.1"
  bind_port = {port}
}}
object ApiUser "ha" {{
  password = "secret"
  permissions = [ "status/query", "objects/modify/IcingaApplication" ]
}}
object ApiUser "reader" {{
  password = "secret"
  permissions = [ "status/query" ]
}}
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
"""


@pytest.fixture
def icinga(bench, tmp_path):
    """Return the options that reach a real Icinga 2 whose certificate carries its node's name."""
    port = bench.free_port()
    node = Icinga2(bench.directory / "icinga2", ICINGA.format(port=port))
    certificate = Authority(tmp_path).issue("node2", ["node2"])
    directory = bench.directory / "icinga2/certs"
    directory.mkdir()
    for source, name in ((certificate.ca, "ca.crt"), (certificate.cert, "node2.crt"),
                         (certificate.key, "node2.key")):
        (directory / name).write_bytes(source.read_bytes())
    bench.add(node).start()

    def of(user="ha", password="secret"):
        file = tmp_path / user
        file.write_text(f"username={user}\npassword={password}\n")
        return ["--engine", "icinga2", "--api", f"https://127.0.0.1:{port}", "--api-credentials",
                file, "--ca-cert", certificate.ca, "--api-server-name", "node2"]
    # All is on after a start, so there is nothing to do once the API answers.
    wait_until(lambda: "already" in run(*event("DOWN"), *of(), "--dry-run").text, 60, "the API")
    return of


def test_icinga2_both_directions(icinga):
    for state, word in (("OK", "off"), ("CRITICAL", "on")):
        outcome = run(*event(state), *icinga(), "--scope", "all", within=10)
        assert outcome.code == DONE, outcome
        assert word in outcome.text and "verified" in outcome.text
        again = run(*event(state), *icinga(), "--scope", "all", within=10)
        assert (again.code, "already" in again.text) == (DONE, True), again


def test_icinga2_refuses_by_name(icinga):
    wrong = run(*event("OK"), *icinga(password="wrong"), within=10)
    assert wrong.code == FAILED
    assert "access denied" in wrong.text
    reader = run(*event("OK"), *icinga("reader"), within=10)
    assert reader.code == FAILED
    assert "objects/modify/IcingaApplication" in reader.text
