#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The demonstration that `run` has prepared.

It is made of acts. An act breaks or repairs something on the stage and waits for what Nagios says
of it; what was expected and did not come ends the demonstration with an error.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pymysql

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/live")]

from descendants import Descendants  # noqa: E402
from documented import Documented  # noqa: E402
from documented_pair import AS_DOCUMENTED, DocumentedPair  # noqa: E402
from cluster import rows  # noqa: E402
from writer import Writer  # noqa: E402
from nagios import watching  # noqa: E402
from nagios_pair import NagiosPair  # noqa: E402
from servers import Bench, wait_until  # noqa: E402
from view import View  # noqa: E402

PATIENCE_S = 30.0


class Stage:
    """A primary with two replicas, a Nagios that watches them, and the view of all."""

    def __init__(self, bench, view):
        self.bench = bench
        self.view = view
        self.plugins = Path(os.environ["HA_BUILD_DIR"]) / "plugins"
        self.pause_s = 4.0 if view.live else 1.0  # to read what is on a terminal
        self._seen = {}  # service: (state, when it came)
        self._told = []  # the notifications that were shown

        view.event("starting three MariaDB servers, db1 and its replicas db2 and db3, with semi-sync")
        self.cluster = Documented(bench, "mariadb-gtid", semi_sync=True)
        self.primary, self.replica = self.cluster.db1, self.cluster.db2
        # The fence command has to prove that the primary is dead.
        process = f"/proc/{self.primary.process.pid}"
        self.cluster.stub("fence", f"[ -e {process} ] && exit 1\necho there is no {process} any more")
        view.event(", ".join(f"{s.name} is {s.host}:{s.port}" for s in self.cluster.servers))

        self.nagios = watching(bench, self.plugins, self.primary, self.replica,
                               cluster=self.cluster.config).start()
        view.event("Nagios Core runs the services of conf-examples/nagios, a second for each minute")

    def show(self, program, *words):
        """Run a program over the cluster as an operator would, and show what it prints."""
        self.view.event(" ".join(["$", program, *words, "--cluster", "cluster.conf"]))
        done = subprocess.run([self.plugins / program, *words, "--cluster", self.cluster.config],
                              text=True, capture_output=True)
        self.view.output(done.stdout + done.stderr)
        self._look_for(self.pause_s)

    def wait_for(self, state, host=None):
        """Watch until Nagios is sure that every service, or those of a host, is in this state, and
        has told people what is new to them; then give time to read."""
        deadline = time.monotonic() + PATIENCE_S
        while not all(s.checked and s.state == state and s.hard and self._last_told(s) == state
                      for s in self._look() if host in (None, s.host)):
            self._check(deadline, state)
        self._look_for(self.pause_s)

    def wait_for_takeover(self):
        """Watch until Nagios's event handler has promoted a replica, and show the steps of its
        journal as they come; return the new primary."""
        deadline = time.monotonic() + PATIENCE_S
        shown, run, outcome = 0, None, ""
        while outcome not in ("done", "warnings"):
            self._look()
            self._check(deadline, "a new primary")
            for run, outcome in self.cluster.journals():
                if shown == 0:
                    self.view.event(f"$ mysql_ha journal show {run}")
                steps = self.cluster.run("journal", "show", run).out.splitlines()[1:]
                self.view.output("\n".join(steps[shown:]))
                shown = len(steps)
        return getattr(self.cluster, self.cluster.writers()[0])

    def _check(self, deadline, what):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Nagios did not see {what} within {PATIENCE_S:.0f} s; its log "
                               f"ends in:\n{self.nagios.log.read_text()[-2000:]}")
        time.sleep(0.1)

    def _look_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._look()
            time.sleep(0.1)

    def _look(self):
        """Show what is new in Nagios; return its services."""
        services = self.nagios.services()
        checked = [service for service in services if service.checked]
        for service in checked:
            if self._seen.get(service.name, ("",))[0] != service.state:
                self._seen[service.name] = service.state, time.monotonic()
                self.view.event(f"{service.name:<20} {_says(service)}", service.state)
        for message in self.nagios.notifications()[len(self._told):]:
            written = self._seen.get(message.service, ("",))[0] == message.state
            if not written and time.time() - message.time < 3:
                break  # Nagios has not written this state down yet.
            self._told.append(message)
            self.view.event(f"Nagios notifies {message.kind}: {message.service} on {message.host} "
                            f"is {message.state}")
        self.view.table([("STATE", f"{'FOR':>5}  {'SERVICE':<20} WHAT THE CHECK SAYS"),
                         *(self._row(service) for service in checked)])
        return services

    def _last_told(self, service):
        """Return the state of a service in the last notification; OK is what people assume."""
        return next((message.state for message in reversed(self._told)
                     if message.service == service.name), "OK")

    def _row(self, service):
        seconds = time.monotonic() - self._seen[service.name][1]
        return service.state, f"{seconds:3.0f} s  {service.name:<20} {_says(service)}"


