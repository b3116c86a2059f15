# SPDX-License-Identifier: MIT
"""What the measurements of failovers work with: a cluster of three that can be failed over again and
again, a client that notes each acknowledged write, and a guard."""

import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pymysql

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import cache  # noqa: E402
from plugin import BUILD  # noqa: E402
from server import REPLICATION_PASSWORD, REPLICATION_USER, spawn  # noqa: E402
from servers import replicate, start_all, wait_until  # noqa: E402

PLUGINS = BUILD / "plugins"
WRITES_PER_S = 200
SEMI_SYNC_WORDS = {"mariadb": ("master", "slave"), "mysql": ("source", "replica")}
ACKNOWLEDGED_STATUS = {"mariadb": "Rpl_semi_sync_master_yes_tx",
                       "mysql": "Rpl_semi_sync_source_yes_tx"}
# Longer than any failover takes: nobody gives up waiting for a second copy.
SEMI_SYNC_TIMEOUT_MS = 60000
READ_ONLY_ERROR = 1290


class Cluster:
    """A primary, db1, and two read-only replicas, with what mysql_ha needs to manage them.

    `settings` are more lines of the cluster file."""

    def __init__(self, bench, flavour, *settings, semi_sync=True):
        self.flavour, self.semi_sync = flavour, semi_sync
        self.rebuilt = 0  # nodes whose rejoin was refused, rightly, because they had more
        # A node that comes back is closed until somebody opens it.
        self.nodes = start_all([bench.new_server(flavour, options=["--read-only=ON"])
                                for _ in range(3)])
        primary, *replicas = self.nodes
        for node in self.nodes:
            node.create_user("ha", "ha-secret", ["ALL PRIVILEGES ON *.*"])
            node.create_user("app", "app-secret", ["ALL PRIVILEGES ON shop.*"])
            if semi_sync:
                # Short at first: a replica's first transaction waits for replicas of its own.
                node.enable_semi_sync(timeout_ms=10)
        for replica in replicas:
            replicate(replica, primary)
        primary.sql("SET GLOBAL read_only = OFF", "CREATE DATABASE shop",
                    "CREATE TABLE shop.item (id BIGINT PRIMARY KEY)")
        for replica in replicas:
            replica.wait_caught_up(primary)
        for node in self.nodes:
            self.set_semi_sync(node, SEMI_SYNC_TIMEOUT_MS)
        self.directory = bench.directory
        self.file = bench.directory / "cluster.conf"
        self.file.write_text("\n".join([
            "username = ha", "password = ha-secret", f"repl-username = {REPLICATION_USER}",
            f"repl-password = {REPLICATION_PASSWORD}", f"state-dir = {bench.directory}/state",
            "fence = none", "retries = 1", "min-interval = 0.001",
            f"binlog-command = {shlex.join(self.binlog_command())}", *settings,
            *(f"node = {n.name}={n.host}:{n.port}" for n in self.nodes)]) + "\n")
        self.file.chmod(0o600)

    def binlog_command(self):
        """Return the command line that begins mysqlbinlog for this flavour."""
        return cache.client_command(self.flavour, "binlog")

    def client_command(self):
        """Return the command line that begins the flavour's client, logged in."""
        login = self.directory / "client.cnf"
        login.write_text("[client]\nuser = ha\npassword = ha-secret\n")
        login.chmod(0o600)
        return [*cache.client_command(self.flavour), f"--defaults-file={login}"]

    def set_semi_sync(self, node, timeout_ms, afresh=False):
        """Set what the configuration of a semi-sync node would hold; afresh: as if it began only
        now, having waited for nobody yet."""
        if not self.semi_sync:
            return
        source, replica = SEMI_SYNC_WORDS[self.flavour]
        node.sql(f"SET GLOBAL rpl_semi_sync_{source}_timeout = {timeout_ms}",
                 *([f"SET GLOBAL rpl_semi_sync_{source}_enabled = OFF"] if afresh else []),
                 f"SET GLOBAL rpl_semi_sync_{source}_enabled = ON",
                 f"SET GLOBAL rpl_semi_sync_{replica}_enabled = ON")

    def copied(self, node):
        """Return how many transactions of its own a node knows to be on a second node."""
        rows = node.sql(f"SHOW GLOBAL STATUS LIKE '{ACKNOWLEDGED_STATUS[self.flavour]}'")
        return int(rows[0]["Value"])

    def alive(self):
        """Return the nodes that run."""
        return [node for node in self.nodes if node.running]

    def primary(self):
        """Return the only node that accepts writes."""
        writers = [n for n in self.alive() if n.value("@@global.read_only") == 0]
        assert len(writers) == 1, [n.name for n in writers]
        return writers[0]

    def rows(self, node=None):
        """Return the ids that a node, the primary unless one is named, has."""
        return {row["id"] for row in (node or self.primary()).sql("SELECT id FROM shop.item")}

    def run(self, *words, most=1):
        """Run mysql_ha, which must end with a code of at most `most`; return its output."""
        done = subprocess.run([PLUGINS / "mysql_ha", *words, "--cluster", self.file], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=150)
        if done.returncode > most:
            raise RuntimeError(f"mysql_ha {' '.join(words)} ({done.returncode}):\n{done.stdout}")
        return done.stdout

    def runs(self):
        """Return a line for each change that mysql_ha or its handler has begun."""
        return self.run("journal").splitlines()

    def bring_back(self, node, rebuild=True):
        """Start a dead node and make it a replica again; return what mysql_ha rejoin said."""
        node.start()
        self.set_semi_sync(node, 10)
        answer = self.run("rejoin", node.name, most=2)
        if "rejoin done" not in answer:
            # A transaction that nobody was promised may be on its disk alone.
            assert re.search("rejoin refused: .* has .* transactions that", answer), answer
            if rebuild:
                self.rebuild(node)
        else:
            self._settle(node)
        return answer

    def _settle(self, node):
        primary = self.primary()
        node.wait_channel(io="Yes", sql="Yes", source_port=primary.port)
        wait_until(lambda: self.rows(node) == self.rows(primary), 60, f"{node.name} to be equal")
        self.set_semi_sync(node, SEMI_SYNC_TIMEOUT_MS)

    def rebuild(self, node):
        """Make a diverged node a copy of another one."""
        self.rebuilt += 1
        self.run("resync", node.name, "--method", "dump", "--dump-command",
                 shlex.join(cache.client_command(self.flavour, "dump")))
        self._settle(node)


