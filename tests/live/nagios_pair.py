# SPDX-License-Identifier: MIT
"""Two Nagios Core with the configuration of conf-examples/nagios-pair: a master and its standby.

Both check the same host "web", which is well as long as the test says so. The master runs its
heartbeat's check by a real NRPE daemon; the two nodes ask each other for their state by a command
instead of ssh. An interval of 1 is a second, and the heartbeat is old after three.

    pair = NagiosPair(bench, plugins, scenario=1).start()
    pair.master.kill()
    pair.wait_active(pair.standby)
"""

import os
import shlex
import subprocess

from guard import Guard
from nagios import EXAMPLES, ROOT, Nagios
from nrpe import Nrpe, adapted, client
from server import wait_until

PAIR = ROOT / "conf-examples/nagios-pair"
ENGINE = "Active engine"
FLAGS = ("enable_notifications", "active_service_checks_enabled", "active_host_checks_enabled")

WATCHED = """\
define command {{
    command_name    check_file
    command_line    /bin/sh -c 'test ! -e $ARG1$ || exit 2'
}}
define host {{
    use             generic-host
    host_name       web
    address         127.0.0.1
    check_command   check-host-alive
    check_interval  1
    max_check_attempts 2
    contact_groups  admins
}}
define service {{
    use                     generic-service
    host_name               web
    service_description     http
    check_command           check_file!{broken}
    check_interval          1
    retry_interval          1
    max_check_attempts      2
    notification_interval   0
}}
"""


