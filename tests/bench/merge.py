# SPDX-License-Identifier: MIT
"""Measures mysql_ha merge beside the procedure of Pandora FMS' manual, mysqldump | mysql.

    small    tables of many rows that both nodes have, and a short split: each node has written some
             alone. The manual's query reads the tables whole, as FROM_UNIXTIME(utimestamp) has no index
    indexed  the same against the manual's pipeline with a query that the index serves
    whole    the split is as long as the tables: the loser alone has all their rows, and the winner a
             tenth as many of its own

Of the rows 80 % are in tagente_datos, 15 % in tagente_datos_string and 5 % in tevento. After each run
the winner must have what the loser has. A line a case: seconds of the clock of both, their ratio,
CPU seconds of both with their servers, and the peak memory of mysql_ha. Times belong to a machine and
an hour, and one that does nothing else.
"""

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import cache  # noqa: E402
from cluster import Cluster  # noqa: E402
from servers import Bench  # noqa: E402
from writer import ADMIN_PASSWORD, ADMIN_USER  # noqa: E402

BEGIN = 1_700_000_000
ROWS_A_SECOND = 50
CHUNK = 100_000  # rows of one INSERT ... SELECT
MODULES = 5000  # of each node; the winner's come behind the loser's
# As pandoradb.sql has them.
SCHEMA = (
    "CREATE TABLE tagente (id_agente INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " nombre VARCHAR(600) NOT NULL DEFAULT '')",
    "CREATE TABLE tagente_modulo (id_agente_modulo INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id_agente INT UNSIGNED NOT NULL DEFAULT 0)",
    "CREATE TABLE tagente_datos (id_agente_modulo INT UNSIGNED NOT NULL DEFAULT 0,"
    " datos DOUBLE DEFAULT NULL, utimestamp BIGINT DEFAULT 0,"
    " KEY data_index1 (id_agente_modulo, utimestamp), KEY idx_utimestamp (utimestamp))",
    "CREATE TABLE tagente_datos_string (id_agente_modulo INT UNSIGNED NOT NULL DEFAULT 0,"
    " datos MEDIUMTEXT NOT NULL, utimestamp BIGINT NOT NULL DEFAULT 0,"
    " KEY data_index1 (id_agente_modulo, utimestamp), KEY idx_utimestamp (utimestamp))",
    "CREATE TABLE tevento (id_evento BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id_agente INT NOT NULL DEFAULT 0, id_usuario VARCHAR(100) NOT NULL DEFAULT '0',"
    " id_grupo MEDIUMINT NOT NULL DEFAULT 0, estado TINYINT UNSIGNED NOT NULL DEFAULT 0,"
    " timestamp DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00', evento TEXT NOT NULL,"
    " utimestamp BIGINT NOT NULL DEFAULT 0,"
    " event_type ENUM('going_unknown','alert_fired','going_up_normal') DEFAULT 'alert_fired',"
    " id_agentmodule INT NOT NULL DEFAULT 0, criticity INT UNSIGNED NOT NULL DEFAULT 0,"
    " user_comment TEXT, source TINYTEXT NOT NULL, ack_utimestamp BIGINT NOT NULL DEFAULT 0,"
    " owner_user VARCHAR(100) NOT NULL DEFAULT '0',"
    " KEY idx_agente (id_agente, id_evento), KEY idx_utimestamp (utimestamp))",
    "CREATE TABLE number (n INT PRIMARY KEY)")
NUMBERS = ("INSERT INTO number VALUES (0)", *(f"INSERT INTO number SELECT n + {1 << bit} FROM number"
                                              f" WHERE n + {1 << bit} < {CHUNK}" for bit in range(17)))
# table: (share in %, columns, the values of row {n} of module {module} at {at})
TABLES = {
    "tagente_datos": (80, "id_agente_modulo, datos, utimestamp",
                      "{module}, ELT(1 + {n} % 3, {n} % 2, ({n} * 7919 % 100000) / 100,"
                      " {n} * 1234567 / 1024), {at}"),
    "tagente_datos_string": (15, "id_agente_modulo, datos, utimestamp",
                             "{module}, CONCAT('disk /dev/sda', {n}, ' has no error: ',"
                             " LEFT(SHA2({n}, 256), 32)), {at}"),
    "tevento": (5, "id_agente, evento, utimestamp, id_agentmodule, timestamp, source",
                "1 + {module} % 100, CONCAT('Module cpu', {n}, ' is going to CRITICAL'), {at}, {module},"
                " FROM_UNIXTIME({at}), 'monitoring'")}
