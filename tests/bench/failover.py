# SPDX-License-Identifier: MIT
"""Measures failovers of three nodes under a client that writes 200 rows a second.

    promotion [ROUNDS]   seconds from the invocation, the primary being dead, to the first INSERT that
                         the client gets accepted: mysql_ha beside bare SQL, under semi-sync (50)
    switchover [ROUNDS]  the longest gap between two accepted INSERTs of a planned change (50)
    loss [ROUNDS]        both replicas have missed the last 0.3 s: what is rescued, what is said (3)
    automatic [ROUNDS]   ha_guard sees a kill -9 and lets the handler act: seconds to an INSERT (10)
    trap [ROUNDS]        the appliers of fresh semi-sync replicas stall for 10 s: failover then (5)
    soak [MINUTES]       ha_guard under 5 % packet loss and a primary that freezes again and again:
                         false failovers, what the guard costs, and the failover at the end (30)

mysql_ha guard is measured by tests/bench/guard.
Times belong to a machine and an hour. What fails a measurement is a wrong result: an acknowledged
write that is lost without a word, or a failover without a reason.
"""

import argparse
import contextlib
import os
import random
import re
import shlex
import statistics
import subprocess
import sys
import time

from returning import (DETECTION_S, HERE, INTERVAL_S, SEMI_SYNC_TIMEOUT_MS, SEMI_SYNC_WORDS,
                       ReturningCluster, check_peak_mib, guard_of)

import cache
from cluster import rows
from servers import Bench, wait_until
from writer import Writer

FLAVOURS = ("mariadb", "mysql")
PATIENCE_S = 70.0  # of the client: more than a primary waits for a second copy


def say(text):
    """Print a line at once."""
    print(text, flush=True)


def quantiles(seconds):
    """Return (p50, p99); of fewer than 100 values p99 is the largest."""
    return statistics.median(seconds), sorted(seconds)[int(len(seconds) * 0.99)]


def describe(seconds):
    """Return 'p50 0.123 s, p99 0.234 s'."""
    return "p50 {:.3f} s, p99 {:.3f} s".format(*quantiles(seconds))


def first_write(cluster, writer, dead, timeout=120):
    """Wait until another node than the dead one acknowledges; return (node, when it did)."""
    node = wait_until(lambda: [s for s in cluster.servers if s is not dead and writer.by(s.name)],
                      timeout, "an accepted write")[0]
    return node, writer.first_at(node.name).answered


class BareSql:
    """One client with open sessions and the statements without which nobody is promoted and followed
    by the other. It proves nothing, and writes exist once until it has ended."""

    def __init__(self, cluster):
        self._source = SEMI_SYNC_WORDS[cluster.flavour][0]
        self._mysql = cluster.flavour == "mysql"
        self._replicas = [n for n in cluster.servers if n is not cluster.primary()]
        self._sessions = {n.name: n.connect(120) for n in self._replicas}

    def promote(self):
        self._cut_off()
        self._open()
        self._repoint()
        self._semi_sync("ON")

    def close(self):
        for session in self._sessions.values():
            session.close()

    def _choose(self):
        """Take the one that has received more; the other could not follow it otherwise."""
        self._sibling, self._candidate = sorted(self._replicas, key=lambda n: self._places(n)[0])

    def _places(self, node):
        """Return where in the dead primary's binlog a replica has received and applied it."""
        row = self._run(node, "SHOW REPLICA STATUS")[0]
        source = "Source" if self._mysql else "Master"
        return ((row[f"{source}_Log_File"], row[f"Read_{source}_Log_Pos"]),
                (row[f"Relay_{source}_Log_File"], row[f"Exec_{source}_Log_Pos"]))

    def _cut_off(self):
        self._choose()
        self._semi_sync("OFF")  # The applier would wait for replicas of its own.
        self._wait(lambda: len(set(self._places(self._candidate))) == 1)
        self._run(self._candidate, "STOP REPLICA", "RESET REPLICA ALL")

    def _open(self):
        self._run(self._candidate, "SET GLOBAL read_only = OFF")

    def _repoint(self):
        place = (self._candidate.host, self._candidate.port)
        self._run(self._sibling, "STOP REPLICA",
                  "CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=%d" % place
                  if self._mysql else "CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%d" % place,
                  "START REPLICA")

    def _semi_sync(self, value):
        self._run(self._candidate, f"SET GLOBAL rpl_semi_sync_{self._source}_enabled = {value}")

    @staticmethod
    def _wait(condition):
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def _run(self, node, *statements):
        with self._sessions[node.name].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()


