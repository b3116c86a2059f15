# SPDX-License-Identifier: MIT
"""Two real Nagios Core as conf-examples/nagios-pair configures them: exactly one is active, whatever
happens to the master, and people are told of each problem once and of its end once."""

import time

import pytest

import plugin
from nagios_pair import ENGINE, NagiosPair
from servers import wait_until

GENEROUS_S = 60.0
ON, OFF = "ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS"


@pytest.fixture(params=[1, 2], ids=["scenario1", "scenario2"])
def pair(request, bench):
    return NagiosPair(bench, plugin.BUILD / "plugins", request.param).start()


def checks_run(node):
    """Return how many checks of the watched service a node has begun by itself."""
    return int(node.program()["active_scheduled_service_check_stats"].split(",")[0])


def lose_and_activate(pair, fault):
    """Break the master; return the seconds until the standby's status file shows it active."""
    begin = time.monotonic()
    fault()
    pair.wait_role(pair.standby, True, GENEROUS_S)
    return time.monotonic() - begin


def handled(pair):
    """Tell whether the handler of the standby's last event has ended: it goes with its Nagios."""
    return ['"done":true' in path.read_text().partition('"by_hand"')[0]
            for path in pair.standby.directory.rglob("engine*.events")] == [True]


def stays(condition, seconds=3.0):
    """Assert that a condition holds and goes on to hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition()
        time.sleep(0.1)


@pytest.mark.parametrize("fault, repair", [("kill", "return_master"), ("stop", "return_master"),
                                           ("freeze", "thaw")])
def test_is_activated_once_and_deactivated(pair, fault, repair, record_property):
    pair.wait_role(pair.master, True)
    pair.wait_role(pair.standby, False)
    assert pair.switches() == []

    seconds = lose_and_activate(pair, getattr(pair.master, fault))
    record_property("seconds_to_notifications_enabled", round(seconds, 1))
    stays(lambda: pair.switches() == [ON])

    (pair.return_master if repair == "return_master" else pair.master.thaw)()
    pair.wait_role(pair.standby, False, GENEROUS_S)
    pair.wait_role(pair.master, True)
    stays(lambda: pair.switches() == [ON, OFF])


def test_a_host_that_is_up_again_without_its_engine_is_no_recovery(pair):
    lose_and_activate(pair, pair.lose_master)
    wait_until(lambda: pair.master_host_is("DOWN"), 60, "a host that is down")
    pair.boot_master()
    wait_until(lambda: pair.master_host_is("UP"), 60, "a host that is up")
    code, output = pair.nrpe.ask("-c", "check_pair_engine")
    assert (code, "HEARTBEAT CRITICAL" in output) == (2, True), output
    if pair.scenario == 1:
        wait_until(lambda: "HEARTBEAT CRITICAL" in pair.standby.service(ENGINE).output, 30,
                   "the standby to see it")
    stays(lambda: pair.switches() == [ON])
    pair.return_master()
    pair.wait_role(pair.standby, False, GENEROUS_S)


def test_people_are_told_once_over_the_whole_circle(pair):
    pair.break_web()
    wait_until(lambda: pair.told() == [("master", "PROBLEM")], 30, "the master to tell")
    assert "OK - took the other node's state" in pair.adopt()

    lose_and_activate(pair, pair.master.kill)
    last_check = int(time.time())
    wait_until(lambda: checked_since(pair.standby, last_check), 30, "the standby to check")
    stays(lambda: pair.told() == [("master", "PROBLEM")])
    pair.repair_web()
    told = [("master", "PROBLEM"), ("standby", "RECOVERY")]
    wait_until(lambda: pair.told() == told, 30, "the standby to tell of the recovery")

    pair.break_web()
    told.append(("standby", "PROBLEM"))
    wait_until(lambda: pair.told() == told, 30, "the standby to tell of a problem")
    assert "OK - starting with the other node's state" in pair.return_master()
    pair.wait_role(pair.standby, False, GENEROUS_S)
    stays(lambda: pair.told() == told)
    pair.repair_web()
    told.append(("master", "RECOVERY"))
    wait_until(lambda: pair.told() == told, 30, "the master to tell of the recovery")
    stays(lambda: pair.told() == told)


def test_without_the_state_people_are_told_twice(bench):
    """What the test before this one would see if nagios-state did nothing."""
    pair = NagiosPair(bench, plugin.BUILD / "plugins", 1).start()
    with open(bench.directory / "etc-standby/nagios-state.conf", "a", encoding="utf-8") as conf:
        conf.write("PEER=false\n")
    assert "does not give its state" in pair.adopt()
    pair.break_web()
    wait_until(lambda: pair.told() == [("master", "PROBLEM")], 30, "the master to tell")
    lose_and_activate(pair, pair.master.kill)
    told = [("master", "PROBLEM"), ("standby", "PROBLEM")]
    wait_until(lambda: pair.told() == told, 30, "the standby to tell")


def checked_since(node, epoch):
    """Tell whether a node has checked the watched service after a time."""
    return any(int(block["last_check"]) > epoch for block in node.blocks("servicestatus")
               if block["service_description"] == "http")


def test_a_problem_that_nobody_was_told_of_is_not_lost(pair):
    pair.master.command("DISABLE_NOTIFICATIONS")
    wait_until(lambda: pair.master.program()["enable_notifications"] == "0")
    pair.break_web()
    wait_until(lambda: pair.watched(pair.master).hard and
               pair.watched(pair.master).state != "OK", 30, "a hard problem")
    assert "the other node is not the active one" in pair.adopt()
    lose_and_activate(pair, pair.master.kill)
    wait_until(lambda: pair.told() == [("standby", "PROBLEM")], 30, "the standby to tell")


def test_standby_restarts_while_it_is_active(pair):
    lose_and_activate(pair, pair.master.kill)
    wait_until(lambda: handled(pair), what="the handler to have seen it")
    # Nagios keeps its flags over a clean restart, and systemd's hook agrees.
    pair.standby.stop()
    pair.standby.start()
    pair.wait_role(pair.standby, True)
    assert "active already" in pair.reassert()
    # After a crash they are lost with the state file; the record is not.
    pair.standby.kill()
    (pair.standby.directory / "retention.dat").unlink(missing_ok=True)
    pair.standby.start()
    assert pair.standby.program()["enable_notifications"] == "0"
    assert "verified" in pair.reassert()
    pair.wait_role(pair.standby, True)

    pair.return_master()
    pair.wait_role(pair.standby, False, GENEROUS_S)


def test_master_returns_while_the_standby_is_down(pair):
    """What was kept over the restart would make two active nodes."""
    lose_and_activate(pair, pair.master.kill)
    pair.standby.stop()
    pair.return_master()
    pair.standby.start()
    pair.reassert()
    pair.wait_role(pair.standby, False, GENEROUS_S)
    pair.wait_role(pair.master, True)


def test_a_silent_standby_of_scenario_2_checks_nothing(bench):
    pair = NagiosPair(bench, plugin.BUILD / "plugins", 2).start()
    assert checks_run(pair.master) > 0
    stays(lambda: checks_run(pair.standby) == 0)


def test_state_is_refused_and_nothing_is_changed(bench):
    pair = NagiosPair(bench, plugin.BUILD / "plugins", 1).start()
    pair.master.kill()
    pair.wait_role(pair.standby, True, GENEROUS_S)
    before = (pair.standby.directory / "retention.dat").stat().st_ino
    assert "this node is the active one" in pair.adopt()
    assert (pair.standby.directory / "retention.dat").stat().st_ino == before
    # One that was begun before takes what it has made away when it gives up its peer.
    wait_until(lambda: not list(pair.standby.directory.glob("retention.dat.*")), 40)