MEMORY = ("--innodb-buffer-pool-size=1G", "--max-allowed-packet=64M")
LOG = {"mariadb": "--innodb-log-file-size=512M", "mysql": "--innodb-redo-log-capacity=1G"}


@dataclasses.dataclass
class Case:
    """How many rows both nodes have, the loser alone and the winner alone."""
    name: str
    both: int
    lost: int
    own: int
    peer_where: str = ("FROM_UNIXTIME(utimestamp) >= FROM_UNIXTIME({0})"
                       " AND FROM_UNIXTIME(utimestamp) < FROM_UNIXTIME({1})")


@dataclasses.dataclass
class Spent:
    """What one run has cost."""
    seconds: float
    cpu_s: float
    peak_mib: float = 0.0


def cases_of(rows, window):
    small = Case("small", rows, window, window)
    return [small, dataclasses.replace(small, name="indexed",
                                       peer_where="utimestamp >= {0} AND utimestamp < {1}"),
            Case("whole", 0, rows, rows // 10)]


class Split:
    """A loser, db1, and a winner, db2, that have written apart."""

    def __init__(self, bench, flavour, case):
        self.case = case
        self.cluster = Cluster(bench, f"{flavour}-position", 2, options=(*MEMORY, LOG[flavour]))
        self.loser, self.winner = self.cluster.servers
        self.winner.stop_replication()
        forget = "RESET SLAVE ALL" if flavour == "mariadb" else "RESET REPLICA ALL"
        self.winner.sql(forget, "SET GLOBAL read_only = OFF")
        self.cluster.write_config(as_admin=True)
        for server in self.cluster.servers:
            self._change(server, "CREATE DATABASE pandora CHARACTER SET utf8mb4", "USE pandora", *SCHEMA,
                         *NUMBERS,
                         "INSERT INTO tagente (id_agente) SELECT n FROM number WHERE n BETWEEN 1 AND 100",
                         "INSERT INTO tagente_modulo SELECT n, 1 + n % 100 FROM number"
                         f" WHERE n BETWEEN 1 AND {2 * MODULES}")
            self._fill(server, 0, case.both, 1)
        self._fill(self.loser, case.both, case.lost, 1)
        self._fill(self.winner, case.both, case.own, 1 + MODULES)
        self.loser.sql("SET GLOBAL read_only = ON")
        ends = [BEGIN + case.both // ROWS_A_SECOND,
                BEGIN + (case.both + max(case.lost, case.own)) // ROWS_A_SECOND + 1]
        self.window = ends

    @staticmethod
    def _change(server, *statements):
        server.sql("SET SESSION sql_log_bin = 0", *statements, timeout=600)

    def _fill(self, server, first, count, first_module):
        """Give a server the rows from `first` on."""
        for table, (share, columns, values) in TABLES.items():
            begin, end = (number * share // 100 for number in (first, first + count))
            for chunk in range(begin, end, CHUNK):
                n = f"({chunk} + n)"
                values_of_n = values.format(n=n, module=f"({first_module} + {n} * 7919 % {MODULES})",
                                            at=f"({BEGIN} + {n} * 100 DIV {share * ROWS_A_SECOND})")
                self._change(server, "USE pandora", f"INSERT INTO {table} ({columns}) SELECT {values_of_n}"
                             f" FROM number WHERE n < {min(CHUNK, end - chunk)} ORDER BY n")

    def take_back(self):
        """Let the winner be as it was before the merge, and its binary logs be short."""
        for table in TABLES:
            if self.case.both == 0:
                self._change(self.winner, f"TRUNCATE pandora.{table}")
                continue
            module = "id_agentmodule" if table == "tevento" else "id_agente_modulo"
            self._change(self.winner, f"DELETE FROM pandora.{table} WHERE utimestamp >= {self.window[0]}"
                         f" AND {module} <= {MODULES}")
        if self.case.both == 0:
            self._fill(self.winner, 0, self.case.own, 1 + MODULES)
        self.winner.sql("FLUSH BINARY LOGS")
        self.winner.sql(f"PURGE BINARY LOGS TO '{self.winner.position()[0]}'")

    def contents(self, server):
        """Return how many of the loser's rows a server has, and a sum of what they contain."""
        result = {}
        for table, (_, columns, _) in TABLES.items():
            module = "id_agentmodule" if table == "tevento" else "id_agente_modulo"
            result[table] = server.sql(
                f"SELECT COUNT(*) AS n, SUM(CRC32(CONCAT_WS(',', {columns}))) AS crc FROM pandora.{table}"
                f" WHERE {module} <= {MODULES}", timeout=600)[0]
        return result

    def servers_cpu_s(self):
        """Return how much CPU time both servers have had."""
        ticks = 0
        for server in self.cluster.servers:
            fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def timed(self, work):
        """Return what work() has cost, which returns (CPU seconds of its processes, peak MiB)."""
        before, begin = self.servers_cpu_s(), time.monotonic()
        cpu_s, peak_mib = work()
        seconds = time.monotonic() - begin
        return Spent(seconds, cpu_s + self.servers_cpu_s() - before, peak_mib)

    def merge(self):
        words = ["merge", "--from", "db1", "--to", "db2", "--preset", "pandora", "--since",
                 f"@{self.window[0]}", "--until", f"@{self.window[1]}"]
        output = self.cluster.directory / "merge.output"
        with output.open("w") as out:
            process = subprocess.Popen([str(word) for word in self.cluster.command(*words)], stdout=out,
                                       stderr=out, stdin=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode <= 1, output.read_text()  # 1: nothing replicates from either
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def load_dump(self):
        """Do what the manual says, one table after the other."""
        before = os.times()
        for table in TABLES:
            dump = [*self._client("dump", self.loser), "-n", "-t", "--skip-create-options", "pandora", table,
                    "--where=" + self.case.peer_where.format(*self.window)]
            load = [*self._client("", self.winner), "pandora"]
            pipe = [dump, load]
            if table == "tevento":  # The winner numbers events anew.
                pipe.insert(1, ["sed", "-e", "s/([0-9]*,/(NULL,/g"])
            self._run_pipe(pipe)
        after = os.times()
        return (after.children_user + after.children_system - before.children_user
                - before.children_system, 0.0)

    def _client(self, purpose, server):
        login = self.cluster.directory / "client.cnf"
        login.write_text(f"[client]\nuser = {ADMIN_USER}\npassword = {ADMIN_PASSWORD}\n")
        login.chmod(0o600)
        return [*cache.client_command(self.cluster.flavour, purpose), f"--defaults-file={login}", "-h",
                server.host, "-P", str(server.port)]

    @staticmethod
    def _run_pipe(commands):
        processes, source = [], subprocess.DEVNULL
        for command in commands:
            processes.append(subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE))
            source = processes[-1].stdout
        rest, _ = processes[-1].communicate()
        for process in processes[:-1]:
            process.stdout.close()
            process.wait()
        assert not rest and not any(process.returncode for process in processes), rest


def measure(bench, flavour, case, rounds):
    split = Split(bench, flavour, case)
    wanted = split.contents(split.loser)
    runs = {split.merge: [], split.load_dump: []}
    for _ in range(rounds):
        for method, results in runs.items():
            split.take_back()
            results.append(split.timed(method))
            assert split.contents(split.winner) == wanted, method.__name__
    ours, peer = runs.values()
    seconds = [statistics.median(run.seconds for run in one) for one in (ours, peer)]
    cpu_s = [statistics.median(run.cpu_s for run in one) for one in (ours, peer)]
    print(f"{flavour:8} {case.name:8} {case.both:9} {case.lost:9} {seconds[0]:8.2f} {seconds[1]:8.2f}"
          f" {seconds[1] / seconds[0]:7.2f} {cpu_s[0]:8.2f} {cpu_s[1]:8.2f}"
          f" {max(run.peak_mib for run in ours):7.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/merge", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of all three tables (5000000)")
    parser.add_argument("--window", type=int, default=30_000,
                        help="rows of each node in a short split (30000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the median is told (3)")
    parser.add_argument("--flavour", choices=("mariadb", "mysql"), action="append", help="default: both")
    parser.add_argument("--case", choices=("small", "indexed", "whole"), action="append", help="default: all")
    chosen = parser.parse_args()
    print(f"{'':8} {'case':8} {'both':>9} {'lost':>9} {'ours s':>8} {'peer s':>8} {'peer/us':>7}"
          f" {'CPU s':>8} {'CPU s':>8} {'MiB':>7}", flush=True)
    for flavour in chosen.flavour or ("mariadb", "mysql"):
        for case in cases_of(chosen.rows, chosen.window):
            if case.name in (chosen.case or (case.name,)):
                with Bench() as bench:
                    measure(bench, flavour, case, chosen.rounds)


if __name__ == "__main__":
    sys.exit(main())