class SafeSql(BareSql):
    """The same in the order in which no write is acknowledged that exists once."""

    def promote(self):
        self._cut_off()
        self._semi_sync("ON")
        self._repoint()
        clients = f"SHOW GLOBAL STATUS LIKE 'rpl_semi_sync_{self._source}_clients'"
        self._wait(lambda: int(self._run(self._candidate, clients)[0]["Value"]) > 0)
        self._open()


class ScriptedSql(SafeSql):
    """The same by a script: the flavour's client is started for each step, and logs in, as mysql_ha
    has to."""

    def __init__(self, cluster):
        super().__init__(cluster)
        super().close()
        self._client = cluster.client_command()

    def close(self):
        pass

    def _run(self, node, *statements):
        done = subprocess.run([*self._client, f"--host={node.host}", f"--port={node.port}", "--batch",
                               "--execute", "; ".join(statements)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        names, *rows = [line.split("\t") for line in done.stdout.splitlines()] or [[]]
        return [dict(zip(names, (int(cell) if cell.isdigit() else cell for cell in row)))
                for row in rows]


class Tool:
    """mysql_ha, as BareSql."""

    def __init__(self, cluster):
        self._cluster = cluster

    def promote(self):
        self.answer = self._cluster.tool("failover")

    def close(self):
        pass


METHODS = {"mysql_ha": Tool, "bare SQL": BareSql, "safe SQL": SafeSql,
           "safe SQL by a script": ScriptedSql}


def kill_and_promote(cluster, dead, tool, writer):
    """Kill the primary and promote another node; return (it, seconds to its first write)."""
    dead.kill()
    begin = time.monotonic()
    tool.promote()
    new, at = first_write(cluster, writer, dead)
    tool.close()
    return new, at - begin


class Promotions:
    """The results of one method."""

    def __init__(self):
        self.seconds, self.lost, self.single = [], 0, 0

    def add(self, cluster, method):
        """Let the primary die under load and promote; everything is as before at the end."""
        dead = cluster.primary()
        copied = {n.name: cluster.copied(n) for n in cluster.servers if n is not dead}
        tool = method(cluster)
        with Writer(cluster, patience_s=PATIENCE_S) as writer:
            new, seconds = kill_and_promote(cluster, dead, tool, writer)
            writer.wait_for(50)
        self.seconds.append(seconds)
        self.lost += len(writer.lost(rows(new)))
        known = cluster.copied(new) - copied[new.name]
        self.single += max(0, len(writer.by(new.name)) - known)
        cluster.bring_back(dead)

    def ratio(self, other):
        """Return the ratios of the times to those of another method."""
        (p50, p99), (other50, other99) = quantiles(self.seconds), quantiles(other.seconds)
        return f"p50 {p50 / other50:.2f}, p99 {p99 / other99:.2f}"

    def text(self):
        """Return all results as text."""
        return (f"{describe(self.seconds)}; of {len(self.seconds)}: acknowledged and lost "
                f"{self.lost}, acknowledged by the new primary alone {self.single}")


def measure_promotion(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour)
    results = {name: Promotions() for name in METHODS}
    for _ in range(rounds):
        for name, method in METHODS.items():
            results[name].add(cluster, method)
    for name, result in results.items():
        say(f"{flavour}: promotion, {name}: {result.text()}")
    ours = results.pop("mysql_ha")
    for name, result in results.items():
        say(f"{flavour}: promotion, mysql_ha / {name}: {ours.ratio(result)}")
    say(f"{flavour}: {cluster.rebuilt} of {len(METHODS) * rounds} old primaries had more and were "
        "rebuilt")
    assert ours.lost == 0 and ours.single == 0


def measure_switchover(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour)
    gaps, lost = [], 0
    for _ in range(rounds):
        with Writer(cluster, patience_s=PATIENCE_S) as writer:
            cluster.tool("switchover")
            writer.wait_for(50)
        gaps.append(writer.gap())
        lost += len(writer.lost(rows(cluster.primary())))
    say(f"{flavour}: switchover, longest gap: {describe(gaps)}; of {rounds}: lost {lost}")
    assert lost == 0


def write_rescue_script(cluster):
    """Return a command that runs the shipped example as if this machine were the dead primary."""
    ssh = cluster.directory / "ssh"
    ssh.write_text('#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n')
    script = cluster.directory / "rescue"
    binlog_command = shlex.join(cache.client_command(cluster.flavour, "binlog"))
    example = HERE.parent.parent / "conf-examples/mysql-failover/rescue-binlogs"
    script.write_text(f"#!/bin/sh\nPATH={cluster.directory}:$PATH exec {example} "
                      f'"{cluster.bench.directory}/$HA_FAILED_NODE/data" '
                      f"{shlex.quote(binlog_command)}\n")
    for file in (ssh, script):
        file.chmod(0o700)
    return script


def lose_the_end(cluster, *options):
    """Let the primary die when both replicas have missed its last 0.3 s, and promote; return (the
    dead node, what mysql_ha said of the loss, how many acknowledged rows the client misses)."""
    dead = cluster.primary()
    with Writer(cluster, patience_s=PATIENCE_S) as writer:
        for replica in cluster.servers:
            if replica is not dead:
                replica.stop_replication(thread="IO")
        time.sleep(0.3)
        dead.kill()
        answer = cluster.tool("failover", *options)
        new, _ = first_write(cluster, writer, dead)
        writer.wait_for(20)
    said = re.search(r"^loss: (.*)", answer, re.M)[1]
    return dead, said, len(writer.lost(rows(new)))


def measure_loss(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour, semi_sync=False)
    script = write_rescue_script(cluster)
    for _ in range(rounds):
        dead, said, lost = lose_the_end(cluster, "--rescue-command", str(script))
        say(f"{flavour}: loss with --rescue-command: '{said}'; the client misses {lost}")
        assert lost == 0
        cluster.bring_back(dead)
        dead, said, lost = lose_the_end(cluster)
        new = cluster.primary()
        answer = cluster.bring_back(dead, rebuild=False)
        more = len(rows(dead) - rows(new))
        counted = int(re.search(r"has (\d+) transactions? that", answer)[1])
        say(f"{flavour}: loss without: '{said}'; the client misses {lost}; mysql_ha rejoin counts "
            f"{counted}, {more} rows are on {dead.name} alone")
        assert counted == more and lost <= more <= lost + 1, "one row may have had no answer yet"
        cluster.rebuild(dead)


def measure_automatic(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour)
    seconds = []
    for number in range(rounds):
        dead = cluster.primary()
        with guard_of(cluster, f"automatic{number}"), \
                Writer(cluster, patience_s=PATIENCE_S) as writer:
            time.sleep(random.uniform(2, 3))
            begin = time.monotonic()
            dead.kill()
            new, at = first_write(cluster, writer, dead)
            writer.wait_for(50)
        seconds.append(at - begin)
        assert not writer.lost(rows(new))
        cluster.bring_back(dead)
    say(f"{flavour}: automatic, median {statistics.median(seconds):.2f} s, from {min(seconds):.2f} s "
        f"to {max(seconds):.2f} s; of {rounds}: lost 0")


def measure_trap(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour)
    names = ["mysql_ha", "safe SQL"]
    seconds, behind = {name: [] for name in names}, []
    for name in names * rounds:
        dead = cluster.primary()
        replicas = [n for n in cluster.servers if n is not dead]
        tool = METHODS[name](cluster)
        with Writer(cluster, patience_s=PATIENCE_S) as writer:
            for replica in replicas:
                cluster.set_semi_sync(replica, 10000, afresh=True)
            time.sleep(0.5)
            behind.append(len(writer.writes) - len(rows(replicas[0]) & writer.numbers))
            new, took = kill_and_promote(cluster, dead, tool, writer)
            seconds[name].append(took)
            # What applies with a short timeout waits no more.
            for node in replicas:
                cluster.set_semi_sync(node, 10, afresh=True)
            writer.wait_for(50)
        assert name != "mysql_ha" or not writer.lost(rows(new))
        cluster.bring_back(dead)
        for node in replicas:
            cluster.set_semi_sync(node, SEMI_SYNC_TIMEOUT_MS)
    for name, values in seconds.items():
        say(f"{flavour}: {rounds} promotions while appliers wait for semi-sync replicas of their own "
            f"({statistics.median(behind):.0f} rows behind), {name}: {describe(values)}")


def enter_network():
    """Go on in a network of our own, where lost packets are nobody else's."""
    outside = os.readlink("/proc/self/ns/net")
    if os.environ.setdefault("HA_BENCH_OUTSIDE", outside) == outside:
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@contextlib.contextmanager
def lost_packets(probability):
    """In the block the loopback device of our network loses packets."""
    rule = ["INPUT", "-i", "lo", "-m", "statistic", "--mode", "random", "--probability",
            str(probability), "-j", "DROP"]
    subprocess.run(["iptables", "-A", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "-D", *rule], check=True)


def measure_idle(cluster, guard, seconds=60):
    """Print what a guard costs that has nothing to do."""
    before = guard.cpu_s()
    time.sleep(seconds)
    say(f"idle: {guard.cpu_s() - before:.2f} s CPU in {seconds} s, guard and checks; peak memory "
        f"guard {guard.peak_mib():.1f} MiB, a check {check_peak_mib(cluster):.1f} MiB; {INTERVAL_S} s "
        "between checks")


def disturb(cluster, guard, minutes):
    """Freeze the primary again and again, for too short a time to be taken for dead."""
    primary = cluster.servers[0]
    end = time.monotonic() + 60 * minutes
    freezes = 0
    while time.monotonic() < end:
        time.sleep(random.uniform(15, 25))
        primary.freeze()
        time.sleep(DETECTION_S / 2)
        primary.thaw()
        freezes += 1
        if freezes % 10 == 0:
            say(f"  {freezes} freezes, {guard.said('attempt ')} failed checks, "
                f"{guard.said('acting')} confirmed, {len(cluster.journals())} runs")
    return freezes


def measure_soak(bench, flavour, minutes):
    cluster = ReturningCluster(bench, flavour)
    primary = cluster.servers[0]
    with guard_of(cluster, "soak") as guard, Writer(cluster, patience_s=PATIENCE_S) as writer:
        measure_idle(cluster, guard)
        with lost_packets(0.05):
            freezes = disturb(cluster, guard, minutes)
            false = len(cluster.journals())
            say(f"{flavour}: soak of {minutes} minutes, {freezes} freezes of "
                f"{DETECTION_S / 2:.2f} s under 5 % packet loss: {len(writer.writes)} "
                f"writes, {guard.said('attempt ')} failed checks, {guard.said('acting')} times the "
                f"handler was called, {false} false failovers")
            assert false == 0 and cluster.primary() is primary
            refused = guard.said("acting")
            begin = time.monotonic()
            primary.kill()
            new, at = first_write(cluster, writer, primary)
            writer.wait_for(50)
            handler = guard.said("acting") - refused
    lost = writer.lost(rows(new))
    say(f"{flavour}: the primary dies: {at - begin:.2f} s to the first write at {new.name}, "
        f"the handler was called {handler} times; {len(writer.writes)} acknowledged, {len(lost)} lost")
    assert not lost


# name: (function, default number)
PARTS = {"promotion": (measure_promotion, 50), "switchover": (measure_switchover, 50),
         "loss": (measure_loss, 3), "automatic": (measure_automatic, 10),
         "trap": (measure_trap, 5), "soak": (measure_soak, 30)}


def measure_parts(program, description, parts):
    """Measure the parts that the command line names, each with servers of its own."""
    parser = argparse.ArgumentParser(prog=f"tests/bench/{program}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=parts, nargs="?", help="default: all, one after another")
    parser.add_argument("number", type=int, nargs="?", help="as said above")
    parser.add_argument("--flavour", choices=FLAVOURS, action="append", help="default: both")
    arguments = parser.parse_args()
    enter_network()
    for part in [arguments.part] if arguments.part else parts:
        measure, number = parts[part]
        for flavour in arguments.flavour or FLAVOURS:
            begin = time.monotonic()
            with Bench() as bench:
                measure(bench, flavour, arguments.number or number)
            say(f"  ({part} took {time.monotonic() - begin:.0f} s)")


if __name__ == "__main__":
    measure_parts("failover", __doc__, PARTS)
