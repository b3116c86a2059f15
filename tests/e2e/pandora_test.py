# SPDX-License-Identifier: MIT
"""conf-examples/pandora at work: its servers with their filters, the file that names the primary to
Pandora's server and console, and the drop-in that rebuilds the node which loses its writes."""

import fcntl
import html
import os
import re
import shlex
import subprocess

import pytest

import cache
import plugin
from cluster import Cluster, rows
from mysql_guard import MysqlGuard
from nagios import ROOT
from nrpe import adapted
from server import (MANAGER_PASSWORD, MANAGER_USER, REPLICATION_PASSWORD, REPLICATION_USER)
from servers import wait_until
from writer import ADMIN_PASSWORD, ADMIN_USER

EXAMPLES = ROOT / "conf-examples/pandora"
# What server.cnf says of another flavour's names, and what a test's servers have anyway.
MARIADB = {"log_replica_updates": "log_slave_updates", "replica_net_timeout": "slave_net_timeout",
           "gtid_mode": None}
GIVEN = ("server_id", "log_bin")


def server_options(flavour):
    """Return server.cnf as options of a server whose database is the test's."""
    lines = re.findall(r"^(\w+) += (\S+)", (EXAMPLES / "server.cnf").read_text(), re.M)
    assert dict(lines)["binlog_do_db"] == dict(lines)["replicate_do_db"] == "pandora"
    options = []
    for name, value in lines:
        name = MARIADB.get(name, name) if flavour == "mariadb" else name
        if name and name not in GIVEN:
            options.append(f"--{name.replace('_', '-')}={value.replace('pandora', 'shop')}")
    return options


