# SPDX-License-Identifier: MIT
"""MHA's configuration is enough: its own sample scripts, with the gaps filled in that they leave to
the operator, move the address, power off, ask others and report, with the words that MHA gives them."""

import os
import re
import shlex

import pytest

import cache
import plugin
from cluster import Cluster
from server import REPLICATION_PASSWORD, REPLICATION_USER
from writer import ADMIN_PASSWORD, ADMIN_USER

# What an operator has to write into each sample.
FILLED_IN = {
    "master_ip_failover": [(r"FIXME_xxx_create_user\(.*?\);", ""), ("FIXME_xxx;", "")],
    "master_ip_online_change": [(r"FIXME_xxx_drop_app_user\(.*?\);", ""),
                                (r"FIXME_xxx_create_app_user\(.*?\);", "")],
    "power_manager": [(r"FIXME_xxx\( \$host, \$ip \)", '("$host-board", "ilo")'),
                      (r"FIXME_xxx\( \$command, \$host, \$ip \)", "1")],
    "send_report": []}
SCRIPTS = tuple(f"{name} " for name in ("masterha_secondary_check", *FILLED_IN))
GLOBAL = """[server default]
user={user}
password={password}
repl_user={repl_user}
repl_password={repl_password}
ssh_user=ha
ping_interval=3
manager_workdir=/var/log/masterha/app1
secondary_check_script= {programs}/masterha_secondary_check -s monitor
master_ip_failover_script={programs}/master_ip_failover
master_ip_online_change_script={programs}/master_ip_online_change
shutdown_script={programs}/power_manager
report_script={programs}/send_report
"""
# Of all machines only the one that is asked beside us answers to ssh.
SSH = """for word; do case $word in *@monitor) there=yes ;; esac; done
[ "$there" = yes ] || exit 255
while [ "$1" != "${1#-}" ]; do case $1 in -o | -p) shift ;; esac; shift; done
shift
exec sh -c "$*"
"""
BOARD = """case "$*" in
  *"power status") [ -e $0.off ] && echo "Chassis Power is off" || echo "Chassis Power is on" ;;
  *"power off") touch $0.off ;;
esac
"""


class MhaCluster(Cluster):
    """Nodes, accounts and scripts are in MHA's files alone."""
    settings = ("retries=1", "probe-timeout=2", "hook-timeout=20")

    def __init__(self, bench, kind):
        self.programs = bench.directory / "bin"
        self.programs.mkdir()
        for name in ("masterha_secondary_check", *FILLED_IN):
            self.stub(name, "exit 0")
        super().__init__(bench, kind, 3)

    @property
    def environment(self):
        tree = cache.mha_root()
        modules = [tree / "usr/share/perl5", *tree.glob("usr/lib/*/perl5/*")]
        return {"PATH": f"{self.programs}:{os.environ['PATH']}",
                "PERL5LIB": ":".join(map(str, modules))}

    def stub(self, name, body):
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.programs}/calls\n{body}\n')
        path.chmod(0o755)

    def use_samples(self):
        tree = cache.mha_root()
        samples = self.directory / "samples"
        samples.mkdir()
        for name, gaps in FILLED_IN.items():
            text = (tree / "samples/scripts" / name).read_text()
            for gap, filling in gaps:
                assert re.search(gap, text), name
                text = re.sub(gap, filling, text)
            (samples / name).write_text(text)
            self.stub(name, f'exec perl {samples / name} "$@"')
        self.stub("masterha_secondary_check",
                  f'exec perl {tree / "usr/bin/masterha_secondary_check"} "$@"')
        self.stub("ssh", SSH)
        self.stub("ipmitool", BOARD)
        self.stub("killall", "exit 1")

    def write_config(self, *lines, **_):
        default, application = self.directory / "default.cnf", self.directory / "app1.cnf"
        default.write_text(GLOBAL.format(
            user=ADMIN_USER, password=ADMIN_PASSWORD, repl_user=REPLICATION_USER,
            repl_password=REPLICATION_PASSWORD, programs=self.programs))
        application.write_text("".join(
            f"[server_{number}]\nhostname={server.host}\nport={server.port}\n"
            f"candidate_master={int(number == 2)}\n"
            for number, server in enumerate(self.servers, 1)))
        self.config.write_text("".join(f"{line}\n" for line in (
            f"mha-global-conf={default}", f"mha-conf={application}", f"state-dir={self.state_dir}",
            *self.settings, *lines)))

    def ready(self):
        """Run check_failover_ready as it is run beside them."""
        return plugin.run_raw([plugin.path("check_failover_ready"), "--cluster", self.config],
                              env=self.environment)

    def calls(self):
        """Return the calls of MHA's scripts since the last time, each a list of words."""
        log = self.programs / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [shlex.split(line) for line in lines if line.startswith(SCRIPTS)]