class NagiosPair:
    """`scenario` 1: both check, the standby is silent; 2: it does not check either, and a guard
    watches the master in its place."""

    def __init__(self, bench, plugins, scenario):
        self.scenario = scenario
        self._bench = bench
        self._broken = bench.directory / "web-is-broken"
        self._down = bench.directory / "master-is-down"
        self._port = bench.free_port()
        self._make_plugins(plugins)
        for node in ("master", "standby"):
            (bench.directory / f"etc-{node}").mkdir()
        self.master = self._node("master", [])
        self.standby = self._node("standby", self._standby_objects(), _settings(scenario))
        self.guard = None

        places = self._places("master")
        del places["/usr/lib/nagios/plugins/"]  # NRPE's own
        self.nrpe = Nrpe(bench, PAIR / "nrpe.cfg", {
            "/var/lib/nagios4/": places["/var/lib/nagios4/"], "-w 20 -c 30": "-w 2 -c 3",
            "/nagios4 .*nagios": f"/nagios4 .*{self.master.directory}/nagios"},
            ["check_heartbeat"], self._port)
        self._install("standby", PAIR / "ha-engine.cfg",
                      {} if scenario == 1 else {"= notifications": "= all"})
        for node, other in (("master", "standby"), ("standby", "master")):
            self._install(node, PAIR / "nagios-state.conf", {
                "ssh -o BatchMode=yes -o ConnectTimeout=5 nagios@192.0.2.1":
                    self._places(other)["/usr/local/sbin/nagios-state"] + " give"})

    def start(self):
        """Start both and wait until the standby has found the master well and taken its state."""
        self.master.start()
        wait_until(lambda: self.watched(self.master).checked, 30, "the first check")
        self.standby.start()
        if self.scenario == 2:
            self.start_guard()
        else:
            wait_until(lambda: self.standby.service(ENGINE).checked and
                       self.standby.service(ENGINE).state == "OK", 60, "the master's heartbeat")
        wait_until((self.standby.directory / "adopted").exists, 60, "the state to be taken")
        return self

    def start_guard(self):
        """Start what watches the master in scenario 2."""
        config = self._install("standby", PAIR / "guard.conf", {
            "retry-interval = 5": "retry-interval = 1", "interval       = 10": "interval = 1"})
        self.guard = self._bench.add(Guard(config)).start()

    # What happens to them

    def break_web(self):
        """Let the watched service be CRITICAL."""
        self._broken.touch()

    def repair_web(self):
        """Let it be OK."""
        self._broken.unlink()

    def lose_master(self):
        """Let the master's whole host be down."""
        self._down.touch()
        self.nrpe.close()
        self.master.kill()

    def boot_master(self):
        """Let the host be up again, without its Nagios."""
        self.nrpe.start()
        self._down.unlink()

    def adopt(self):
        """Take the master's state once more, now; return what nagios-state says."""
        return _run(self._places("standby")["/usr/local/sbin/nagios-state"] + " adopt")

    def return_master(self):
        """Start the master as its systemd unit does, with the standby's state; return what
        nagios-state says."""
        said = self._by_systemd("master", "master.service.conf")
        self.master.start()
        return said

    def reassert(self):
        """Give the standby the role on record as its systemd unit does; return what that says."""
        return self._by_systemd("standby", "standby.service.conf")

    # What they know

    def watched(self, node):
        """Return the watched service as a node sees it."""
        return node.service("http")

    def master_host_is(self, state):
        """Tell whether the standby is sure that the master's host is UP or DOWN; in scenario 2 it
        knows of no host, and the answer is yes."""
        wanted = {"current_state": {"UP": "0", "DOWN": "1"}[state], "state_type": "1"}
        return all(wanted.items() <= host.items() for host in self.standby.blocks("hoststatus")
                   if host["host_name"] == "monitoring1")

    def wait_role(self, node, active, timeout=60):
        """Wait until a node's status file shows the flags of the role."""
        wanted = {flag: str(int(active)) for flag in (FLAGS[:1] if self.scenario == 1 else FLAGS)}
        wait_until(lambda: wanted.items() <= node.program().items(), timeout,
                   f"the {node.directory.name} to be {'active' if active else 'silent'}")

    def switches(self):
        """Return the commands that switched the standby's notifications, oldest first."""
        return [word for line in self.standby.log.read_text().splitlines()
                for word in ("ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS")
                if f"EXTERNAL COMMAND: {word};" in line]

    def told(self):
        """Return [(node, kind)] of what people were told of the watched service, oldest first."""
        rows = [(message.time, node.directory.name, message.kind)
                for node in (self.master, self.standby) for message in node.notifications()
                if message.service == "http"]
        return [(name, kind) for _, name, kind in sorted(rows)]

    # Their files

    def _make_plugins(self, built):
        directory = self._bench.directory / "plugins"
        (directory / "eventhandlers").mkdir(parents=True)
        os.symlink(client(), directory / "check_nrpe")
        for name in ("check_heartbeat", "ha_guard"):
            os.symlink(built / name, directory / name)
        os.symlink(built / "handle_engine_failover",
                   directory / "eventhandlers/handle_engine_failover")

    def _node(self, name, objects, settings=None):
        plugins = self._bench.directory / "plugins"
        return self._bench.add(Nagios(
            self._bench.directory / name, plugins, objects, WATCHED.format(broken=self._broken),
            {"USER3": "/dev/null", "USER4": plugins / "eventhandlers"},
            {"cached_host_check_horizon": 0, **(settings or {})}))

    def _standby_objects(self):
        if self.scenario == 2:
            return []
        asking = {"-H $HOSTADDRESS$": f"-p {self._port} -H 127.0.0.1",
                  "192.0.2.1\n": f"127.0.0.1\n    check_command   check_file!{self._down}\n"
                               "    check_interval  1\n    retry_interval  1\n"}
        return [EXAMPLES / "commands.cfg",
                self._install("standby", EXAMPLES / "standby.cfg", asking),
                self._install("standby", PAIR / "standby.cfg", {}, "state.cfg")]

    def _places(self, node):
        directory, etc = self._bench.directory / node, self._bench.directory / f"etc-{node}"
        return {"/var/lib/nagios4/rw/": f"{directory}/", "/var/lib/nagios4/": f"{directory}/",
                "/etc/nagios4/": f"{etc}/",
                "/usr/lib/nagios/plugins/": f"{self._bench.directory}/plugins/",
                "/usr/local/sbin/nagios-state": f"{PAIR}/nagios-state -c {etc}/nagios-state.conf",
                "-H 192.0.2.1 ": f"-p {self._port} -H 127.0.0.1 "}

    def _adapt(self, node, text):
        for place, ours in self._places(node).items():
            text = text.replace(place, ours)
        return text

    def _install(self, node, path, changes, name=None):
        installed = self._bench.directory / f"etc-{node}" / (name or path.name)
        installed.write_text(self._adapt(node, adapted(path.read_text(), changes)))
        return installed

    def _by_systemd(self, node, unit):
        return _run(self._adapt(node, (PAIR / unit).read_text().rpartition(" -- ")[2]))


def _settings(scenario):
    text = (PAIR / "nagios-standby.cfg").read_text()
    if scenario == 2:
        text = text.replace("#execute", "execute")
    return dict(line.split("=") for line in text.splitlines() if line and not line.startswith("#"))


def _run(command):
    return subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=60).stdout