def _says(service):
    """Return what a check says without the name and the state that it begins with."""
    return service.output.partition(" - ")[2]


def act_healthy(stage):
    """Everything as it should be."""
    stage.view.title("Act one: a healthy cluster, and what Nagios sees of its replica db2")
    stage.wait_for("OK")


def act_replica_stops_applying(stage):
    """The replica receives, but does not apply."""
    stage.view.title("The replica stops applying what it receives")
    stage.view.event("db2: STOP SLAVE SQL_THREAD")
    stage.replica.stop_replication(thread="SQL")
    stage.wait_for("CRITICAL", "db2")
    stage.view.title("It applies again")
    stage.view.event("db2: START SLAVE SQL_THREAD")
    stage.replica.start_replication(thread="SQL")
    stage.wait_for("OK")


def act_monitoring_dies(stage):
    """The Nagios that notifies people dies, another one is activated and deactivated again."""
    view = stage.view
    view.table([])
    view.title("Act two: the monitoring itself dies")
    view.event("starting two Nagios with conf-examples/nagios-pair: a master and a silent standby")
    pair = NagiosPair(stage.bench, stage.plugins, 1).start()
    view.event("the standby reads the master's heartbeat by NRPE and takes its state")
    pair.break_web()
    _wait_told(view, pair, "master", "PROBLEM")
    view.event(pair.adopt().strip())

    time.sleep(stage.pause_s)
    view.event("master: kill -9")
    begin = time.monotonic()
    pair.master.kill()
    pair.wait_role(pair.standby, True)
    view.event(f"the standby is active {time.monotonic() - begin:.1f} s after the kill, as its "
               "status.dat shows")
    pair.repair_web()
    _wait_told(view, pair, "standby", "RECOVERY")
    view.event("that problem's first message came from the master, its last one from the standby")

    time.sleep(stage.pause_s)
    view.event("the master returns")
    view.event(pair.return_master().strip())
    begin = time.monotonic()
    pair.wait_role(pair.standby, False)
    view.event(f"the standby is silent again {time.monotonic() - begin:.1f} s later")


def _wait_told(view, pair, node, kind):
    """Wait until this is the last that people were told of the watched service."""
    wait_until(lambda: pair.told()[-1:] == [(node, kind)], PATIENCE_S, f"the {node}'s {kind}")
    view.event(f"the {node} notifies {kind}: http on web")


def act_what_if(stage):
    """What an operator can know before a disaster."""
    stage.view.title("Act three: what if the primary died now?")
    stage.show("mysql_ha", "status")
    stage.show("check_failover_ready")


def act_primary_dies(stage):
    """The primary is killed under a running client, and Nagios's event handler promotes a replica."""
    view = stage.view
    view.title("The primary dies")
    with Writer(stage.cluster, rate=50) as writer:
        view.event("a client writes 50 rows a second and notes which of them were acknowledged")
        writer.wait_for(50)
        view.event("db1: kill -9")
        killed = time.monotonic()
        stage.primary.kill()
        new = stage.wait_for_takeover()
        writer.wait_for(50, new.name)
    seconds = writer.first_at(new.name).answered - killed
    view.event(f"the client continues at {new.name}, whose first acknowledgement came {seconds:.1f} s "
               "after the kill")
    stage.show("mysql_ha", "status")
    lost = writer.numbers - rows(new)
    view.event(f"acknowledged: {len(writer.numbers)}, lost: {len(lost)}")
    if lost:
        raise RuntimeError("what was acknowledged must not be lost under semi-sync")


