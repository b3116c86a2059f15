# SPDX-License-Identifier: MIT
"""conf-examples/pair at work: with the cable cut the primary is closed by its own guard, and nothing is
lost that was acknowledged."""

import re
import shlex

import pytest

import cache
from documented import EXAMPLES
from nagios import ROOT
from nrpe import adapted
from partition import Protection, SitesCluster
from server import MANAGER_PASSWORD, MANAGER_USER, REPLICATION_PASSWORD, REPLICATION_USER
from servers import Bench

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
            with open(self.config, "a", encoding="utf-8") as config:
                config.writelines(f"{line}\n" for line in self.kill_lines(server))

    def journals(self):
        """The example's cluster has a name."""
        return [line.split() for line in self.run("journal").out.splitlines()]


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid"])
def test_the_cable_is_cut(kind):
    with Bench() as bench:
        pair = DocumentedPair(bench, kind, semi_sync=True)
        run = pair.play("primary cut from all", AS_DOCUMENTED, successor=pair.db2)
        assert (run.two_s, run.two_rows, run.lost) == (0, 0, 0), run.told
        assert not run.managers_at_once and not run.warned, run.told
        assert run.promotions == 1, run.told
        if not pair.db1.running:  # It was killed, because it could not be closed in time.
            pair.db1.start()
        # Writes that were in flight when the cable was cut are there, which nobody was told of.
        outcome = pair.on("db2").run("rejoin", "db1", "--binlog-command",
                                     shlex.join(cache.client_command(pair.flavour, "binlog")))
        assert outcome.code in (0, 2), outcome.out
        if outcome.code == 2:
            assert re.search(r"db1 has \d+ transactions? that db2 lacks", outcome.out), outcome.out
        else:
            pair.assert_one_primary(pair.db2)
        assert pair.run("journal", "ack").code == 0


def test_the_page_names_files_that_exist():
    named = re.findall(r"(?:\.\./)?[\w./-]+\.(?:conf|cnf|service|md)", (PAIR / "README.md").read_text())
    assert len(named) > 5
    assert [name for name in named if "/etc/" not in name and not (PAIR / name).exists()
            and not list(PAIR.parent.glob(f"*/{name}"))] == []
