# SPDX-License-Identifier: MIT
"""conf-examples/mysql-failover at work: the documented account is enough, the variants for known
architectures do what they say, and binlogs are rescued from a dead primary's disk."""

import os
import re
from pathlib import Path

import pytest

import plugin
from documented import EXAMPLES, Documented, grants
from cluster import KINDS, fail_over_twice, rows
from writer import APP_PASSWORD, APP_USER
from guard import Guard
from nagios import ROOT
from nrpe import adapted
from server import REPLICATION_PASSWORD, REPLICATION_USER
from servers import wait_until


def test_the_man_page_has_the_same_grants():
    page = (ROOT / "man/handle_mysql_failover.h2m").read_text()
    for flavour in ("mariadb", "mysql"):
        assert grants(flavour) == grants(flavour, page)


@pytest.mark.parametrize("kind", KINDS)
def test_the_documented_account_is_enough_for_the_whole_circle(bench, kind):
    cluster = Documented(bench, kind, semi_sync=kind.endswith("gtid"))
    assert cluster.run("plan", "--assume-dead", "db1").code == 0
    # A client is connected, whose session has to end.
    client = cluster.db1.connect(unix_socket=None, host=cluster.db1.host, port=cluster.db1.port,
                                 user=APP_USER, password=APP_PASSWORD)
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    assert re.search(r"block-writers db1: read-only, [1-9]\d* connections ended", outcome.out)
    client.close()
    cluster.assert_one_primary(cluster.db2)
    fail_over_twice(cluster, cluster.db2, cluster.binlog_tool())


@pytest.mark.parametrize("kind, torn", [*((kind, False) for kind in KINDS),
                                        ("mariadb-gtid", True), ("mysql-gtid", True)])
def test_binlogs_are_rescued_from_the_dead_primary(bench, kind, torn):
    cluster = Documented(bench, kind)
    cluster.serve_ssh()
    cluster.allow_rescue()
    cluster.db1.sql("FLUSH BINARY LOGS")
    cluster.insert(1)
    cluster.catch_up()
    for replica in cluster.servers[1:]:
        replica.stop_replication(thread="IO")
    cluster.insert(2, 3)
    cluster.db1.sql("FLUSH BINARY LOGS")
    cluster.insert(4, 5, 6)
    cluster.db1.kill()
    if torn:
        last = max(Path(cluster.db1.datadir).glob("binlog.0*[0-9]"))
        os.truncate(last, last.stat().st_size - 40)
    outcome = cluster.run("handler", "--rescue-command", cluster.rescue_command())
    assert outcome.code == 0, outcome.out
    assert f"{4 if torn else 5} transactions" in outcome.out
    new = cluster.primary()
    assert rows(new) == {1, 2, 3, 4, 5} | (set() if torn else {6})
    cluster.assert_one_primary(new)


def test_a_binlog_that_is_gone_is_no_rescue(bench):
    cluster = Documented(bench, "mariadb-position", 2)
    cluster.serve_ssh()
    cluster.insert(1)
    cluster.catch_up()
    cluster.db2.stop_replication(thread="IO")
    cluster.insert(2)
    cluster.db1.sql("FLUSH BINARY LOGS")
    cluster.insert(3)
    cluster.db1.kill()
    index = Path(cluster.db1.datadir, "binlog.index")
    index.write_text(adapted(index.read_text(), {"./binlog.000001\n": ""}))
    outcome = cluster.run("handler", "--rescue-command", cluster.rescue_command())
    assert outcome.code == 1, outcome.out
    assert "no binlog.000001 in the index" in outcome.out
    assert rows(cluster.db2) == {1}


