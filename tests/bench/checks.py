# SPDX-License-Identifier: MIT
"""Measures our checks, their peers and a minimal client on one healthy MariaDB replica.

Instructions are counted by callgrind and hardly vary. Wall and CPU time are the least of many runs,
what a program needs when nothing disturbs it; all programs take turns, so that a busy minute of the
machine strikes each of them.
"""

import dataclasses
import json
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import pairs  # noqa: E402
import plugin  # noqa: E402
from servers import MONITOR_PASSWORD, MONITOR_USER, Bench  # noqa: E402

PEERS = "/usr/lib/nagios/plugins"
FLOOR = "minimal client"
CHECK_MYSQL = "check_mysql -S"
ROUNDS, RUNS = 16, 5


@dataclasses.dataclass
class Cost:
    """What one run of a program costs; a script's costs include the programs that it starts."""
    instructions: float  # million
    wall: float  # ms
    cpu: float  # ms
    memory: float  # MB, the largest process
    libraries: int  # loaded at the start; 0 for scripts


# field: (heading, format of its value)
COLUMNS = {"instructions": ("M instructions", ".2f"), "wall": ("wall ms", ".1f"),
           "cpu": ("CPU ms", ".1f"), "memory": ("peak MB", ".1f")}


def build_floor(directory):
    """Compile floor.c with the client library that the checks use; return the program's path."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "mysqlclient"], check=True,
                           text=True, capture_output=True).stdout.split()
    program = f"{directory}/floor"
    subprocess.run(["cc", "-O2", HERE / "floor.c", "-o", program, *flags], check=True)
    return program


def programs(server, floor):
    """Return {name: command line}."""
    host, port = server.host, str(server.port)
    account = [MONITOR_USER, MONITOR_PASSWORD]
    login = pairs.login(server)
    return {
        FLOOR: [floor, host, port, *account, "SHOW ALL SLAVES STATUS"],
        **{check: [plugin.path(check), *login] for check in plugin.CHECKS},
        CHECK_MYSQL: [f"{PEERS}/check_mysql", "-S", *login],
        "check_mysql_health": [f"{PEERS}/check_mysql_health", "--mode", "slave-lag",
                               "--hostname", host, "--port", port,
                               "--username", account[0], "--password", account[1]],
        "pmp-check-mysql-replication-delay": [f"{PEERS}/pmp-check-mysql-replication-delay",
                                              "-H", host, "-P", port,
                                              "-l", account[0], "-p", account[1]],
    }


def output_of(command):
    """Run a command that must succeed; return its standard output."""
    done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def count_instructions(command, directory):
    """Return the instructions of a command and its children in millions."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        output_of(["valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
                   f"--callgrind-out-file={scratch}/%p", *command])
        counts = [re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.M)
                  for path in Path(scratch).iterdir()]
    return sum(int(count[1]) for count in counts) / 1e6


def measure_times(commands, directory):
    """Return {name: (wall, CPU)} in ms."""
    results = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            export = Path(directory) / "hyperfine.json"
            output_of(["hyperfine", "-N", "--style=none", "--warmup=2", f"--runs={RUNS}",
                       f"--export-json={export}", shlex.join(command)])
            results[name] += json.loads(export.read_text())["results"]
    return {name: (1e3 * min(round["min"] for round in rounds),
                   1e3 * min(round["user"] + round["system"] for round in rounds))
            for name, rounds in results.items()}


def measure_memory(command, directory):
    """Return the peak resident memory of the largest process in MB, as a median."""
    # Not wait4(): a child inherits the peak of the process that forks it, here a large one.
    report = Path(directory) / "memory"
    peaks = []
    for _ in range(RUNS):
        output_of(["/usr/bin/time", f"--output={report}", "--format=%M", *command])
        peaks.append(int(report.read_text()))
    return statistics.median(peaks) / 1e3


def count_libraries(program):
    """Return how many shared libraries the dynamic linker loads for a program, 0 for a script."""
    done = subprocess.run(["ldd", program], text=True, capture_output=True)
    return done.stdout.count(" => /")


def measure(commands, directory):
    """Return {name: Cost}."""
    for command in commands.values():
        output_of(command)
    times = measure_times(commands, directory)
    return {name: Cost(count_instructions(command, directory), *times[name],
                       measure_memory(command, directory), count_libraries(command[0]))
            for name, command in commands.items()}


def table(costs):
    """Return lines: per program and quantity the value and its ratios to floor and check_mysql."""
    width = max(map(len, costs)) + 1
    groups = "".join(f"| {heading:<15}{'/floor':>7}{'/peer':>6} "
                     for heading, _ in COLUMNS.values())
    lines = [" " * width + groups + "| libraries"]
    for name, cost in costs.items():
        line = f"{name:<{width}}"
        for field, (_, form) in COLUMNS.items():
            value = getattr(cost, field)
            floor, peer = (value / getattr(costs[n], field) for n in (FLOOR, CHECK_MYSQL))
            line += f"| {value:<15{form}}{floor:>7.2f}{peer:>6.2f} "
        lines.append(line + f"| {cost.libraries or 'a script'}")
    return lines


def main():
    with Bench() as bench:
        pair = pairs.Pair(bench, "mariadb-gtid").caught_up()
        commands = programs(pair.replica, build_floor(bench.directory))
        costs = measure(commands, bench.directory)
        version = pair.replica.value("VERSION()")
    print(f"\nMariaDB {version}, a healthy replica with one channel, over TCP without TLS;"
          f"\nthe least time of {ROUNDS * RUNS} runs; /floor is the ratio to the {FLOOR}, /peer to"
          f" {CHECK_MYSQL}\n")
    print("\n".join(table(costs)))


if __name__ == "__main__":
    main()