# Of Pandora FMS 7.0.770 (pandoradb.sql).
TEVENTO = """CREATE TABLE shop.tevento (
  id_evento BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, id_agente INT NOT NULL DEFAULT 0,
  id_usuario VARCHAR(255) NOT NULL DEFAULT '0', id_grupo MEDIUMINT NOT NULL DEFAULT 0,
  estado TINYINT UNSIGNED NOT NULL DEFAULT 0, timestamp DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00',
  evento TEXT, utimestamp BIGINT NOT NULL DEFAULT 0,
  event_type ENUM('going_unknown','unknown','alert_fired','alert_recovered','alert_ceased',
    'alert_manual_validation','recon_host_detected','system','error','new_agent','going_up_warning',
    'going_up_critical','going_down_warning','going_down_normal','going_down_critical','going_up_normal',
    'configuration_change','ncm') DEFAULT 'unknown',
  id_agentmodule INT NOT NULL DEFAULT 0, id_alert_am INT NOT NULL DEFAULT 0,
  criticity INT UNSIGNED NOT NULL DEFAULT 0, tags TEXT, source TINYTEXT, id_extra TINYTEXT,
  critical_instructions TEXT, warning_instructions TEXT, unknown_instructions TEXT,
  owner_user VARCHAR(100) NOT NULL DEFAULT '', ack_utimestamp BIGINT NOT NULL DEFAULT 0,
  custom_data TEXT, data TINYTEXT, module_status INT NOT NULL DEFAULT 0, event_custom_id TEXT,
  KEY idx_utimestamp (utimestamp)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""


class PandoraPair(Cluster):
    """Two servers by file and position; nodes and accounts are in pandora_server.conf alone."""

    def __init__(self, bench, kind):
        super().__init__(bench, kind, 2, options=server_options(kind.split("-")[0]))
        # A statement without a default database is filtered out.
        self.db2.sql("CREATE TABLE IF NOT EXISTS shop.item (id INT PRIMARY KEY, note VARCHAR(200))")

    def write_config(self, *lines, **_):
        self.conf = self.directory / "pandora_server.conf"
        self.log = self.directory / "resync.log"
        (self.directory / "conf").mkdir(exist_ok=True)
        self.conf.write_text(re.sub("^dbhost.*\n", "", adapted(
            (EXAMPLES / "pandora_server.conf").read_text(), {
                "192.0.2.11,192.0.2.12": ",".join(f"{s.name}={s.host}:{s.port}" for s in self.servers),
                "ha_dbuser ha\nha_dbpass secret":
                    f"ha_dbuser {MANAGER_USER}\nha_dbpass {MANAGER_PASSWORD}",
                "repl_dbuser repl\nrepl_dbpass secret":
                    f"repl_dbuser {REPLICATION_USER}\nrepl_dbpass {REPLICATION_PASSWORD}",
                "incomingdir /var/spool/pandora/data_in": f"incomingdir {self.directory}",
                "dbname pandora": "dbname shop",
                "/var/log/pandora/pandora_ha_resync.log": self.log}), flags=re.M))
        text = (ROOT / "conf-examples/mysql-failover/pandora.conf").read_text()
        text = re.sub("^(witness|rescue-command|post-failover) .*\n", "", text, flags=re.M)
        binlog, dump = (shlex.join(cache.client_command(self.flavour, tool))
                        for tool in ("binlog", "dump"))
        self.config.write_text(adapted(text, {
            "/etc/pandora/pandora_server.conf": self.conf,
            "/etc/monitoring-plugins-ha/fence": "true",
            "/var/lib/monitoring-plugins-ha": self.state_dir}) + "".join(
                f"{line}\n" for line in ("probe-timeout=2", f"binlog-command={binlog}",
                                         f"dump-command={dump}", "method=dump", *lines)))
        self._install_drop_in()

    def _install_drop_in(self):
        programs = self.directory / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "mysql_ha").unlink(missing_ok=True)
        (programs / "mysql_ha").symlink_to(plugin.path("mysql_ha"))
        admin = self.directory / "admin.cnf"
        admin.write_text(f"[client]\nuser={ADMIN_USER}\npassword={ADMIN_PASSWORD}\n")
        admin.chmod(0o600)
        self.drop_in = programs / "pandora_ha_resync_slave.sh"
        self.drop_in.write_text(adapted((EXAMPLES / "pandora_ha_resync_slave.sh").read_text(), {
            "/etc/monitoring-plugins-ha/pandora.conf": self.config,
            "/etc/monitoring-plugins-ha/admin.cnf": admin}))
        self.drop_in.chmod(0o755)

    def begin_resync(self, master, slave):
        """Start the drop-in as pandora_ha does."""
        return subprocess.Popen([self.drop_in, self.conf, master, slave], stdin=subprocess.DEVNULL,
                                env={"PATH": f"{self.directory}/bin:{os.environ['PATH']}"})

    def states(self, node):
        """Return the states of a node in the log, in order, each once."""
        found = []
        for line in self.log.read_text().splitlines() if self.log.exists() else ():
            state = re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d {node} (\w+): .*", line)
            if state and [state[1]] != found[-1:]:
                found.append(state[1])
        return found

    def events(self, server):
        """Return (text, criticity) of each event of the console, in order."""
        return [(html.unescape(row["evento"]), row["criticity"]) for row in server.sql(
            "SELECT evento, criticity FROM shop.tevento WHERE event_type = 'system' AND estado = 0 AND "
            "id_agente = 0 AND ABS(utimestamp - UNIX_TIMESTAMP(timestamp)) < 2 AND "
            "utimestamp > UNIX_TIMESTAMP() - 600 AND source = 'mysql_ha' ORDER BY id_evento")]


@pytest.mark.parametrize("kind", ["mysql-position", "mariadb-position"])
def test_pandoras_pair_by_its_example(bench, kind):
    cluster = PandoraPair(bench, kind)
    alone = plugin.run_raw([plugin.path("mysql_ha"), "status", "--pandora-conf", cluster.conf,
                            "--state-dir", cluster.state_dir])
    assert alone.code == 0 and "equal" not in (alone.out if kind == "mysql-position" else ""), alone.out
    hosts = cluster.directory / "conf/pandora_ha_hosts.conf"
    plan = cluster.run("plan", "--assume-dead", "db1")
    assert plan.code == 0 and f"write-file    here: 127.0.0.1 into {hosts}\n" in plan.out, plan.out
    cluster.insert(1)
    cluster.catch_up()
    cluster.db1.kill()
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    assert hosts.read_bytes() == b"127.0.0.1"
    # The account may not: that is told, and no warning.
    granted = re.search(r"console-event db2: the console is not told: .*; to let it be, run: "
                        rf"(GRANT INSERT ON `shop`\.tevento TO '{MANAGER_USER}'@'\S+')$", outcome.out, re.M)
    assert granted, outcome.out
    cluster.db2.sql("USE shop", TEVENTO, granted[1])

    # The old primary comes back open, and both go on alone.
    cluster.db1.start()
    cluster.db1.sql("SET GLOBAL read_only = OFF")
    cluster.insert(100, server=cluster.db1)
    cluster.insert(2, server=cluster.db2)
    missing = cluster.run("merge", "--from", "db1", "--to", "db2", "--preset", "pandora", "--dry-run",
                          "--since", "@1", "--until", "@2")
    assert missing.code == 2 and "shop.tagente_datos" in missing.out, missing.out  # dbname, not pandora
    with open(f"{cluster.log}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wrong = cluster.begin_resync("db9", "db1")
        wait_until(lambda: cluster.states("db1") == ["pending"], 60, "a resync that waits")
    assert wrong.wait(60) == 1
    assert cluster.states("db1") == ["pending", "running", "failed"]

    assert cluster.begin_resync("db2", "db1").wait(120) == 0, cluster.log.read_text()
    assert cluster.states("db1")[3:] == ["running", "normal"], cluster.log.read_text()
    assert cluster.writers() == ["db2"] and rows(cluster.db1) == rows(cluster.db2) == {1, 2}
    told = [("mysql_ha rejoin: db1 is a replica of db2", 1)]
    assert cluster.events(cluster.db2) == told
    wait_until(lambda: cluster.events(cluster.db1) == told, what="the event to be replicated")

    # The guard of a machine whose file names another node corrects that.
    hosts.write_text("192.0.2.11")
    with MysqlGuard(cluster) as guard:
        guard.wait_for(f"{hosts} names db2")
    assert hosts.read_bytes() == b"127.0.0.1"
    assert MANAGER_PASSWORD not in cluster.log.read_text() + plan.out