def place(prefix, server):
    return [f"--{prefix}host={server.host}", f"--{prefix}ip=127.0.0.1", f"--{prefix}port={server.port}"]


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid"])
def test_mhas_own_scripts_are_called_as_by_mha(bench, kind):
    cluster = MhaCluster(bench, kind)
    cluster.use_samples()
    db1, db2, db3 = cluster.servers
    cluster.calls()
    plan = cluster.run("plan", "--assume-dead", f"{db1.host}:{db1.port}")
    assert plan.code == 0 and ADMIN_PASSWORD not in plan.out, plan.out
    assert cluster.calls() == []
    ready = cluster.ready()
    assert ready.code != 2, ready.out
    asked = ["--command=status", "--ssh_user=ha"]
    assert sorted(cluster.calls()) == [
        ["master_ip_failover", *asked, *place("orig_master_", db1)],
        ["power_manager", *asked, *place("", db1)[:2]]]

    outcome = cluster.run("switchover")
    assert outcome.code == 0, outcome.out
    both = [*place("orig_master_", db1), f"--orig_master_user={ADMIN_USER}",
            *place("new_master_", db2), f"--new_master_user={ADMIN_USER}", "--orig_master_ssh_user=ha",
            "--new_master_ssh_user=ha", "--orig_master_is_new_slave",
            f"--orig_master_password={ADMIN_PASSWORD}", f"--new_master_password={ADMIN_PASSWORD}"]
    assert cluster.calls() == [["master_ip_online_change", f"--command={word}", *both]
                               for word in ("stop", "start")]
    assert cluster.writers() == [db2.name]

    cluster.insert(1, server=db2)
    for replica in (db1, db3):
        replica.wait_caught_up(db2)
    db2.kill()
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    new = cluster.primary()
    calls = cluster.calls()
    (report,) = (call for call in calls if call[0] == "send_report")
    assert calls[:-1] == [
        ["masterha_secondary_check", "-s", "monitor", "--user=ha", *place("master_", db2),
         f"--master_user={ADMIN_USER}", f"--master_password={ADMIN_PASSWORD}", "--ping_type=SELECT"],
        ["master_ip_failover", *place("orig_master_", db2), "--command=stop"],
        ["power_manager", "--command=stop", *place("", db2)],
        ["master_ip_failover", "--command=start", "--ssh_user=ha", *place("orig_master_", db2),
         *place("new_master_", new), f"--new_master_user={ADMIN_USER}",
         f"--new_master_password={ADMIN_PASSWORD}"]]
    assert report[1:3] == [f"--orig_master_host={db2.host}", f"--new_master_host={new.host}"]
    cluster.assert_one_primary(new)
    told = outcome.out + "".join(path.read_text() for path in cluster.state_dir.rglob("*.journal"))
    assert ADMIN_PASSWORD not in told


def test_what_mha_would_not_go_on_after_ends_a_failover(bench):
    cluster = MhaCluster(bench, "mariadb-gtid")
    cluster.write_config("hook-timeout=1")
    cluster.stub("ssh", "exit 255")
    for name in ("master_ip_failover", "power_manager"):
        cluster.stub(name, "exit 20")
        ready = cluster.ready()
        assert ready.code == 2 and f"{name} exited with 20" in ready.out, ready.out
        cluster.stub(name, "exit 0")
    for body, said in (("exit 1", "exited with 1"), ("exec sleep 60", "did not end within"), (None, "")):
        cluster.stub("master_ip_online_change", body)
        if body is None:
            (cluster.programs / "master_ip_online_change").unlink()
        outcome = cluster.run("switchover")
        assert outcome.code == 2 and "master_ip_online_change" in outcome.out, outcome.out
        assert said in outcome.out and cluster.writers() == ["db1"], outcome.out
    cluster.db1.kill()
    cluster.calls()
    cases = [("masterha_secondary_check", "exit 2", "exited with 2"),
             ("masterha_secondary_check", "exit 3", "exited with 3"),
             ("masterha_secondary_check", "exec sleep 60", "did not end within"),
             ("master_ip_failover", "exit 1", "exited with 1"),
             ("master_ip_failover", "exec sleep 60", "did not end within"),
             ("power_manager", "exit 1", "exited with 1"),
             ("power_manager", "exec sleep 60", "did not end within"),
             ("master_ip_failover", '[ "$1" != --command=start ]', "exited with 1")]
    for name, body, said in cases:
        cluster.stub(name, body)
        outcome = cluster.run("failover")
        assert outcome.code == 2 and said in outcome.out, outcome.out
        assert cluster.writers() == [], (name, body)
        (report,) = (call for call in cluster.calls() if call[0] == "send_report")
        assert report[1] == f"--orig_master_host={cluster.db1.host}" and report[2].startswith("--conf=")
        cluster.stub(name, "exit 0")
    (cluster.programs / "master_ip_failover").unlink()
    outcome = cluster.run("failover")
    assert outcome.code == 2 and "master_ip_failover" in outcome.out, outcome.out

    for name in ("master_ip_failover", "power_manager"):
        cluster.stub(name, "exit 10")
    cluster.stub("send_report", "exec sleep 60")
    outcome = cluster.run("failover")
    assert outcome.code == 1, outcome.out
    assert "NOT proven to be fenced: its machine is on, only its server was stopped" in outcome.out
    assert len(cluster.writers()) == 1