class ShownPair(DocumentedPair):
    """The pair of conf-examples/pair, which tells of the cut and of what its guards say since then."""

    def __init__(self, bench, view):
        self._view, self._over, self._teller = view, threading.Event(), None
        super().__init__(bench, "mariadb-gtid", semi_sync=True)
        bench.add(self)

    def cut(self, some, others=None, both_ways=True):
        self._view.event("the cable of db1 is cut: only its clients reach it")
        said = {host: len(manager.told()) for host, manager in self.managers.items()}
        super().cut(some, others, both_ways)
        self._teller = threading.Thread(target=self._tell, args=[said], daemon=True)
        self._teller.start()

    def heal(self):
        if self._teller is not None and not self._over.is_set():
            self.close()
            self._view.event("the cable is repaired")
        super().heal()

    def close(self):
        """Tell no more of what the guards say."""
        self._over.set()
        if self._teller is not None:
            self._teller.join()

    def _tell(self, said):
        with contextlib.suppress(BrokenPipeError):
            while not self._over.wait(0.1):
                for host, manager in self.managers.items():
                    told = manager.told()
                    *lines, rest = told[said[host]:].split("\n")
                    said[host] = len(told) - len(rest)
                    self._show(host, lines)

    def _show(self, host, lines):
        for line in lines:
            # What it sees and does, without its refusals; the view has a clock of its own.
            words = re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line).strip()
            if re.match(r"\+|closing |killing |db\d", words):
                shown = f"the guard of {host}: {words}"
                self._view.event(shown if len(shown) <= 150 else shown[:147] + "...")


def act_cable_is_cut(bench, view):
    """Two sites without a fence device: the primary that is cut off closes itself."""
    view.table([])
    view.title("Finale: the cable between two database servers is cut (conf-examples/pair)")
    view.event("starting db1, its replica db2 and a voter on machines of their own, and a guard beside db1 "
               "and db2")
    view.event("a client on each side writes 50 rows a second as long as its server accepts writes; the "
               "voter votes 11 s after its start")
    pair = ShownPair(bench, view)
    run = pair.play("primary cut from all", AS_DOCUMENTED, successor=pair.db2)
    count = run.acknowledged
    view.event(f"acknowledged by db1 until it was closed: {count['db1']}, by db2 since then: {count['db2']}; by "
               f"both at once: {run.two_rows}")
    view.event(f"no server acknowledged for {run.none_s:.1f} s, the lease is {AS_DOCUMENTED.lease_s} s; "
               f"acknowledged in all: {count.total()}, lost: {run.lost}; only {' and '.join(run.writers)} accepts "
               "writes")
    if run.lost or run.two_rows or run.two_s or run.writers != ["db2"]:
        raise RuntimeError("a cut cable must neither make two primaries nor lose what was acknowledged")


ACTS = (act_healthy, act_replica_stops_applying, act_monitoring_dies, act_what_if, act_primary_dies)


@contextlib.contextmanager
def cleared_bench(view):
    """A bench that is cleared away, whatever happens and however that is interrupted."""
    with contextlib.ExitStack() as after_clearing:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            after_clearing.callback(signal.signal, number, signal.getsignal(number))
        with Bench() as bench, contextlib.ExitStack() as before_clearing:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                before_clearing.callback(signal.signal, number, signal.SIG_IGN)
            bench.add(Descendants())  # Closed last: the others end their own processes first.
            view.event(f"everything runs below {bench.directory}; Ctrl-C ends it")
            yield bench


def play(view):
    """Play all acts on a stage of their own, and the finale on another one."""
    with cleared_bench(view) as bench:
        stage = Stage(bench, view)
        for act in ACTS:
            act(stage)
    with cleared_bench(view) as bench:
        act_cable_is_cut(bench, view)


def main():
    """Play; return the exit code."""
    view = View(sys.stdout)
    view.title("monitoring-plugins-ha: a real Nagios Core watches real replicating MariaDB servers")
    try:
        play(view)
    except KeyboardInterrupt:
        view.end("Interrupted; all servers are ended and their files removed.")
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (OSError, RuntimeError, subprocess.SubprocessError, pymysql.Error) as error:
        view.end(f"The demonstration failed: {error}")
        return 1
    view.end("Done; all servers are ended and their files removed.",
             f"The checks are in {os.environ['HA_BUILD_DIR']}/plugins. README.md says how to point one "
             "at a server of yours.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
