# SPDX-License-Identifier: MIT
"""The pair of conf-examples/pair: two nodes with a guard beside each, and a voter."""

from documented import EXAMPLES
from nagios import ROOT
from nrpe import adapted
from partition import Protection, SitesCluster
from server import MANAGER_PASSWORD, MANAGER_USER, REPLICATION_PASSWORD, REPLICATION_USER

PAIR = ROOT / "conf-examples/pair"
CONFIG = (PAIR / "cluster.conf").read_text()
AS_DOCUMENTED = Protection("conf-examples/pair", (), guarded=True, holds=True, lease_s=10)


class DocumentedPair(SitesCluster):
    """A pair with its voter, by the cluster file of the example."""

    def write_config(self, *_, **__):
        accounts = self.directory / "accounts.cnf"
        accounts.write_text((EXAMPLES / "accounts.cnf").read_text()
                            .replace("user=ha\npassword=change-me",
                                     f"user={MANAGER_USER}\npassword={MANAGER_PASSWORD}")
                            .replace("user=repl\npassword=change-me",
                                     f"user={REPLICATION_USER}\npassword={REPLICATION_PASSWORD}"))
        for server in self.servers:
            self.on(server.name)
            self.config.write_text(adapted(CONFIG, {
                "192.0.2.11": self.db1.host, "192.0.2.12": self.db2.host,
                "192.0.2.20": self.lan["voter"].ipv4,
                "/etc/monitoring-plugins-ha/accounts.cnf": accounts,
                "/var/lib/monitoring-plugins-ha": self.state_dir}))

    def journals(self):
        """The example's cluster has a name."""
        return [line.split() for line in self.run("journal").out.splitlines()]
