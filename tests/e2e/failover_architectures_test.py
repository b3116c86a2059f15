# SPDX-License-Identifier: MIT
"""conf-examples/mysql-failover at work: the documented account is enough, the variants for known
architectures do what they say, and binlogs are rescued from a dead primary's disk."""

import os
import re
import shutil
from pathlib import Path

import pytest

import plugin
from documented import EXAMPLES, Documented, grants
from cluster import KINDS, fail_over_twice, rows
from writer import APP_PASSWORD, APP_USER
from guard import Guard
from lan import Lan, place_servers
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


STARTED = ["start perfparse", "start nagios"]
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


MHA = """[server default]
user=documented
password=secret
repl_user={user}
repl_password={password}
ping_interval=3
master_ip_failover_script=/usr/local/bin/master_ip_failover
[server1]
hostname={db1.host}
candidate_master=1
[server2]
hostname={db2.host}
"""


class ZabbixPair(Documented):
    """B: two machines in one network with a virtual address, and MHA's configuration."""

    def __init__(self, bench):
        self.lan = bench.add(Lan("db1", "db2"))
        place_servers(bench, self.lan)
        super().__init__(bench, "mysql-position", 2, template="zabbix-mha.conf",
                         options=["--bind-address=*"])

    def write_config(self, *_, **__):
        mha = self.directory / "app1.cnf"
        mha.write_text(MHA.format(user=REPLICATION_USER, password=REPLICATION_PASSWORD, db1=self.db1,
                                  db2=self.db2))
        self.config.write_text(adapted(self._template, {
            "/etc/mha/app1.cnf": mha, "/var/lib/monitoring-plugins-ha": self.state_dir,
            "192.168.10.254": "127.0.0.1:1", "/usr/local/bin": self.programs,
            "/etc/monitoring-plugins-ha": EXAMPLES, "/var/log/masterha/app1": self.directory,
            # That of the one which dies.
            "/var/lib/mysql mysqlbinlog": f"{self.db2.datadir} '{self.binlog_tool()}'"}))

    def command(self, *words):
        """It runs on the standby, where MHA's manager ran."""
        return [*self.lan["db2"].inside, *super().command(*words)]

    def holders(self):
        """Return the names of the machines that hold the address."""
        return [name for name, machine in self.lan.machines.items() if machine.holds(VIP)]

    def behind_the_address(self):
        """Return the server_id of whom a client reaches by it."""
        return self.lan["db1"].run("mariadb", "-h", VIP, "-udocumented",
                                   "-psecret", "-NBe", "SELECT @@server_id", check=False).strip()


VIP = "192.168.10.10"


def test_zabbix_pair_moves_its_address_as_with_mha(bench):
    cluster = ZabbixPair(bench)
    for name in ("db1", "db2"):
        cluster.lan[name].run("ip", "addr", "add", f"192.168.10.{name[2]}/24", "dev", "eth0")
    cluster.lan["db1"].add(f"{VIP}/24")
    cluster.serve_ssh(cluster.lan.machines.values())
    here = "$(ip -o -4 addr show to 10.77.0.0/24 | tr -s ' ' | cut -d' ' -f4)"
    cluster.stub("systemctl", f'echo "{here}: $*" >>$0.log')
    cluster.stub("power_manager", 'echo "$*" >>$0.log; exit 10')
    cluster.insert(1)
    cluster.catch_up()

    outcome = cluster.run("switchover")
    assert outcome.code == 0, outcome.out
    cluster.assert_one_primary(cluster.db2)
    assert cluster.holders() == ["db2"] and cluster.behind_the_address() == str(cluster.db2.server_id)
    assert (cluster.programs / "systemctl.log").read_text().splitlines() == [
        "10.77.0.1/24: disable --now zabbix-server", "10.77.0.2/24: enable --now zabbix-server"]

    cluster.insert(2, server=cluster.db2)
    cluster.db1.wait_caught_up(cluster.db2)
    cluster.db2.kill()
    outcome = cluster.run("handler")
    assert outcome.code == 1, outcome.out
    assert "warning: 10.77.0.2 is NOT fenced, the operator accepts it" in outcome.out, outcome.out
    assert (cluster.programs / "power_manager.log").read_text() == (
        f"--command=stop --host={cluster.db2.host} --ip={cluster.db2.host}\n")
    assert cluster.writers() == ["db1"] and rows(cluster.db1) == {1, 2}
    assert cluster.holders() == ["db1"] and cluster.behind_the_address() == str(cluster.db1.server_id)
    assert (cluster.programs / "systemctl.log").read_text().splitlines()[-1] == (
        "10.77.0.1/24: enable --now zabbix-server")


def test_zabbix_pair_does_not_wait_for_a_machine_that_is_half_dead(bench):
    """It answers to ssh, and what is run there hangs."""
    cluster = ZabbixPair(bench)
    cluster.serve_ssh(cluster.lan.machines.values())
    cluster.stub("ip", f'[ -z "$SSH_CONNECTION" ] || exec sleep 60\nexec {shutil.which("ip")} "$@"')
    cluster.stub("systemctl", "")
    cluster.stub("power_manager", "exit 10")
    cluster.insert(1)
    cluster.catch_up()
    cluster.db1.kill()
    outcome = cluster.run("handler", "--rescue-command", cluster.rescue_command())
    assert outcome.code == 1, outcome.out
    assert re.search(r"^warning: vip-down 10.77.0.1: .*did not end within", outcome.out, re.M), outcome.out
    assert cluster.writers() == ["db2"] and cluster.holders() == ["db2"]
