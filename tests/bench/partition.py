# SPDX-License-Identifier: MIT
"""Plays what becomes of clusters in a network that is cut, with hosts and programs that stop.

Each node, the voter and each client has a machine of its own; a client beside each node writes to it
whenever it accepts writes, and beside each node are managers that may act: a guard, an event handler, or
both. A row has the seconds in which two servers acknowledged writes, how many rows that were, the seconds
without any, the acknowledged rows that the primary of the end does not have, and who accepts writes then.

The exit code is 1 when two servers acknowledged at once although the protection of the row promises
that this does not happen, when an acknowledged row is lost although a replica has to have each, when two
managers acted at once although votes are needed, when check_failover_ready had not warned of two writers
where nothing keeps the cluster from them, or when a row could not be played.
"""

import argparse
import dataclasses
import multiprocessing
import signal
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

from partition import HEADER, PROTECTIONS, SitesCluster  # noqa: E402
from partition_faults import (CLOCK_FAULTS, FAULTS, LINK_FAULTS, NEEDS_VOTER,  # noqa: E402
                              NEEDS_WATCHDOG)
from servers import FLAVOURS, Bench  # noqa: E402

_BY_LEASE_OR_REVOCATION = ("lease", "lease and handlers", "revocation")
# name: (nodes, whether there is a voter beside them, protections)
SHAPES = {
    "two nodes and a voter": (2, True, ("votes", "votes and fence", "guards and fence",
                                        *_BY_LEASE_OR_REVOCATION, "lease and watchdog")),
    "three nodes": (3, False, ("nothing", "fence", *_BY_LEASE_OR_REVOCATION)),
    "two nodes alone": (2, False, ("nothing", "fence", *_BY_LEASE_OR_REVOCATION))}
SWITCHOVER = ("switchover", "--to", "db2")
FAULTS_OF_A_JOB = 6
NOT_PLAYED = "not played"


@dataclasses.dataclass(frozen=True)
class Row:
    """What is played, and how."""
    flavour: str
    shape: str
    protection: str
    fault: str
    switchover: bool

    @property
    def own_clock(self):
        return self.fault in CLOCK_FAULTS

    def __str__(self):
        name = self.fault + (", switchover" if self.switchover else "")
        return f"{self.flavour:8} {self.shape:22} {self.protection:19} {name:52}"


def objections_to(run, row):
    """Return what a run shows that is not as promised."""
    protection = PROTECTIONS[row.protection]
    unwatched = protection.lease_s and not protection.watched and row.fault in NEEDS_WATCHDOG
    promised = protection.holds and not unwatched
    if promised and (run.two_s > 0 or run.two_rows > 0):
        yield "two servers acknowledged writes at once"
    if protection.lossless and run.lost:
        yield "acknowledged rows are lost"
    if (protection.lease_s or SHAPES[row.shape][1]) and run.managers_at_once:
        yield "two managers acted at once"
    if not protection.holds and not run.warned:
        yield "check_failover_ready had not warned"


def rows_of(chosen):
    """Return the chosen rows, those of one cluster one after another."""
    return [Row(flavour, shape, protection, fault, switchover)
            for flavour in chosen.flavour or FLAVOURS
            for shape, (nodes, has_voter, protections) in SHAPES.items()
            if shape in (chosen.shape or SHAPES)
            for of_cluster in (FAULTS, CLOCK_FAULTS)
            for protection in protections if protection in (chosen.protection or PROTECTIONS)
            for fault in of_cluster
            if fault in (chosen.fault or of_cluster)
            and (has_voter or nodes > 2 or fault not in NEEDS_VOTER)
            for switchover in (False, True)
            if not switchover or chosen.switchover and fault in LINK_FAULTS]


