# SPDX-License-Identifier: MIT
"""Measures mysql_ha resync beside the tool that it copies with: on MySQL the bare statement CLONE INSTANCE
until the server answers with the copy, on MariaDB conf-examples' copy-mariabackup alone, likewise.

After each run the node must have the rows of the one that it is a copy of, and after resync it must be its
replica. Then each step of the last resync is printed with the time at which it began. The copy needs three
times --mib of room, in memory where /dev/shm has it. Times belong to a machine and an hour, and one that
does nothing else.
"""

import argparse
import contextlib
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import pymysql  # noqa: E402

import cache  # noqa: E402
from cluster import Cluster  # noqa: E402
from copying import Machines, supervised  # noqa: E402
from servers import Bench, wait_until  # noqa: E402
from writer import ADMIN_PASSWORD, ADMIN_USER  # noqa: E402

ROWS_A_MIB = 1000  # of about a KiB each
CHUNK = 50_000
PATIENCE_S = 3600
MEMORY = ("--innodb-buffer-pool-size=512M",)
LOG = {"mariadb": "--innodb-log-file-size=512M", "mysql": "--innodb-redo-log-capacity=1G"}


class Copied:
    """A primary, db1, with rows, and db2, which becomes a copy of it."""

    def __init__(self, bench, flavour, mib):
        self.cluster = Cluster(bench, f"{flavour}-gtid", 2, options=(*MEMORY, LOG[flavour]))
        self.source, self.target = self.cluster.servers
        self.words = ("--copy-timeout", str(PATIENCE_S))
        tools = [f"{name}-command={shlex.join(cache.client_command(flavour, name))}"
                 for name in ("dump", "binlog")]
        self.cluster.write_config(*tools, as_admin=True)
        self._change("USE shop", "CREATE TABLE number (n INT PRIMARY KEY)", "INSERT INTO number VALUES (0)",
                     *(f"INSERT INTO number SELECT n + {1 << bit} FROM number WHERE n + {1 << bit} < {CHUNK}"
                       for bit in range(16)),
                     "CREATE TABLE large (id INT PRIMARY KEY, content VARCHAR(2000))")
        for first in range(0, mib * ROWS_A_MIB, CHUNK):
            self._change("USE shop", f"INSERT INTO large SELECT {first} + n, REPEAT(SHA2({first} + n, 256), 14)"
                         f" FROM number WHERE n < {min(CHUNK, mib * ROWS_A_MIB - first)}")
        self.size = self.source.sql("SELECT COUNT(*) AS n, SUM(id) AS ids FROM shop.large", timeout=600)

    def _change(self, *statements):
        self.source.sql("SET SESSION sql_log_bin = 0", *statements, timeout=600)

    def resync(self):
        """Return the seconds that mysql_ha takes; what it printed is kept."""
        with self._machines() as options, supervised_if(self.cluster, self.target):
            begin = time.monotonic()
            done = subprocess.run([str(word) for word in self.cluster.command(
                "resync", "db2", "-v", *options, *self.words)], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, check=False)
            seconds = time.monotonic() - begin
        self.said = done.stdout
        assert done.returncode <= 1, done.stdout
        self.target.wait_channel(io="Yes", sql="Yes")
        return seconds

    def copy(self):
        """Return the seconds that the tool itself takes."""
        for channel in self.target.channels():
            self.target.stop_replication(channel.name)
        seconds = self._clone() if self.cluster.flavour == "mysql" else self._run_mariabackup()
        self.target.sql("SET GLOBAL read_only = ON")
        return seconds

    def _clone(self):
        for server in (self.source, self.target):
            if not server.sql("SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'clone'"):
                server.sql("SET SESSION sql_log_bin = 0", "SET GLOBAL super_read_only = OFF",
                           "INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
        self.target.sql("SET GLOBAL super_read_only = OFF", "RESET PERSIST",
                        f"SET GLOBAL clone_valid_donor_list = '{self.source.host}:{self.source.port}'")
        with supervised(self.target):
            begin = time.monotonic()
            process = self.target.process
            try:
                self.target.sql(f"CLONE INSTANCE FROM {ADMIN_USER}@'{self.source.host}':{self.source.port}"
                                f" IDENTIFIED BY '{ADMIN_PASSWORD}'", timeout=PATIENCE_S)
            except pymysql.err.OperationalError:
                pass  # It ends, to be started again.
            wait_until(lambda: self.target.process is not process, PATIENCE_S)
            self.target.wait_ready()
            return time.monotonic() - begin

    def _run_mariabackup(self):
        with self._machines() as (_, command):
            begin = time.monotonic()
            process = self.target.process
            subprocess.run([command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env={**os.environ, "HA_SOURCE_HOST": self.source.host,
                                "HA_TARGET_HOST": self.target.host})
            wait_until(lambda: self.target.process is not process, PATIENCE_S)
            self.target.wait_ready()
            return time.monotonic() - begin

    def _machines(self):
        return machines_of(self.cluster, self.source, self.target)


@contextlib.contextmanager
def machines_of(cluster, source, target):
    """Return the options of a copy; on MariaDB as long as the machines of both are there."""
    if cluster.flavour == "mysql":
        yield ("--method", "clone")
        return
    for name in ("bin", "ssh"):
        shutil.rmtree(cluster.directory / name, ignore_errors=True)
    (cluster.directory / "started").unlink(missing_ok=True)
    with Machines(cluster, source, target) as machines:
        yield ("--copy-command", machines.command)


def supervised_if(cluster, server):
    """Start a cloned server again; mariabackup's is started by its command."""
    return supervised(server) if cluster.flavour == "mysql" else contextlib.nullcontext()


def measure(bench, flavour, mib, rounds):
    copied = Copied(bench, flavour, mib)
    seconds = {copied.resync: [], copied.copy: []}
    for _ in range(rounds):
        for method, results in seconds.items():
            results.append(method())
            there = copied.target.sql("SELECT COUNT(*) AS n, SUM(id) AS ids FROM shop.large", timeout=600)
            assert there == copied.size, method.__name__
    ours, tool = (statistics.median(results) for results in seconds.values())
    print(f"{flavour:8} {mib:6} {ours:8.2f} {tool:8.2f} {ours / tool:7.2f}", flush=True)
    print(copied.said, flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/resync", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=2048, help="of rows (2048)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the median is told (3)")
    parser.add_argument("--flavour", choices=("mariadb", "mysql"), action="append", help="default: both")
    chosen = parser.parse_args()
    print(f"{'':8} {'MiB':>6} {'ours s':>8} {'tool s':>8} {'us/tool':>7}", flush=True)
    for flavour in chosen.flavour or ("mariadb", "mysql"):
        with Bench() as bench:
            measure(bench, flavour, chosen.mib, chosen.rounds)


if __name__ == "__main__":
    sys.exit(main())
