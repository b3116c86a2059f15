# SPDX-License-Identifier: MIT
"""A cluster in a network that can be cut: each node, the voter and each client has a machine of its
own, a manager runs beside each node, and each client writes to the node of its side whenever that
accepts writes.

    cluster = SitesCluster(bench, "mariadb-gtid", nodes=2)
    run = cluster.play("primary cut from all", VOTES)
    print(run)

What is judged is what clients were told: of two servers that acknowledge at the same time, the rows
of one are lost. PROTECTIONS has what keeps a cluster from two writers, partition_faults.py the faults.
"""

import collections
import contextlib
import dataclasses
import json
import os
import signal
import time

import pymysql

import plugin
from acknowledged import twofold, without
from cluster import Cluster, make_lossless, rows, wait_for_no_absent_replica
from documented import semi_sync_options
from lan import Lan, place_servers
from nagios import kill_session
from partition_faults import CLOCK_FAULTS, FAULTS
from server import MANAGER_PASSWORD, MANAGER_USER, spawn
from servers import wait_until
from watchdog import ENVIRONMENT, Watchdog
from writer import Writer

# For how long a vote is kept, and how much later a voter votes that was restarted.
VOTE_S, MARGIN_S = 10, 1
# Replicas that notice within so many seconds that nothing comes any more.
NET_TIMEOUT_S = 2
READY = "check_failover_ready"


@dataclasses.dataclass(frozen=True)
class Protection:
    """What a cluster file says against two writers. `holds`: two servers never acknowledge at once."""
    name: str
    settings: tuple
    voted: bool = True  # by the voter too, where there is one
    holds: bool = False
    power: bool = False  # there is a power switch
    guarded: bool = False  # mysql_ha guard manages
    handled: bool = False  # the event handler does
    semi_sync: bool = False  # the primary waits for a replica, but not for ever
    lossless: bool = False  # nothing is acknowledged that exists once
    lease_s: int = 0  # of the primary; 0: it has none
    watched: bool = False  # each host has a watchdog, which its guard feeds


@dataclasses.dataclass
class Run:
    """What became of a fault."""
    two_s: float  # how long two servers acknowledged writes
    two_rows: int  # those that were acknowledged while another server acknowledged too
    none_s: float  # how long no server did
    lost: int  # rows that were acknowledged and that the primary of the end does not have
    writers: list  # the names of the servers that accept writes at the end
    promotions: int  # by all managers
    managers_at_once: bool  # two managers changed the cluster at the same time
    ready: str  # what check_failover_ready had said
    told: str  # what the managers printed
    # Seconds from the fault to the first row that another server than db1 acknowledged; None: none did.
    resumed_s: float | None
    acknowledged: dict  # rows of the whole run, by server

    @property
    def warned(self):
        """Tell whether check_failover_ready had said that there can be two writers."""
        return "both take writes" in self.ready

    def __str__(self):
        return (f"{self.two_s:6.1f} {self.two_rows:6} {self.none_s:6.1f} {self.lost:6}  "
                f"{','.join(self.writers) or 'none'}")


@dataclasses.dataclass
class Change:
    """What one run of a manager has done: from its first step to its last, in seconds since the epoch."""
    begin: float
    end: float
    promoted: bool


HEADER = "two, s   rows  none, s  lost  writers at the end"


class Site:
    """The servers that a client can write to: that of its side."""

    def __init__(self, server):
        self._server = server

    def alive(self):
        return [self._server] if self._server.running else []