class Writer(threading.Thread):
    """A client that inserts WRITES_PER_S numbered rows a second into whichever node accepts them,
    and notes which were acknowledged, by whom and when. A session to each node stays open."""

    _numbers = itertools.count(1)  # no two clients ever use the same

    def __init__(self, nodes):
        super().__init__(daemon=True)
        self.nodes = nodes
        self.acknowledged = []  # (monotonic seconds, number, node)
        self.unanswered = set()  # may be there or not
        self._sessions = {}
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        self.wait_for(50)
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join(70)
        for session in self._sessions.values():
            session.close()

    def wait_for(self, count, timeout=60.0):
        """Wait until `count` more rows were acknowledged."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted, timeout, f"{count} writes")

    def by(self, node):
        """Return the times at which a node acknowledged rows."""
        return [at for at, _, name in list(self.acknowledged) if name == node.name]

    def gap(self):
        """Return the longest time between two acknowledgements."""
        times = [at for at, _, _ in self.acknowledged]
        return max(after - before for before, after in zip(times, times[1:]))

    def numbers(self):
        """Return the numbers of the acknowledged rows."""
        return {number for _, number, _ in list(self.acknowledged)}

    def lost(self, rows):
        """Return the acknowledged numbers that are not among `rows`."""
        return self.numbers() - rows

    def run(self):
        at, due = 0, time.monotonic()
        while not self._over.is_set():
            node = self.nodes[at % len(self.nodes)]
            number = next(self._numbers)
            try:
                self._insert(node, number)
                self.acknowledged.append((time.monotonic(), number, node.name))
                due = max(due + 1 / WRITES_PER_S, time.monotonic() - 0.1)
                time.sleep(max(0.0, due - time.monotonic()))
            except (pymysql.err.MySQLError, OSError) as error:
                if error.args[0] != READ_ONLY_ERROR:
                    self.unanswered.add(number)
                    self._forget(node)
                at += 1
                time.sleep(0.0005)

    def _insert(self, node, number):
        if node.name not in self._sessions:
            self._sessions[node.name] = node.connect(
                2.0, unix_socket=None, host=node.host, port=node.port, user="app",
                password="app-secret", read_timeout=70, write_timeout=70)
        with self._sessions[node.name].cursor() as cursor:
            cursor.execute(f"INSERT INTO shop.item VALUES ({number})")

    def _forget(self, node):
        session = self._sessions.pop(node.name, None)
        if session is not None:
            session._force_close()  # close() would say goodbye to whoever does not listen


class Guard:
    """ha_guard --daemon whose check is check_mysql_split_brain and whose action is the failover."""

    CHECK_S, RETRIES, INTERVAL_S = 1.5, 3, 0.5
    # How long a frozen primary goes unanswered before the guard acts.
    DETECTION_S = RETRIES * CHECK_S + (RETRIES - 1) * INTERVAL_S

    def __init__(self, cluster, name):
        self.log = f"{cluster.directory}/{name}.log"
        self.check = [str(PLUGINS / "check_mysql_split_brain"), "-t", str(self.CHECK_S),
                      "--cluster", str(cluster.file)]
        handler = [str(PLUGINS / "handle_mysql_failover"), "--state", "CRITICAL", "--state-type",
                   "HARD", "--attempt", str(self.RETRIES), "--cluster", str(cluster.file)]
        file = cluster.directory / f"{name}.conf"
        file.write_text("\n".join([
            f"name = {name}", f"state-dir = {cluster.directory}/guard",
            f"check = {shlex.join(self.check)}", f"retries = {self.RETRIES}",
            f"retry-interval = {self.INTERVAL_S}", f"interval = {self.INTERVAL_S}",
            f"on-failure = {shlex.join(handler)}", "command-timeout = 150"]) + "\n")
        self._command = [str(PLUGINS / "ha_guard"), "--daemon", f"--config={file}"]
        self._directory = cluster.directory

    def __enter__(self):
        self._process = spawn(self._command, self.log, self._directory)
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def said(self, words):
        """Return how often these words are in what it printed."""
        return Path(self.log).read_text().count(words)

    def cpu_s(self):
        """Return the CPU seconds of the guard and its ended children so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[i]) for i in range(11, 15)) / os.sysconf("SC_CLK_TCK")

    def peaks_mib(self):
        """Return the peak resident memory of the guard and of one run of its check."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        own = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
        report = f"{self._directory}/memory"
        subprocess.run(["/usr/bin/time", f"--output={report}", "--format=%M", *self.check],
                       stdout=subprocess.DEVNULL, check=False)
        return own / 1024, int(Path(report).read_text().split()[-1]) / 1024
