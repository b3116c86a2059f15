# SPDX-License-Identifier: MIT
"""Measures mysql_ha guard: how soon clients write again, what it costs, and whether it grows.

    kill [ROUNDS]       the primary of three nodes is ended by kill -9 under a client that writes 200 rows
                        a second: seconds to the first INSERT that another node acknowledges (20)
    cut [ROUNDS]        the primary's machine is cut off, three nodes and a voter, a guard with a lease
                        beside each: seconds to the first INSERT at another node, and the lease (3)
    hung [ROUNDS]       the primary is stopped by SIGSTOP there: the same, and hung-after (3)
    idle [SECONDS]      nothing happens: CPU seconds in a minute, and resident memory, at rest and at
                        its peak, with a lease and without (60)
    promotion [ROUNDS]  as kill, under semi-sync: by a guard, and by the same steps as plain SQL over open
                        sessions, which proves nothing; and their ratio (20)
    loops [COUNT]       so many failovers and rejoins of one cluster under one guard: what was acknowledged
                        and is lost, and whether memory, descriptors or the state directory grow (1000)
    calm [MINUTES]      three nodes with a guard with a lease beside each, 5 % packet loss, and again and
                        again the primary or a guard is stopped for half of what is too long, or all cores
                        are busy: no node may be closed or replaced (60)

Times belong to a machine and an hour, and one that does nothing else. What fails a measurement is a wrong
result: an acknowledged write that is lost, two writers at once, or a guard that grows.
"""

import contextlib
import dataclasses
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from failover import (PATIENCE_S, Promotions, SafeSql, first_write, lost_packets, measure_parts, say)
from returning import ReturningCluster

from cluster import rows
from mysql_guard import MysqlGuard
from partition import LEASE, SitesCluster
from writer import Writer

RETRIES = ("--retries", "3")
HUNG_AFTER_S = 3  # of a SitesCluster
PROTECTION = dataclasses.replace(LEASE, settings=(*LEASE.settings, "never=db3"))
KEEP_RUNS = 100  # journals, as mysql_ha does by itself
CALM_LEASE_S, CALM_HUNG_S = 10, 10


def describe(seconds):
    """Return 'median 0.123 s, from 0.100 s to 0.234 s'."""
    return (f"median {statistics.median(seconds):.3f} s, from {min(seconds):.3f} s to {max(seconds):.3f} s; "
            f"of {len(seconds)}")


def kill_primary(cluster, guard):
    """End the primary under a client; return (it, seconds to the first write elsewhere, rows lost)."""
    dead = cluster.primary()
    done = guard.said("failover done")
    with Writer(cluster, patience_s=PATIENCE_S) as writer:
        time.sleep(random.uniform(0.5, 1))
        begin = time.monotonic()
        dead.kill()
        new, at = first_write(cluster, writer, dead)
        writer.wait_for(50)
        guard.wait_for("failover done", times=done + 1)
    return dead, at - begin, len(writer.lost(rows(new)))


def measure_kill(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour, semi_sync=False)
    seconds, lost = [], 0
    for _ in range(rounds):
        cluster.start_over()
        with MysqlGuard(cluster, *RETRIES) as guard:
            guard.wait_until_well()
            _, took, missing = kill_primary(cluster, guard)
        seconds.append(took)
        lost += missing
    say(f"{flavour}: kill -9, without semi-sync: {describe(seconds)}; lost {lost}")


def measure_fault(bench, flavour, rounds, fault, limit):
    """Let a fault of a SitesCluster last until another node writes."""
    cluster = SitesCluster(bench, f"{flavour}-gtid", 3, semi_sync=True)
    seconds = []
    for _ in range(rounds):
        run = cluster.play(fault, PROTECTION, successor=cluster.db2)
        assert (run.two_s, run.two_rows, run.lost) == (0, 0, 0), run.told
        seconds.append(run.resumed_s)
    say(f"{flavour}: {fault}, {limit}: {describe(seconds)}; two writers 0.0 s, lost 0")


def measure_cut(bench, flavour, rounds):
    measure_fault(bench, flavour, rounds, "primary cut from all", f"lease {LEASE.lease_s} s")


def measure_hung(bench, flavour, rounds):
    measure_fault(bench, flavour, rounds, "primary stopped and continued", f"hung-after {HUNG_AFTER_S} s")


def measure_idle(bench, flavour, seconds):
    cluster = ReturningCluster(bench, flavour, semi_sync=False)
    for name, words in (("", ()), (", with the lease", ("--node", "db1", "--lease", "10"))):
        with MysqlGuard(cluster, *RETRIES, *words) as guard:
            guard.wait_until_well()
            before = guard.cpu_s()
            time.sleep(seconds)
            cost = (guard.cpu_s() - before) * 60 / seconds
            say(f"{flavour}: idle{name}, an interval of 0.5 s and 3 nodes: {cost:.2f} s CPU a minute, memory "
                f"{guard.resident_mib():.1f} MiB, at its peak {guard.peak_mib():.1f} MiB; seen for {seconds} s")


class Guarding:
    """A guard that runs when the primary dies, as a method of Promotions."""

    def __init__(self, cluster):
        self._guard = MysqlGuard(cluster, "--retries", "1").__enter__()
        self._guard.wait_until_well()

    def promote(self):
        """Nothing is to be done."""

    def close(self):
        self._guard.wait_for("failover done")
        self._guard.stop()