class Manager:
    """What may promote a replica, on one host: mysql_ha guard, the event handler, called every second as
    an engine does whose check fails, or both."""

    def __init__(self, cluster, host):
        self.log = cluster.directory / f"{host}.log"
        cluster.on(host)
        commands = []
        if cluster.protection.guarded:
            commands.append(cluster.guard(host))
        if cluster.protection.handled:
            loop = cluster.hook(f"manager-{host}",
                                'while :; do "$@" </dev/null; echo "exit $?"; sleep 1; done\n')
            commands.append([*cluster.lan[host].inside, loop, *cluster.handler()])
        self._processes = [spawn([str(word) for word in command], self.log, cluster.directory)
                           for command in commands]

    def told(self):
        """Return what it has printed."""
        return self.log.read_text()

    def freeze(self):
        """Stop it and what it runs."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        for process in self._processes:
            os.killpg(process.pid, number)

    def close(self):
        """End it and what it runs."""
        for process in self._processes:
            wait_until(lambda pid=process.pid: not kill_session(pid), what="the manager to end")
            process.wait()


class SitesCluster(Cluster):
    """db1, db2, ... and a voter of MariaDB, on machines of their names; client1 is beside db1.

    `has_voter`: else the third node, if there is one, is `voter` to the faults. `semi_sync`: with the
    settings that conf-examples/mysql-failover recommends. `own_clock`: each node's host has a wall clock of
    its own."""

    def __init__(self, bench, kind, nodes=2, *, has_voter=True, semi_sync=False, own_clock=False):
        names = [f"db{n}" for n in range(1, nodes + 1)]
        self.clients = [f"client{n}" for n in range(1, nodes + 1)]
        self.has_voter = has_voter
        self.lan = bench.add(Lan(*names, *(["voter"] if has_voter else []), *self.clients))
        if own_clock:
            for name in names:
                self.lan[name].keep_own_clock(bench.directory / f"clock-{name}")
        place_servers(bench, self.lan)
        self.protection, self._semi_sync = NOTHING, semi_sync
        flavour = kind.split("-")[0]
        word = {"mariadb": "slave", "mysql": "replica"}[flavour]
        # A node that comes back is closed until a manager opens it.
        options = ["--read-only=ON", f"--{word}-net-timeout={NET_TIMEOUT_S}",
                   *(semi_sync_options(flavour) if semi_sync else [])]
        super().__init__(bench, kind, nodes, options=options)
        self.voter = self.servers[2] if nodes > 2 else None
        if has_voter:
            self.voter, = bench.start("mariadb", name="voter")
            self.voter.create_user(MANAGER_USER, MANAGER_PASSWORD)

    # Where programs run

    def on(self, host):
        """Let what is run from now on run on a host, which knows nothing of what others remember."""
        self.here = self.lan[host]
        self.config = self.directory / f"{host}.conf"
        self.state_dir = self.directory / host
        self.state_dir.mkdir(mode=0o700, exist_ok=True)
        return self

    def command(self, *words):
        return [*self.here.inside, *super().command(*words)]

    def guard(self, host):
        """Return the command line of the guard of a host, to be run there."""
        if not self.protection.watched:
            return self.command("guard", "--node", host)
        words = Cluster.command(self, "guard", "--node", host, "--watchdog", self.state_dir / "watchdog")
        return [*self.here.inside, *ENVIRONMENT, *words]

    def handler(self):
        """Return the command line of the event handler, to be run on its host."""
        return super().command("handler")

    @property
    def settings(self):
        asked = self.has_voter and self.protection.voted
        vote = (f"vote={self.lan['voter'].ipv4}",) if asked else ()
        return ("retries=2", "retry-interval=0.3", "probe-timeout=1", "min-interval=0.001", "hung-after=3",
                *self.protection.settings, *vote)

    def power_switch(self):
        """Return a fence command that reaches the hosts by another cable."""
        return self.hook("power", _POWER.format(directory=self.bench.directory))

    def write_config(self, *lines, **arguments):
        """Write the cluster file of every host."""
        if self.protection.power:
            lines += (f"fence-command={self.power_switch()}",)
        for server in self.servers:
            self.on(server.name)
            super().write_config(*lines, **arguments)

    def start_over(self):
        self.semi_sync = True  # in whatever cluster there was before
        super().start_over()

    def _compose(self):
        self.semi_sync = self._semi_sync or self.protection.semi_sync or self.protection.lossless
        super()._compose()
        if self.protection.lossless:
            make_lossless(self)
        elif self.protection.semi_sync:
            wait_for_no_absent_replica(self)

    def watch(self):
        for server in self.servers:
            self.on(server.name)
            super().watch()

    def start_manager(self, host):
        """Start the manager of a host."""
        self.managers[host] = Manager(self, host)

    # Faults

    def cut(self, some, others=None, both_ways=True):
        """Let others (default: all) receive nothing of what machines send; nor the other way round."""
        others = [name for name in others or self.lan.machines if name not in some]
        for one in some:
            for other in others:
                self.lan[other].be_deaf_to(self.lan[one])
                if both_ways:
                    self.lan[one].be_deaf_to(self.lan[other])

    def heal(self):
        """Let everybody hear everybody."""
        for machine in self.lan.machines.values():
            machine.hear_all()

    def lose(self, probability):
        """Lose packets everywhere."""
        for machine in self.lan.machines.values():
            machine.lose(probability)

    # A run

    def make_ready(self, protection):
        """Make a cluster as new, with a protection, in which everybody votes."""
        self.heal()
        self.protection = protection
        if self.voter and not self.voter.running:
            self.voter.start()
        self.start_over()
        if protection.voted:
            voters = {*self.servers, *([self.voter] if self.voter else [])}
            wait_until(lambda: all(_uptime(s) > (protection.lease_s or VOTE_S) + MARGIN_S
                                   for s in voters), what="voters that vote")

    def play(self, fault, protection, *, hold_s=15.0, settle_s=4.0, successor=None, passing=False, command=()):
        """Let a fault of FAULTS last for `hold_s` and look at what is there `settle_s` after it; return
        the Run. With a `successor` it lasts until that takes writes, and what is there is looked at as
        soon as no other server does. A `passing` one is over by itself, and then that is done as soon as
        one server takes writes. `command`: mysql_ha on db1 does this as the fault begins."""
        self.make_ready(protection)
        with contextlib.ExitStack() as stack:
            for server in self.servers if protection.watched else ():
                stack.enter_context(contextlib.closing(
                    Watchdog(self.lan[server.name], self.on(server.name).state_dir / "watchdog")))
            self.managers = {}
            stack.callback(lambda: [manager.close() for manager in self.managers.values()])
            for server in self.servers:
                self.start_manager(server.name)
            ready = wait_until(self._ready, what="a failover to be possible")
            writers = [_begin_writing(stack, server, self.lan[client])
                       for server, client in zip(self.servers, self.clients)]
            writers[0].wait_for(20)
            began = time.monotonic()
            with {**FAULTS, **CLOCK_FAULTS}[fault](self):
                operator = self.on("db1").begin(*command) if command else None
                if successor:
                    writers[self.servers.index(successor)].wait_for(50)
                elif not passing:
                    time.sleep(hold_s)
            if successor or passing:
                wait_until(lambda: self._has_one(successor) and self._is_at_rest(), 60, "one writer")
            else:
                time.sleep(settle_s)
                if protection.holds:  # Then a manager may have to end something yet.
                    with contextlib.suppress(TimeoutError):
                        wait_until(lambda: self._has_one() and self._is_at_rest(), settle_s, "one writer")
            ended = time.monotonic()
            if operator is not None:
                operator.communicate(timeout=150)
        return self._judge([w for writer in writers for w in writer.writes], began, ended,
                           ready, "\n".join(m.told() for m in self.managers.values()))

    def _ready(self):
        """Return what check_failover_ready says beside the standby, empty while that gets better by itself."""
        outcome = plugin.run(READY, "--cluster", self.on("db2").config, inside=self.here.inside)
        wrong = "no guard has the lease" in outcome.out or (
            outcome.state == "CRITICAL" and "two servers vote" not in outcome.out)
        return "" if wrong else outcome.out

    def _has_one(self, writer=None):
        """Tell whether one server alone accepts writes, this one if it is named; what ends clients may end us
        while we ask."""
        with contextlib.suppress(pymysql.err.MySQLError):
            writers = self.writers()
            return len(writers) == 1 and (writer is None or writers == [writer.name])
        return False

    def _judge(self, writes, began, ended, *texts):
        two_s, two_rows = twofold([w for w in writes if w.answered >= began])
        acknowledged = {write.number for write in writes}
        writers = self.writers()
        changes = [self._changes(server.name) for server in self.servers]
        ends = [server for server in self.alive() if server.name in writers] or self.alive()
        return Run(two_s, two_rows, without(writes, began, ended),
                   min(len(acknowledged - rows(server)) for server in ends), writers,
                   sum(change.promoted for of_host in changes for change in of_host),
                   _overlap(changes), *texts,
                   resumed_s=min((w.answered - began for w in writes
                                  if w.server != "db1" and w.answered > began), default=None),
                   acknowledged=collections.Counter(write.server for write in writes))

    def _is_at_rest(self):
        """Tell whether no manager is changing anything."""
        return all(records and records[-1]["event"] == "end"
                   for server in self.servers for _, *records in self._runs(server.name))

    def _runs(self, host):
        """Yield the records of each run of the manager of a host; one that is being written is not
        among them yet."""
        for path in (self.directory / host).glob("*/*.journal"):
            lines = path.read_text().splitlines(keepends=True)
            yield [json.loads(line) for line in lines if line.endswith("\n")]

    def _changes(self, host):
        """Return the changes that the manager of a host has made, whole or not."""
        found = []
        for begin, *records in self._runs(host):
            steps = {str(step["number"]): step["action"] for step in json.loads(begin["plan"])["steps"]}
            done = [(float(r["time"]), steps[r["number"]]) for r in records if "number" in r]
            if done:
                found.append(Change(min(done)[0], max(done)[0], "promote" in {action for _, action in done}))
        return found


def _begin_writing(stack, server, machine):
    writer = Writer(Site(server), rate=50, patience_s=3.0, machine=machine, poll_s=0.02)
    writer.start()
    stack.callback(writer.end)
    return writer


def _uptime(server):
    row, = server.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")
    return int(row["Value"])


def _overlap(changes):
    """Tell whether changes by different hosts overlap."""
    return any(one.begin < other.end and other.begin < one.end
               for n, some in enumerate(changes) for others in changes[:n]
               for one in some for other in others)


# What keeps a cluster from two writers

_POWER = """[ "$HA_FENCE_ACTION" != status ] || exit 0
server=$(cat {directory}/"$HA_FAILED_NODE"/pid)
! grep -q -- "--datadir={directory}/$HA_FAILED_NODE/" /proc/"$server"/cmdline || kill -9 "$server"
"""

NOTHING = Protection("nothing", ("fence=none",), voted=False, handled=True)
FENCE = Protection("fence", ("fence=required",), voted=False, handled=True, power=True, holds=True)
VOTES = Protection("votes", ("fence=none",), handled=True)
VOTES_AND_FENCE = Protection("votes and fence", ("fence=required",), handled=True, power=True, holds=True)
GUARDS_AND_FENCE = Protection("guards and fence", ("fence=required",), guarded=True, power=True, holds=True)
LEASE = Protection("lease", ("fence=required", "lease=8"), guarded=True, holds=True, lease_s=8)
LEASE_AND_HANDLERS = dataclasses.replace(LEASE, name="lease and handlers", handled=True, semi_sync=True)
LEASE_AND_WATCHDOG = dataclasses.replace(LEASE, name="lease and watchdog", watched=True)
REVOCATION = Protection("revocation", ("fence=revoke",), handled=True, lossless=True, holds=True)
PROTECTIONS = {protection.name: protection
               for protection in (NOTHING, FENCE, VOTES, VOTES_AND_FENCE, GUARDS_AND_FENCE, LEASE,
                                  LEASE_AND_HANDLERS, LEASE_AND_WATCHDOG, REVOCATION)}
