# SPDX-License-Identifier: MIT
"""Measures how the programs over a whole cluster grow with it: 50 nodes as far away as a slow line
makes them, against one of them, and what a decision over 1,000 nodes costs.

All nodes are one server of each flavour behind as many proxies, so the machine's own work is done for
50 while a real cluster would share it.
"""

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import plugin  # noqa: E402
from cluster import LOGIN, named  # noqa: E402
from network import Proxy  # noqa: E402
from servers import FLAVOURS, Bench  # noqa: E402

NODES, ROUND_TRIP_S, RUNS = 50, 0.1, 5
PROGRAMS = {"check_mysql_split_brain": ["check_mysql_split_brain", "-t", "30"],
            "check_failover_ready": ["check_failover_ready", "-t", "30", "--probe-timeout", "20",
                                     "--state-dir", "/nonexistent"],
            "mysql_ha status": ["mysql_ha", "status", "--probe-timeout", "20"]}


def least_seconds(command):
    """Return the least time of several runs; the program has to have reached every node."""
    times = []
    for _ in range(RUNS):
        begin = time.monotonic()
        done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        times.append(time.monotonic() - begin)
        if "unreachable" in done.stdout or "no answer" in done.stdout or done.returncode == 3:
            sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return min(times)


def measure(bench, flavour):
    """Print a line for each program."""
    server = bench.server(flavour)
    server.create_monitor()
    proxies = [bench.add(Proxy((server.host, server.port), delay_s=ROUND_TRIP_S / 2))
               for _ in range(NODES)]
    for name, (program, *options) in PROGRAMS.items():
        one, all_of_them = (least_seconds([plugin.path(program), *options, *named(nodes), *LOGIN])
                            for nodes in (proxies[:1], proxies))
        print(f"{name:<26}{flavour:<10}{one:>8.2f}{all_of_them:>10.2f}{all_of_them / one:>8.2f}")


def main():
    print(f"\n{ROUND_TRIP_S:g} s round trip; the least of {RUNS} runs in s\n")
    print(f"{'':<36}{'1 node':>8}{f'{NODES} nodes':>10}{'ratio':>8}")
    with Bench() as bench:
        for flavour in FLAVOURS:
            measure(bench, flavour)
    print(flush=True)
    subprocess.run([plugin.BUILD / "tests/plan_bench"], check=True)


if __name__ == "__main__":
    main()
