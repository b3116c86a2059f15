# SPDX-License-Identifier: MIT
"""A cluster that can be failed over again and again, and the guard that watches it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "live")]

import cache  # noqa: E402
import plugin  # noqa: E402
from cluster import Cluster, rows  # noqa: E402
from guard import Guard  # noqa: E402
from servers import wait_until  # noqa: E402
from writer import ADMIN_PASSWORD, ADMIN_USER  # noqa: E402

SEMI_SYNC_WORDS = {"mariadb": ("master", "slave"), "mysql": ("source", "replica")}
ACKNOWLEDGED_STATUS = {"mariadb": "Rpl_semi_sync_master_yes_tx",
                       "mysql": "Rpl_semi_sync_source_yes_tx"}
# Longer than any failover takes: no server gives up waiting for a second copy.
SEMI_SYNC_TIMEOUT_MS = 60000
# The guard's check, and how long a frozen primary goes unanswered before the guard acts.
CHECK_S, RETRIES, INTERVAL_S = 1.5, 3, 0.5
DETECTION_S = RETRIES * CHECK_S + (RETRIES - 1) * INTERVAL_S


class ReturningCluster(Cluster):
    """A cluster of three in which a dead primary comes back as a replica."""

    def __init__(self, bench, flavour, semi_sync=True):
        self.rebuilt = 0  # nodes whose rejoin was refused, rightly, because they had more
        binlog_command = shlex.join(cache.client_command(flavour, "binlog"))
        self.settings = ("fence=none", "retries=1", "min-interval=0.001",
                         f"binlog-command={binlog_command}")
        # A node that comes back is closed until an operator opens it.
        super().__init__(bench, f"{flavour}-gtid", semi_sync=semi_sync, options=("--read-only=ON",))

    def write_config(self, *lines, nodes=None, as_admin=True):
        """Write the cluster file for an administrator, who may copy servers."""
        super().write_config(*lines, nodes=nodes, as_admin=as_admin)

    def client_command(self):
        """Return the command line that begins the flavour's client, logged in."""
        login = self.directory / "client.cnf"
        login.write_text(f"[client]\nuser = {ADMIN_USER}\npassword = {ADMIN_PASSWORD}\n")
        login.chmod(0o600)
        return [*cache.client_command(self.flavour), f"--defaults-file={login}"]

    def set_semi_sync(self, server, timeout_ms, afresh=False):
        """Set what the configuration of a semi-sync server would hold; afresh: as if it began only
        now, having waited for no replica yet."""
        if not self.semi_sync:
            return
        if afresh:
            source = SEMI_SYNC_WORDS[self.flavour][0]
            server.sql(f"SET GLOBAL rpl_semi_sync_{source}_enabled = OFF")
        server.enable_semi_sync(timeout_ms)

    def copied(self, server):
        """Return how many transactions of its own a server knows to be on a second one."""
        answer = server.sql(f"SHOW GLOBAL STATUS LIKE '{ACKNOWLEDGED_STATUS[self.flavour]}'")
        return int(answer[0]["Value"])

    def tool(self, *words, most=1):
        """Run mysql_ha, which must end with a code of at most `most`; return its output."""
        done = plugin.run_raw(self.command(*words), timeout=150, env=self.environment)
        if done.code > most:
            raise RuntimeError(f"mysql_ha {' '.join(words)} ({done.code}):\n{done.out}")
        return done.out

    def bring_back(self, server, rebuild=True):
        """Start a dead server and make it a replica again; return what mysql_ha rejoin reports."""
        server.start()
        self.set_semi_sync(server, 10)
        answer = self.tool("rejoin", server.name, most=2)
        if "rejoin done" not in answer:
            # A transaction that no client was promised may be on its disk alone.
            assert re.search("rejoin refused: .* has .* transactions? that", answer), answer
            if rebuild:
                self.rebuild(server)
        else:
            self._wait_equal(server)
        return answer

    def rebuild(self, server):
        """Make a diverged server a copy of another one."""
        self.rebuilt += 1
        self.tool("resync", server.name, "--method", "dump", "--dump-command",
                  shlex.join(cache.client_command(self.flavour, "dump")))
        self._wait_equal(server)

    def _wait_equal(self, server):
        primary = self.primary()
        server.wait_channel(io="Yes", sql="Yes", source_port=primary.port)
        wait_until(lambda: rows(server) == rows(primary), 60, f"{server.name} to be equal")
        self.set_semi_sync(server, SEMI_SYNC_TIMEOUT_MS)


def check_command(cluster):
    """Return the command line of the check that the guard makes."""
    return [plugin.path("check_mysql_split_brain"), "-t", str(CHECK_S), "--cluster",
            str(cluster.config)]


def guard_of(cluster, name):
    """Return a guard whose check is check_mysql_split_brain and whose action is the failover."""
    handler = [plugin.path("handle_mysql_failover"), "--state", "CRITICAL", "--state-type", "HARD",
               "--attempt", str(RETRIES), "--cluster", str(cluster.config)]
    file = cluster.directory / f"{name}.conf"
    file.write_text("\n".join([
        f"name = {name}", f"state-dir = {cluster.directory}/guard",
        f"check = {shlex.join(check_command(cluster))}", f"retries = {RETRIES}",
        f"retry-interval = {INTERVAL_S}", f"interval = {INTERVAL_S}",
        f"on-failure = {shlex.join(handler)}", "command-timeout = 150"]) + "\n")
    return Guard(file)


def check_peak_mib(cluster):
    """Return the peak resident memory of one run of the guard's check."""
    report = cluster.directory / "memory"
    subprocess.run(["/usr/bin/time", f"--output={report}", "--format=%M", *check_command(cluster)],
                   stdout=subprocess.DEVNULL, check=False)
    return int(report.read_text().split()[-1]) / 1024