def cold_standby(bench):
    """A3: master and standby by file and position, and their guard."""
    cluster = Documented(bench, "mariadb-position", 2, template="nagios-perfparse.conf")
    cluster.stub("systemctl", 'echo "$*" >>$0.log')
    cluster.serve_ssh()
    config = bench.directory / "guard.conf"
    text = (EXAMPLES / "nagios-perfparse-guard.conf").read_text()
    text = re.sub("^(check|while-healthy) .*$", "", text, flags=re.M)
    check = cluster.stub("check-master", f"[ ! -e {bench.directory}/nagios-is-dead ] || exit 2")
    config.write_text(adapted(text, {
        "/usr/lib/nagios/plugins/eventhandlers/": f"{plugin.BUILD}/plugins/",
        "/etc/monitoring-plugins-ha/nagios-perfparse.conf": cluster.config,
        "root@master": "root@127.0.0.1", "retry-interval = 10": "retry-interval = 0.1",
        "/var/lib/monitoring-plugins-ha": cluster.state_dir}) + f"check = {check}\n")
    return cluster, Guard(config, cluster.environment)


STARTED = ["enable --now perfparse", "enable --now nagios"]
STOPPED = ["disable --now nagios perfparse", "disable --now mariadb"]


@pytest.mark.parametrize("lost", [False, True])
def test_cold_standby_is_activated_once_and_is_silent(bench, lost):
    cluster, guard = cold_standby(bench)
    assert guard.run() == (0, "")
    cluster.insert(1)
    cluster.catch_up()
    if lost:
        # The rescue finds nothing: a warning, not a failure.
        cluster.ssh.stop()
    cluster.db1.kill()
    (bench.directory / "nagios-is-dead").touch()
    code, out = guard.run()
    assert code == (1 if lost else 0), out
    assert cluster.writers() == ["db2"] and rows(cluster.db2) == {1}
    log = (cluster.programs / "systemctl.log").read_text().splitlines()
    assert log == (STARTED if lost else STOPPED + STARTED)
    assert (cluster.state_dir / "failover.lock").exists()
    cluster.db1.start()
    for _ in range(2):
        assert guard.run() == (0, "")
    assert (cluster.programs / "systemctl.log").read_text().splitlines() == log


def test_cold_standby_hands_over_a_database_that_lives(bench):
    cluster, guard = cold_standby(bench)
    cluster.stub("systemctl", f'[ "$3" != mariadb ] || kill {cluster.db1.process.pid}')
    (bench.directory / "nagios-is-dead").touch()
    cluster.insert(1, 2)
    wait_until(lambda: guard.run()[0] == 0 and cluster.writers() == ["db2"], 60, "the takeover")
    assert rows(cluster.db2) == {1, 2}


def test_pandora_is_told_its_new_primary(bench, tmp_path):
    cluster = Documented(bench, "mysql-position", 3, template="pandora.conf")
    cluster.stub("systemctl", 'echo "$*" >>$0.log')
    cluster.serve_ssh()
    (tmp_path / "conf").mkdir()
    server_conf = tmp_path / "pandora_server.conf"
    hosts = ",".join(f"{server.name}={server.host}:{server.port}" for server in cluster.servers)
    server_conf.write_text(f"ha_hosts {hosts}\nha_dbuser documented\nha_dbpass secret\n"
                           f"repl_dbuser {REPLICATION_USER}\nrepl_dbpass {REPLICATION_PASSWORD}\n"
                           f"incomingdir {tmp_path}\nsplitbrain_autofix 0\n")
    text = re.sub("^node.*\n", "", cluster.config.read_text(), flags=re.M)
    cluster.config.write_text(adapted(text, {"/etc/pandora/pandora_server.conf": server_conf}))
    cluster.insert(1)
    cluster.catch_up()
    cluster.db1.kill()
    outcome = cluster.run("handler")
    assert outcome.code == 0, outcome.out
    assert (tmp_path / "conf/pandora_ha_hosts.conf").read_text() == "127.0.0.1"
    assert (cluster.programs / "systemctl.log").read_text() == "restart pandora_server\n"
    cluster.assert_one_primary(cluster.db2)
