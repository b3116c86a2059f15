# SPDX-License-Identifier: MIT
"""A cluster that was set up by the words of conf-examples/mysql-failover: its README's option files
and grants, its cluster file with this cluster's nodes."""

import os
import re
import shlex

import cache
from cluster import NET_TIMEOUT, Cluster
from nagios import ROOT
from server import REPLICATION_PASSWORD, REPLICATION_USER
from servers import wait_until
from sshd import Ssh

EXAMPLES = ROOT / "conf-examples/mysql-failover"
README = (EXAMPLES / "README.md").read_text()
# What tells the flavours apart, in grants and in settings for semi-sync.
WORDS = {"mariadb": ("REPLICA MONITOR", "master|slave"),
         "mysql": ("REPLICATION CLIENT", "source|replica")}


def semi_sync_options(flavour):
    """Return the README's lines for semi-sync as options of a server."""
    lines = re.findall(r"^    ((?:loose_)?(?:rpl_semi_sync|plugin_load_add)\w*) *= *(\S+)$", README,
                       re.M)
    of_flavour = [f"--{name.replace('_', '-')}={value}" for name, value in lines
                  if re.search(WORDS[flavour][1], name + value)]
    assert len(of_flavour) >= 4
    return of_flavour


def grants(flavour, text=README):
    """Return the statements with which the README, or another text, creates the account."""
    blocks = re.findall(r"^ *CREATE USER 'ha'@.*?(?=^$|^\.EE)", text, re.M | re.S)
    block = next(b for b in blocks if WORDS[flavour][0] in b)
    return [" ".join(statement.split()) for statement in block.split(";") if statement.strip()]


class Documented(Cluster):
    """`semi_sync`: as the README recommends it. `template`: the cluster file to begin with."""

    def __init__(self, bench, kind, nodes=3, *, semi_sync=False, template="cluster.conf", options=()):
        self._template = (EXAMPLES / template).read_text()
        flavour = kind.split("-")[0]
        options = [NET_TIMEOUT[flavour], *options, *(semi_sync_options(flavour) if semi_sync else [])]
        self.programs = bench.directory / "bin"
        self.programs.mkdir()
        self.stub("fence", "env >$0.environment")
        super().__init__(bench, kind, nodes, options=options)
        self.db1.sql(*(statement.replace("192.0.2.%", "%").replace("'ha'", "'documented'")
                       for statement in grants(flavour)))
        self.catch_up()

    @property
    def environment(self):
        """The environment in which programs find the test's own ssh, systemctl and so on."""
        return {"PATH": f"{self.programs}:{os.environ['PATH']}"}

    def stub(self, name, body):
        """Write a program that is found before any other of its name."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def write_config(self, *lines, addresses=None):
        """Write the example with our nodes, accounts and directories; `lines` come at its end."""
        self.state_dir.mkdir(mode=0o700, exist_ok=True)
        accounts = self.directory / "accounts.cnf"
        accounts.write_text(f"[client]\nuser=documented\npassword=secret\n[replication]\n"
                            f"user={REPLICATION_USER}\npassword={REPLICATION_PASSWORD}\n")
        text = re.sub("^(node|witness) *=.*\n", "", self._template, flags=re.M)
        text = text.replace("/etc/monitoring-plugins-ha/accounts.cnf", str(accounts))
        text = text.replace("/etc/monitoring-plugins-ha/fence", str(self.programs / "fence"))
        text = text.replace("/etc/monitoring-plugins-ha/rescue", str(EXAMPLES / "rescue"))
        text = text.replace("/var/lib/monitoring-plugins-ha", str(self.state_dir))
        text = re.sub("/var/lib/mysql (mysqlbinlog|mariadb-binlog)",
                      f"{self.db1.datadir} '{self.binlog_tool()}'", text)
        nodes = "".join(f"node = {s.name}={s.host}:{s.port}\n" for s in self.servers)
        self.config.write_text(text + nodes + "witness = 127.0.0.1:1\n" +
                               "".join(f"{line}\n" for line in lines))

    def journals(self):
        """Return [(id, outcome)] of all runs."""
        return super().journals() if list(self.state_dir.glob("*/*.journal")) else []

    def wait_for_run(self, outcome="done", count=1, timeout=60.0):
        """Wait until the newest of `count` runs has ended like this; return its timeline."""
        def ended():
            runs = self.journals()
            return len(runs) == count and runs[-1][1].startswith(outcome) and runs[-1][0]
        number = wait_until(ended, timeout, f"run {count} to be {outcome}")
        return self.run("journal", "show", number).out

    def serve_ssh(self, machines=()):
        """Let the programs log in to this machine by ssh, or to these, and find the test's there."""
        port = 22 if machines else self.bench.free_port()
        self.ssh = self.bench.add(Ssh(self.directory / "ssh", port, self.programs))
        for machine in machines:
            self.ssh.serve(machine.inside, machine.ipv4)
        if not machines:
            self.ssh.serve()
        self.stub("ssh", f'exec {self.ssh.client} "$@"')

    def allow_rescue(self):
        """Grant what the README asks for: MySQL checks each change by itself, MariaDB does not."""
        if self.flavour == "mysql":
            self.db1.sql("GRANT ALL PRIVILEGES ON shop.* TO 'documented'@'%'")

    def rescue_command(self, *wrapper):
        """Return the shipped script for the primary's disk; words before its mysqlbinlog there."""
        tool = shlex.quote(" ".join([*wrapper, self.binlog_tool()]))
        return f"{EXAMPLES}/rescue-binlogs {self.db1.datadir} {tool}"

    def binlog_tool(self):
        """Return the command of the flavour's mysqlbinlog."""
        return shlex.join(cache.client_command(self.flavour, "binlog"))
