# SPDX-License-Identifier: MIT
"""conf-examples/getperf at work: the commands of its page, as they stand there, on two machines with a
virtual address, MHA's configuration and a Zabbix that runs on one node only."""

import re
import shutil
import subprocess

import pytest

import plugin
from documented import EXAMPLES as MYSQL_FAILOVER
from documented import Documented
from cluster import rows
from guard import Guard
from lan import Lan, place_servers
from nagios import ROOT
from nrpe import adapted
from server import REPLICATION_PASSWORD, REPLICATION_USER

GETPERF = ROOT / "conf-examples/getperf"
VIP = "192.168.10.10"
# Starts, stops and tells of units as far as these programs ask, each machine for itself.
SYSTEMCTL = """here=$(ip -o -4 addr show to 10.77.0.0/24 | tr -s ' ' | cut -d' ' -f4); here=${here%/*}
for unit; do :; done
echo "$here: $*" >>$0.log
case "$*" in
  disable*) [ ! -e $0.fails.$here ] || exit 1 ;;
esac
case "$*" in
  "enable --now "*) touch $0.active.$unit.$here ;;
  "disable --now "*) rm -f $0.active.$unit.$here ;;
  is-active*) [ -e $0.active.$unit.$here ] ;;
esac
"""


def commands(heading):
    """Return the commands of a section of the page, a line each."""
    section = (GETPERF / "README.md").read_text().split(f"\n## {heading}", 1)[1].split("\n## ")[0]
    found = re.findall(r"^    (\S.*)$", section, re.M)
    assert found, heading
    return found


