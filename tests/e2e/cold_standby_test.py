# SPDX-License-Identifier: MIT
"""The guard of conf-examples/cold-standby starts a stopped Nagios on the standby when the master's is
dead, with its event log and its state, and is silent afterwards."""

import re
import shlex

import pytest

import plugin
from guard import Guard
from nagios import ROOT, Nagios, kill_session
from nagios_pair import WATCHED
from nrpe import adapted
from servers import wait_until

STARTING = " starting... (PID="
EXAMPLES = ROOT / "conf-examples/cold-standby"


class ColdPair:
    """A running master, a standby whose Nagios is stopped, and a guard pass by pass."""

    def __init__(self, bench):
        self.directory = bench.directory
        self.lock = self.directory / "failover.lock"
        self._broken = self.directory / "web-is-broken"
        self.master, self.standby = (self._node(bench, name) for name in ("master", "standby"))
        self.mail = self.directory / "mailbox"
        self._pid = self.directory / "standby.pid"
        places = self._places()
        for name, own in (("guard", self._guard_places()), ("pair", self._pair_places())):
            text = (EXAMPLES / f"{name}.conf").read_text()
            (self.directory / f"{name}.conf").write_text(adapted(text, {**own, **places}))
        bench.add(self)

    def guard(self, name="guard"):
        """Make a pass of the guard, or of another configuration; return (exit code, output)."""
        return Guard(self.directory / f"{name}.conf").run()

    def save_state(self, wanted):
        """Let the master save its state, as it does every minute; wait until `wanted` is in it."""
        retained = self.master.directory / "retention.dat"
        self.master.command("SAVE_STATE_INFORMATION")
        wait_until(lambda: retained.exists() and wanted in retained.read_text(), 20, wanted)

    def break_web(self):
        """Let the watched service be CRITICAL."""
        self._broken.touch()

    def repair_web(self):
        """Let it be OK."""
        self._broken.unlink()

    def told(self):
        """Return [(node, kind)] of what people were told, master first."""
        return [(node.directory.name, message.kind) for node in (self.master, self.standby)
                for message in node.notifications() if message.service == "http"]

    def close(self):
        """End the Nagios that the guard has started."""
        if self._pid.exists():
            session = int(self._pid.read_text())
            wait_until(lambda: not kill_session(session), what="the standby's Nagios to end")

    def _node(self, bench, name):
        directory = bench.directory / name
        node = bench.add(Nagios(directory, plugin.BUILD / "plugins", [],
                                WATCHED.format(broken=self._broken),
                                settings={"log_file": directory / "log/nagios.log"}))
        node.log = directory / "log/nagios.log"
        node.log.parent.mkdir()
        return node

    def _places(self):
        mail = self._script("mail", f'echo "$@" >>{self.mail}')
        return {
            # One machine instead of two.
            "nagios@master:/var/lib/nagios4/": f"{self.master.directory}/",
            "/var/lib/nagios4/": f"{self.standby.directory}/",
            "/usr/bin/mail": mail, "/var/lib/monitoring-plugins-ha": self.directory,
        }

    def _guard_places(self):
        start = self._script("start", f"""\
setsid {shlex.join(self.standby.argv)} >{self.standby.directory}/output 2>&1 &
echo $! >{self._pid}""")
        ssh = "ssh -o BatchMode=yes -o ConnectTimeout=5 nagios@master "
        return {
            f"{ssh}/usr/lib/nagios/plugins/check_heartbeat": plugin.path("check_heartbeat"),
            "nagios@master:/var/log/nagios4/": f"{self.master.directory}/log/",
            "--file /var/lib/nagios4/": f"--file {self.master.directory}/",
            "/var/log/nagios4/": f"{self.standby.directory}/log/",
            "systemctl start nagios4": start, "systemctl enable nagios4": "/bin/true",
            # Seconds instead of minutes.
            "-w 60 -c 300": "-w 2 -c 3", "retry-interval = 10": "retry-interval = 1",
        }

    @staticmethod
    def _pair_places():
        return {"/usr/lib/nagios/plugins/check_engine_pair": plugin.path("check_engine_pair"),
                "warning=60,critical=300": "warning=2,critical=3",
                "retries        = 12": "retries = 2", "retry-interval = 30": "retry-interval = 1"}

    def _script(self, name, body):
        path = self.directory / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path


@pytest.fixture
def pair(bench):
    cold = ColdPair(bench)
    cold.master.start()
    return cold


def notified_in(log):
    """Return how many notifications of the service an event log tells of."""
    return log.read_text().count("SERVICE NOTIFICATION: admin;web;http;")


@pytest.mark.parametrize("fault", ["kill", "stop", "freeze"])
def test_starts_the_standby_with_the_masters_log_and_state_and_is_silent(pair, fault):
    pair.save_state("notified_on_critical=0")
    assert pair.guard() == (0, "")
    pair.break_web()
    wait_until(lambda: pair.told() == [("master", "PROBLEM")], 30, "the master to tell")
    pair.save_state("notified_on_critical=1")
    assert pair.guard() == (0, "")
    assert notified_in(pair.standby.log) == 1
    assert not pair.standby.status_file.exists()

    getattr(pair.master, fault)()
    wait_until(lambda: pair.guard() != (0, ""), 30, "a pass that fails over")
    assert pair.lock.exists()
    assert "FAILOVER" in pair.mail.read_text()
    wait_until(lambda: pair.standby.program().get("enable_notifications") == "1", 30,
               "the standby to be active")
    assert notified_in(pair.standby.log) == 1, "the log goes on where the master's ended"
    started = pair.standby.log.read_text().count(STARTING)
    pair.repair_web()
    told = [("master", "PROBLEM"), ("standby", "RECOVERY")]
    wait_until(lambda: pair.told() == told, 30, "the standby to tell of the recovery")

    if fault == "freeze":
        pair.master.thaw()
    else:
        pair.master.start()
    for _ in range(2):
        assert pair.guard() == (0, "")
    assert len(pair.mail.read_text().splitlines()) == 1, "the guard is silent"
    wait_until(lambda: pair.guard("pair") != (0, ""), 30, "the watch to see that both are active")
    assert "both nodes are active" in pair.mail.read_text()
    pair.master.kill()
    wait_until(lambda: "one node is active again" in (pair.guard("pair"), pair.mail.read_text())[1],
               30, "the watch to see that one is")
    assert len(pair.mail.read_text().splitlines()) == 3
    assert pair.standby.log.read_text().count(STARTING) == started


def test_the_watch_waits_longer_than_the_file_of_a_stopped_master_counts():
    text = (EXAMPLES / "pair.conf").read_text()
    retries, interval_s, counts_s = (
        int(re.search(pattern, text).group(1))
        for pattern in (r"(?m)^retries *= (\d+)$", r"(?m)^retry-interval *= (\d+)$",
                        r"master-status\.dat,warning=\d+,critical=(\d+)"))
    assert (retries - 1) * interval_s > counts_s