def measure_promotion(bench, flavour, rounds):
    cluster = ReturningCluster(bench, flavour)
    methods = {"the guard": Guarding, "plain SQL": SafeSql}
    results = {name: Promotions() for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            results[name].add(cluster, method)
    for name, result in results.items():
        say(f"{flavour}: promotion, {name}: {result.text()}")
    ours = results["the guard"]
    say(f"{flavour}: promotion, the guard / plain SQL: {ours.ratio(results['plain SQL'])}")
    assert ours.lost == 0 and ours.single == 0


class Size:
    """How large a guard and what it keeps are."""

    def __init__(self, cluster, guard):
        process = Path(f"/proc/{guard.process.pid}")
        values = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        self.memory_kib = int(values["VmRSS"].split()[0])
        self.threads = int(values["Threads"])
        self.descriptors = len(list((process / "fd").iterdir()))
        files = [path for path in cluster.state_dir.rglob("*") if path.is_file()]
        self.journals = sum(path.suffix == ".journal" for path in files)
        self.state_kib = sum(path.stat().st_size for path in files) // 1024

    def __str__(self):
        return (f"{self.memory_kib} KiB of memory, {self.threads} threads, {self.descriptors} descriptors, "
                f"{self.journals} journals, {self.state_kib} KiB of state")


def measure_loops(bench, flavour, count):
    cluster = ReturningCluster(bench, flavour)
    lost, seconds, early = 0, [], None
    began = time.monotonic()
    with MysqlGuard(cluster, *RETRIES) as guard:
        for number in range(count):
            dead, took, missing = kill_primary(cluster, guard)
            seconds.append(took)
            lost += missing
            cluster.bring_back(dead)
            cluster.primary().sql("DELETE FROM shop.item")  # What is compared stays small.
            late = Size(cluster, guard)
            # It reads all journals that it keeps.
            if early is None and number >= count // 10 and late.journals >= KEEP_RUNS:
                early = late
                say(f"{flavour}: after {number + 1} loops {early}")
    say(f"{flavour}: {count} failovers and rejoins in {(time.monotonic() - began) / 60:.1f} minutes, "
        f"{describe(seconds)}; lost {lost}; {cluster.rebuilt} old primaries had more and were rebuilt")
    say(f"{flavour}: after {count} loops {late}")
    assert lost == 0
    if early is None:
        return say(f"{flavour}: too few loops to see growth: {KEEP_RUNS} journals are kept")
    assert late.descriptors <= early.descriptors + 4 and late.threads <= early.threads + 4
    # What a rebuilt node had more is kept, with the journal that tells of it.
    assert late.journals <= early.journals + cluster.rebuilt + 4
    assert late.state_kib <= early.state_kib + 32 * cluster.rebuilt + 64
    assert late.memory_kib <= early.memory_kib + 1024


class CalmCluster(ReturningCluster):
    """Three nodes, a guard with a lease beside each."""

    def __init__(self, bench, flavour):
        super().__init__(bench, flavour)
        self.write_config(f"lease = {CALM_LEASE_S}", f"hung-after = {CALM_HUNG_S}")

    @contextlib.contextmanager
    def guarded(self):
        """Return the guards, which run until the end of the block, by the name of their node."""
        with contextlib.ExitStack() as stack:
            guards = {}
            for server in self.servers:
                guard = MysqlGuard(self, "--node", server.name, *RETRIES, "--state-dir",
                                   self.directory / f"state-{server.name}")
                guard.log = self.directory / f"guard-{server.name}.output"
                guards[server.name] = stack.enter_context(guard)
            guards[self.primary().name].wait_for("has the lease of the primary")
            yield guards


def stop_for(process, seconds):
    """Stop a process and let it go on."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def keep_busy(seconds):
    """Keep all cores busy, with twice as many processes."""
    loop = f"import time\nend = time.time() + {seconds}\nwhile time.time() < end: pass"
    busy = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(2 * os.cpu_count())]
    for process in busy:
        process.wait()


def disturb(cluster, guards):
    """Do one thing that is to have no consequence; return what."""
    primary = cluster.servers[0]
    what = random.choice(("primary stopped", "guard stopped", "all cores busy"))
    if what == "primary stopped":
        stop_for(primary.process, CALM_HUNG_S / 2)
    elif what == "guard stopped":
        stop_for(random.choice(list(guards.values())).process, CALM_LEASE_S / 2)
    else:
        keep_busy(CALM_LEASE_S / 2)
    return what


def measure_calm(bench, flavour, minutes):
    cluster = CalmCluster(bench, flavour)
    done = []
    with cluster.guarded() as guards, lost_packets(0.05), \
            Writer(cluster, patience_s=PATIENCE_S) as writer:
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            done.append(disturb(cluster, guards))
            time.sleep(random.uniform(1, 5))
        written = len(writer.writes)
        writer.wait_for(50)
    told = "".join(guard.out() for guard in guards.values())
    counts = ", ".join(f"{done.count(what)} times {what}" for what in sorted(set(done)))
    say(f"{flavour}: calm for {minutes} minutes, 5 % packet loss, {counts}: {written} writes, longest gap "
        f"{writer.gap():.1f} s; {told.count('(run ')} runs, {told.count('closing db')} closings")
    for words in ("(run ", "closing db", "killing db"):
        assert words not in told, told
    assert {write.server for write in writer.writes} == {cluster.servers[0].name}


# name: (function, default number)
PARTS = {"kill": (measure_kill, 20), "cut": (measure_cut, 3), "hung": (measure_hung, 3),
         "idle": (measure_idle, 60), "promotion": (measure_promotion, 20),
         "loops": (measure_loops, 1000), "calm": (measure_calm, 60)}


if __name__ == "__main__":
    measure_parts("guard", __doc__, PARTS)