class Table:
    """The rows that were played; in a directory, if one is given, with what the managers said."""

    def __init__(self, directory):
        self._directory = directory
        self._file = directory and directory / "table.txt"
        if directory:
            directory.mkdir(parents=True, exist_ok=True)
            self._file.touch()

    def line(self, row):
        """Return the last line of a row."""
        lines = self._file.read_text().splitlines() if self._directory else []
        of_row = [line for line in lines if line.startswith(str(row))]
        return of_row[-1] if of_row else f"{row} {NOT_PLAYED}"

    def lacks(self, row):
        """Tell whether a row has not been played."""
        return NOT_PLAYED in self.line(row)

    def add(self, row, result, told):
        """Print a row."""
        line = f"{row} {result}\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        if self._directory:
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(line)
            name = "-".join("".join(c if c.isalnum() else " " for c in str(row)).split())
            (self._directory / f"{name}.txt").write_text(f"{line}\n{told}")


def play_on_one_cluster(rows, table, semi_sync):
    """Play rows, yield for each whether something is not as promised."""
    first = rows[0]
    nodes, has_voter, _ = SHAPES[first.shape]
    with Bench() as bench:
        cluster = SitesCluster(bench, f"{first.flavour}-gtid", nodes, has_voter=has_voter,
                               semi_sync=semi_sync, own_clock=first.own_clock)
        for row in rows:
            began = time.monotonic()
            run = cluster.play(row.fault, PROTECTIONS[row.protection],
                               command=SWITCHOVER if row.switchover else ())
            objections = list(objections_to(run, row))
            took = f"({time.monotonic() - began:.0f} s)"
            table.add(row, "  ".join([str(run), took, *objections]), f"{run.ready}\n{run.told}")
            yield bool(objections)


def play(job):
    """Play the rows of one cluster; return how many are not as promised. One that could not be played
    ends the cluster, and the others need another."""
    rows, table, semi_sync = job
    failures = 0
    while rows:
        played = []
        try:
            for fails in play_on_one_cluster(rows, table, semi_sync):
                played.append(fails)
        except Exception as error:  # pylint: disable=broad-except
            table.add(rows[len(played)], f"{NOT_PLAYED}: {' '.join(str(error).split())[:150]}",
                      traceback.format_exc())
            played.append(True)
        failures += sum(played)
        rows = rows[len(played):]
    return failures


def jobs_of(rows):
    """Return rows in parts of one cluster and one protection."""
    parts = {}
    for row in rows:
        parts.setdefault((row.flavour, row.shape, row.own_clock, row.protection), []).append(row)
    for part in parts.values():
        faults = list(dict.fromkeys(row.fault for row in part))
        for n in range(0, len(faults), FAULTS_OF_A_JOB):
            yield [row for row in part if row.fault in faults[n:n + FAULTS_OF_A_JOB]]


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/partition", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, choices in (("flavour", FLAVOURS), ("shape", SHAPES), ("protection", PROTECTIONS),
                            ("fault", {**FAULTS, **CLOCK_FAULTS})):
        parser.add_argument(f"--{option}", choices=choices, action="append",
                            help=f"of {', '.join(choices)}; default: all".replace("%", "%%"),
                            metavar=option.upper())
    parser.add_argument("--switchover", action="store_true", help="begin one with each fault of the network, too")
    parser.add_argument("--semi-sync", action="store_true", help="instead of asynchronous replication")
    parser.add_argument("--jobs", type=int, default=1, help="clusters that are played side by side")
    parser.add_argument("--directory", type=Path, help="keep table.txt there and what managers said, and play "
                                                       "no row that table.txt has")
    chosen = parser.parse_args()
    table = Table(chosen.directory)
    rows = rows_of(chosen)
    missing = [row for row in rows if table.lacks(row)]
    print(f"{len(missing)} of {len(rows)} rows\n{'':106}{HEADER}", flush=True)
    jobs = [(part, table, chosen.semi_sync) for part in jobs_of(missing)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with multiprocessing.Pool(chosen.jobs) as pool:  # It ends with this program, whatever ends that.
        failures = sum(pool.imap_unordered(play, jobs))
    if chosen.directory:
        lines = [table.line(row) for row in rows]
        print(f"\n{'':106}{HEADER}", *lines, sep="\n")
        failures = sum(not line.endswith(" s)") for line in lines)  # those too that were played before
    print(f"\n{failures} rows are not as promised" if failures else "\nall rows are as promised")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