def shell(words, env=None):
    """Run a command line; return (exit code, output)."""
    done = subprocess.run([str(word) for word in words], text=True, timeout=150, env=env, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class GetperfPair(Documented):
    """Two machines in one network; db1 is the page's node1, db2 its node2, where all commands run."""

    def __init__(self, bench, kind):
        self.lan = bench.add(Lan("db1", "db2"))
        place_servers(bench, self.lan)
        super().__init__(bench, kind, 2, options=["--bind-address=*", "--read-only=1"])
        for name in ("db1", "db2"):
            self.lan[name].run("ip", "addr", "add", f"192.168.10.{name[2]}/24", "dev", "eth0")
        self.lan["db1"].add(f"{VIP}/24")
        self.serve_ssh(self.lan.machines.values())
        self.stub("systemctl", SYSTEMCTL)
        self.stub("power_manager", 'echo "$*" >>$0.log')
        self.stub("masterha_stop", 'echo "$*" >>$0.log')
        self.stub("ping", "exit 1")
        for name in ("mysql_ha", "check_failover_ready", "check_vip"):
            (self.programs / name).symlink_to(plugin.path(name))
        (self.programs / "systemctl.active.zabbix-server.10.77.0.1").touch()

    def adapt(self, text):
        """Return a text of the page with the test's own places."""
        text = re.sub(r"\b192\.168\.10\.([12])\b", r"10.77.0.\1", text)
        for place, ours in {"/etc/monitoring-plugins-ha": self.directory / "etc",
                            "/etc/mha/app1.cnf": self.directory / "app1.cnf",
                            "/var/lib/monitoring-plugins-ha": self.state_dir}.items():
            text = text.replace(place, str(ours))
        return text

    def write_config(self, *_, **__):
        """The files of the site: MHA's. Those of the page are installed by its own commands."""
        account = {"user=mha": "user=documented", "repl_user=repl": f"repl_user={REPLICATION_USER}",
                   "repl_password=secret": f"repl_password={REPLICATION_PASSWORD}",
                   "/usr/local/bin/": f"{self.programs}/"}
        (self.directory / "app1.cnf").write_text(adapted(
            self.adapt((GETPERF / "app1.cnf").read_text()), account))
        self.config = self.directory / "etc/cluster.conf"
        for command in commands("1. The files"):
            if command.startswith("install"):
                assert shell(["sh", "-c", f"cd {GETPERF} && {self.adapt(command)}"]) == (0, "")
        self.config.write_text(adapted(self.adapt(self.config.read_text()), {
            "192.168.10.254": "127.0.0.1:1", "/var/log/masterha/app1": self.directory,
            # That of the one which dies.
            "/var/lib/mysql mysqlbinlog": f"{self.db1.datadir} '{self.binlog_tool()}'"}))

    def command(self, *words):
        return [*self.lan["db2"].inside, *super().command(*words)]

    def follow(self, heading, only=""):
        """Run the commands of a section, or those with these words, on node2; return [(command,
        exit code, output)]."""
        alias = next(line for line in commands("2. In place of MHA") if line.startswith("alias"))
        done = []
        for command in commands(heading):
            if only in command and not command.startswith("alias"):
                done.append((command, *shell(
                    [*self.lan["db2"].inside, "dash", "-c", f"{self.adapt(alias)}\n{self.adapt(command)}"],
                    self.environment)))
        assert done
        return done

    def at_zabbix(self):
        """Return the machines on which Zabbix runs, and those that hold the address."""
        running = [name for name, machine in self.lan.machines.items()
                   if (self.programs / f"systemctl.active.zabbix-server.{machine.ipv4}").exists()]
        return running, [name for name, machine in self.lan.machines.items() if machine.holds(VIP)]

    def assert_never_two(self):
        """Assert that at no time Zabbix was started on a node while it ran on the other one."""
        running = {"10.77.0.1"}
        for line in (self.programs / "systemctl.log").read_text().splitlines():
            place, what = line.split(": ", 1)
            if what == "enable --now zabbix-server":
                running.add(place)
            elif what == "disable --now zabbix-server":
                running.discard(place)
            assert len(running) <= 1, line


def all_done(outcomes):
    assert [one for one in outcomes if one[1] != 0] == []


@pytest.mark.parametrize("kind", ["mysql-position", "mariadb-position"])
def test_the_page_is_followed(bench, kind):
    pair = GetperfPair(bench, kind)
    all_done(pair.follow("1. The files", "systemctl"))
    *looks, ready, stop, there, back, guard = pair.follow("2. In place of MHA")
    all_done([*looks, stop, there, back, guard])
    assert "10.77.0.1" in looks[0][2] and "zabbix-move" in looks[1][2], looks
    # What the page says of it: done in another way, and what would spoil a failover.
    assert ready[1] in (0, 1), ready
    assert "master_ip_failover_script is not called, there is --vip" in ready[2], ready
    assert "keys of no use here: manager_workdir, manager_log" in ready[2], ready
    assert pair.at_zabbix() == (["db1"], ["db1"])
    pair.assert_one_primary(pair.db1)

    pair.insert(1)
    pair.catch_up()
    pair.db1.kill()
    # The old machine is there, and its Zabbix does not stop: none is started beside it.
    pair.stub("ping", "exit 0")
    (pair.programs / "systemctl.fails.10.77.0.1").touch()
    (command, code, out), = pair.follow("3. A failover", "ha failover")
    assert code == 1 and "zabbix-server does not stop on 10.77.0.1" in out, out
    assert pair.writers() == ["db2"] and pair.at_zabbix() == (["db1"], ["db2"])
    (pair.programs / "systemctl.fails.10.77.0.1").unlink()
    all_done(pair.follow("3. A failover", "ssh"))
    assert pair.at_zabbix() == (["db2"], ["db2"])
    assert rows(pair.db2) == {1}
    assert (pair.directory / "app1.failover.complete").exists()
    assert "--command=stopssh --ssh_user=root --host=10.77.0.1" in (pair.programs / "power_manager.log").read_text()

    pair.db1.start()
    look, *steps = pair.follow("4. Failback")
    assert look[1] == 1 and "to make it a replica: mysql_ha rejoin 10.77.0.1" in look[2], look
    all_done(steps)
    pair.assert_one_primary(pair.db1)
    assert pair.at_zabbix() == (["db1"], ["db1"])
    pair.assert_never_two()
    assert (pair.programs / "masterha_stop.log").read_text().startswith("--conf=")


def test_zabbix_is_started_only_where_the_old_one_cannot_run(bench):
    """The script alone, and the guard that ends a Zabbix without its address."""
    pair = GetperfPair(bench, "mariadb-position")
    facts = {**pair.environment, "HA_FAILED_HOST": "10.77.0.1", "HA_SUCCESSOR_HOST": "10.77.0.2"}

    def move(command):
        return shell([*pair.lan["db2"].inside, pair.directory / "etc/zabbix-move"],
                     {**facts, "HA_COMMAND": command})
    pair.stub("ssh", f'case "$*" in *@10.77.0.1*) exit 255 ;; esac\nexec {pair.ssh.client} "$@"')
    pair.stub("ping", "exit 0")
    for command in ("switchover", "failover"):
        code, out = move(command)
        assert code == 1 and "no ssh to 10.77.0.1, which is there" in out, out
    assert pair.at_zabbix()[0] == ["db1"]
    # Neither ssh nor ping: it was fenced.
    pair.stub("ping", "exit 1")
    assert move("switchover")[0] == 1
    assert move("failover")[0] == 0
    assert pair.at_zabbix()[0] == ["db1", "db2"]

    # db1 was cut off, and is back without the address.
    config = pair.directory / "zabbix-guard.conf"
    config.write_text(adapted(pair.adapt((GETPERF / "zabbix-guard.conf").read_text()), {
        "/usr/lib/nagios/plugins/": f"{pair.programs}/", "retry-interval = 1": "retry-interval = 0.1"}))

    def watch(name):
        return shell([*pair.lan[name].inside, *Guard(config).command()], pair.environment)
    assert watch("db1") == (0, "") and pair.at_zabbix()[0] == ["db1", "db2"]
    pair.lan["db1"].delete(f"{VIP}/24")
    pair.lan["db2"].add(f"{VIP}/24")
    assert watch("db2") == (0, "") and watch("db1")[0] == 0
    assert pair.at_zabbix() == (["db2"], ["db2"])
    unit = (GETPERF / "zabbix-server.conf").read_text()
    check = re.search("^ExecStartPre=/usr/lib/nagios/plugins/(.*)$", unit, re.M)[1].split()
    assert shell([*pair.lan["db1"].inside, plugin.path(check[0]), *check[1:]])[0] == 2
    assert shell([*pair.lan["db2"].inside, plugin.path(check[0]), *check[1:]])[0] == 0


def test_a_machine_that_is_half_dead_is_not_waited_for(bench):
    """It answers to ssh, and what moves the address there hangs; the address is gone already."""
    pair = GetperfPair(bench, "mysql-position")
    pair.lan["db1"].delete(f"{VIP}/24")
    pair.stub("ip", f'[ -z "$SSH_CONNECTION" ] || [ "$2" = -4 ] || [ "$3" = -4 ] || exec sleep 60\n'
                    f'exec {shutil.which("ip")} "$@"')
    pair.stub("power_manager", "exit 10")
    pair.insert(1)
    pair.catch_up()
    pair.db1.kill()
    outcome = pair.run("handler", "--rescue-command", pair.rescue_command())
    assert outcome.code == 1, outcome.out
    assert re.search(r"^warning: vip-down 10.77.0.1: .*did not end within", outcome.out, re.M), outcome.out
    assert pair.writers() == ["db2"] and "db2" in pair.at_zabbix()[1]
    assert pair.at_zabbix()[0] == ["db2"]


def test_the_page_names_files_that_exist():
    text = (GETPERF / "README.md").read_text()
    named = re.findall(r"\.\./[\w./-]+", text)
    assert len(named) > 4
    assert [name for name in named if not (GETPERF / name.rstrip(".")).exists()] == []
    assert [file.name for file in GETPERF.iterdir() if file.name not in text and file.name != "README.md"] == []
    assert MYSQL_FAILOVER.name in text
