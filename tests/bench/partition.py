# SPDX-License-Identifier: MIT
"""Plays what becomes of clusters in a network that is cut, with hosts and programs that stop.

Each node, the voter and each client has a machine of its own; a client beside each node writes to it
whenever it accepts writes, and a manager beside each node may act. A row has the seconds in which
two servers acknowledged writes, how many rows that were, the seconds without any, the acknowledged rows
that the primary of the end does not have, and who accepts writes then.

The exit code is 1 when two servers acknowledged at once although the protection of the row promises
that this does not happen, when two managers acted at once although votes are needed, or when
check_failover_ready had not warned of two writers where nothing keeps the cluster from them.
"""

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

from partition import HEADER, PROTECTIONS, SitesCluster  # noqa: E402
from partition_faults import CLOCK_FAULTS, FAULTS, NEEDS_WATCHDOG  # noqa: E402
from servers import FLAVOURS, Bench  # noqa: E402

# name: (nodes, whether there is a voter)
SHAPES = {"two nodes and a voter": (2, True), "three nodes and a voter": (3, True),
          "two nodes alone": (2, False)}
SWITCHOVER = ("switchover", "--to", "db2")


def objections_to(run, protection, fault):
    """Return what a run shows that is not as promised."""
    promised = protection.holds and not (protection.lease_s and fault in NEEDS_WATCHDOG)
    if promised and (run.two_s > 0 or run.two_rows > 0):
        yield "two servers acknowledged writes at once"
    if protection.voted and run.managers_at_once:
        yield "two managers acted at once"
    if not protection.holds and not run.warned:
        yield "check_failover_ready had not warned"


def measure(cluster, protection, faults, commands):
    """Print the rows of a protection; return how many are not as promised."""
    failures = 0
    for fault in faults:
        for command in commands:
            began = time.monotonic()
            run = cluster.play(fault, protection, command=command)
            objections = list(objections_to(run, protection, fault))
            failures += bool(objections)
            name = fault + (", switchover" if command else "")
            print(f"{protection.name:16} {name:44} {run}  ({time.monotonic() - began:.0f} s)",
                  *objections, sep="  ", flush=True)
            if objections:
                print(run.ready, run.told, flush=True)
    return failures


def play(flavour, shape, own_clock, chosen):
    """Print the rows of one cluster; return how many are not as promised."""
    of_cluster = CLOCK_FAULTS if own_clock else FAULTS
    faults = [fault for fault in chosen.fault or of_cluster if fault in of_cluster]
    if not faults:
        return 0
    nodes, has_voter = SHAPES[shape]
    with Bench() as bench:
        cluster = SitesCluster(bench, f"{flavour}-gtid", nodes, semi_sync=chosen.semi_sync,
                               own_clock=own_clock)
        print(f"\n{flavour}, {shape}\n{'':61} {HEADER}", flush=True)
        return sum(measure(cluster, protection, faults, [(), SWITCHOVER] if chosen.switchover else [()])
                   for name, protection in PROTECTIONS.items()
                   if name in (chosen.protection or PROTECTIONS) and protection.voted == has_voter)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/partition", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, choices in (("flavour", FLAVOURS), ("shape", SHAPES), ("protection", PROTECTIONS),
                            ("fault", {**FAULTS, **CLOCK_FAULTS})):
        parser.add_argument(f"--{option}", choices=choices, action="append",
                            help=f"of {', '.join(choices)}; default: all".replace("%", "%%"),
                            metavar=option.upper())
    parser.add_argument("--switchover", action="store_true", help="begin one with each fault, too")
    parser.add_argument("--semi-sync", action="store_true", help="instead of asynchronous replication")
    chosen = parser.parse_args()
    failures = sum(play(flavour, shape, own_clock, chosen) for shape in chosen.shape or SHAPES
                   for flavour in chosen.flavour or FLAVOURS for own_clock in (False, True))
    print(f"\n{failures} rows are not as promised" if failures else "\nall rows are as promised")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
