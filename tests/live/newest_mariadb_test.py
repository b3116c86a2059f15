# SPDX-License-Identifier: MIT
"""Everything once with the newest MariaDB that Debian has. Since 11.4 its servers offer TLS with a
certificate of their own making, and its clients and replicas check it unasked."""

import pytest

import cache
import plugin
import servers
from cluster import LOGIN, Cluster, fail_over_twice, named
from writer import ADMIN_PASSWORD, ADMIN_USER
from pairs import watch
from server import NewestMariaDb


@pytest.fixture(params=[None, False], ids=["as-installed", "without-tls"])
def cluster(request, bench, monkeypatch):
    monkeypatch.setitem(servers.FLAVOURS, "mariadb", NewestMariaDb)
    return Cluster(bench, "mariadb-gtid", tls=request.param)


def test_the_whole_circle(cluster):
    assert cluster.db1.value("VERSION()") >= "11.8"
    cluster.insert(1)
    cluster.catch_up()
    for check in (plugin.THREADS, plugin.LAG):
        assert watch(cluster.db2, check).state == "OK"
    outcome = plugin.run("check_mysql_split_brain", *named(cluster.servers), *LOGIN)
    assert outcome.state == "OK", outcome.out
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    cluster.assert_one_primary(cluster.db2)
    # What an old primary has alone, only a tool of its own version can read.
    fail_over_twice(cluster, cluster.db2, " ".join(cache.mariadb_command("mariadb-binlog")))


def test_a_diverged_replica_is_copied(cluster):
    cluster.insert(1)
    cluster.catch_up()
    cluster.insert(77, server=cluster.db2)
    tools = [f"--{name}-command={' '.join(cache.mariadb_command(program))}"
             for name, program in (("dump", "mariadb-dump"), ("binlog", "mariadb-binlog"))]
    outcome = cluster.run("resync", "db2", "--username", ADMIN_USER, "--password", ADMIN_PASSWORD,
                          *tools)
    assert outcome.code == 0 and "save-extra db2: 1 transaction " in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)
