# SPDX-License-Identifier: MIT
"""Who is promoted, and what is said of the loss, where a node has left replication, had stopped
receiving before the primary died, has data from outside the cluster, or leaves something out."""

import contextlib
import re

import pytest

from cluster import GTID_KINDS, KINDS, Cluster, changes, received, rows
from servers import Bench, replicate, wait_until


by_gtid = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
by_position = pytest.mark.parametrize("shared", sorted(KINDS.keys() - set(GTID_KINDS)),
                                      indirect=True)


def leave_replication(server):
    """Make a replica forget its source, as the first half of a failover by hand does."""
    server.stop_replication()
    server.sql("RESET SLAVE ALL" if server.flavour == "mariadb" else "RESET REPLICA ALL")


def loss(outcome):
    return re.search(r"^loss: (.*)$", outcome.out, re.M)[1]


def refuse(cluster, text, *words):
    """Run a failover that has to be refused for this reason and to change nothing."""
    before = cluster.snapshot()
    outcome = cluster.run("handler", *words)
    assert outcome.code == 2 and text in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot()), outcome.out


# A reachable node that has more counts

@pytest.fixture
def half_done(cluster):
    """db1 is dead; db2 has all and follows nobody any more; db3 lacks five rows."""
    cluster.lose_contact(cluster.db3)
    cluster.insert(10, 11, 12, 13, 14)
    cluster.db2.wait_caught_up(cluster.db1)
    cluster.lose(cluster.db1)
    leave_replication(cluster.db2)
    return cluster


@by_gtid
def test_a_node_that_has_left_replication_and_has_more(half_done):
    refuse(half_done, "too-much-loss", "--max-lost-transactions", "0")
    outcome = half_done.run("handler")
    assert outcome.code == 1 and half_done.writers() == ["db2"], outcome.out
    assert rows(half_done.db2) == {1, 2, 3, 10, 11, 12, 13, 14}
    half_done.assert_one_primary(half_done.db2)


@by_position
def test_a_node_that_has_left_replication_and_cannot_be_compared(half_done):
    refuse(half_done, "may have received more transactions. To promote without that node, run: mysql_ha failover "
           "--allow-loss")
    outcome = half_done.run("handler", "--allow-loss")
    assert outcome.code == 1 and "db2 may have received more transactions, " in loss(outcome), outcome.out
    assert half_done.writers() == ["db3"]


@by_gtid
def test_a_node_that_has_left_replication_hands_on_what_it_has(half_done):
    outcome = half_done.run("handler", "--never", "db2")
    assert outcome.code == 1 and half_done.writers() == ["db3"], outcome.out
    assert "db2 follows no server; run later: mysql_ha rejoin db2" in outcome.out
    assert rows(half_done.db3) == {1, 2, 3, 10, 11, 12, 13, 14}
    outcome = half_done.run("rejoin", "db2")
    assert outcome.code == 0, outcome.out
    half_done.assert_one_primary(half_done.db3)


# How old is what the candidate has

def test_receivers_that_were_stopped(cluster):
    cluster.lose_contact(cluster.db2, cluster.db3)
    cluster.insert(*range(10, 20))
    forecast = cluster.run("plan", "--assume-dead", "db1", "--max-lost-transactions", "100")
    assert forecast.code == 2 and "its receiver was stopped" in forecast.out, forecast.out
    cluster.lose(cluster.db1)
    said = "db2 did not receive from db1 to the end (its receiver was stopped"
    for limit in (("--max-lost-transactions", "0"), ("--max-lag", "10")):
        refuse(cluster, said, *limit)
    outcome = cluster.run("handler", "--max-lost-transactions", "0", "--allow-loss")
    assert outcome.code == 1 and said in loss(outcome), outcome.out
    assert f"warning: {said}" in outcome.out
    assert "): later writes to db1 are lost" in outcome.out
    cluster.assert_one_primary(cluster.db2)


@by_gtid
def test_receivers_that_were_refused(cluster):
    cluster.write_config(nodes=2)
    replica = cluster.db2
    replica.stop_replication()
    replica.change_source(cluster.db1.host, cluster.db1.port, password="wrong")
    replica.start_replication()
    replica.wait_channel(io_errno=1045)
    # It is known from now on, before the next attempts fail for another reason.
    refuse(cluster, "primary-alive")
    cluster.insert(10, 11)
    cluster.db1.kill()
    replica.wait_channel(io_errno=2003)
    refuse(cluster, "error 1045", "--max-lost-transactions", "0")
    outcome = cluster.run("handler")
    assert outcome.code == 1, outcome.out
    assert re.search(r"warning: db2 did not receive from db1 to the end \(error 1045: .*, since "
                     r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\): later writes to db1 are lost",
                     outcome.out), outcome.out
    assert "db2 did not receive" in loss(outcome), outcome.out


# Data from outside the cluster

@pytest.fixture
def fed(cluster):
    """db2 has a second channel, from another cluster."""
    bench, flavour = cluster.bench, cluster.flavour
    other = getattr(cluster, "other", None) or bench.server(flavour)
    cluster.__dict__["other"] = other
    other.start_over()
    if flavour == "mariadb":
        other.sql("SET GLOBAL gtid_domain_id = 7")
    other.sql("DROP DATABASE IF EXISTS feed", "CREATE DATABASE feed", "CREATE TABLE feed.item (id INT PRIMARY KEY)",
              "INSERT INTO feed.item VALUES (1), (2)")
    replicate(cluster.db2, other, "feed")
    cluster.db2.wait_caught_up(other, "feed")
    yield cluster
    for server in cluster.alive():
        with contextlib.suppress(Exception):
            server.stop_replication("feed")
        server.sql("SET sql_log_bin = 0", "DROP DATABASE IF EXISTS feed")


def has_feed(server):
    return any("feed" in row.values() for row in server.sql("SHOW DATABASES"))


@by_gtid
def test_data_from_outside_are_not_fetched(fed):
    fed.lose(fed.db1)
    outcome = fed.run("handler", "--never", "db2")
    assert outcome.code == 0, outcome.out
    fed.db3.wait_ready()
    assert fed.writers() == ["db3"] and not has_feed(fed.db3)
    assert fed.db2.channel("feed").io == "Yes"


@by_gtid
def test_a_candidate_keeps_its_second_channel(fed):
    # What that one has yet to apply is not waited for.
    fed.db2.stop_replication("feed", thread="SQL")
    fed.other.sql("INSERT INTO feed.item VALUES (3), (4)")
    wait_until(lambda: received(fed.db2.channel("feed")) >= fed.other.position())
    fed.lose(fed.db1)
    told = (f"db2 also replicates from {fed.other.host}:{fed.other.port}, outside the cluster: it keeps "
            "that channel as the primary, and the other nodes receive its transactions too")
    outcome = fed.run("handler", "--never", "db3")
    assert outcome.code == 1 and told in outcome.out, outcome.out
    assert fed.writers() == ["db2"]
    assert [(c.name, c.io) for c in fed.db2.channels()] == [("feed", "Yes")]


# Filters

def set_filter(server, table):
    server.stop_replication()
    if server.flavour == "mariadb":
        server.sql(f"SET GLOBAL replicate_ignore_table = '{table}'")
    else:
        server.sql(f"CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({table})")
    server.start_replication()
    server.wait_channel(io="Yes", sql="Yes")


@by_gtid
def test_the_complete_replica_is_promoted(cluster):
    set_filter(cluster.db2, "shop.item")
    cluster.insert(10)
    cluster.catch_up()
    cluster.lose(cluster.db1)
    outcome = cluster.run("handler")
    cluster.db2.stop_replication()
    if cluster.flavour == "mariadb":
        cluster.db2.sql("SET GLOBAL replicate_ignore_table = ''")
    else:
        cluster.db2.sql("CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ()")
    assert outcome.code == 0 and cluster.writers() == ["db3"], outcome.out
    assert rows(cluster.db3) == {1, 2, 3, 10}


# Without GTIDs

@by_position
def test_the_smaller_backlog_ranks_first(cluster):
    cluster.db2.stop_replication(thread="SQL")
    cluster.insert(10, 11, 12)
    cluster.wait_received(cluster.db2)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.lose(cluster.db1)
    outcome = cluster.run("handler")
    assert outcome.code == 0 and cluster.writers() == ["db3"], outcome.out
    cluster.assert_one_primary(cluster.db3)


def set_binlog_format(cluster, word):
    """Set the format, which MySQL allows while nothing is applied."""
    cluster.db2.stop_replication(thread="SQL")
    for server in cluster.servers:
        server.sql(f"SET GLOBAL binlog_format = {word}")
    cluster.db2.start_replication(thread="SQL")
    cluster.db2.wait_channel(sql="Yes")


def warnings(outcome):
    return re.findall(r"^warning: (.*)$", outcome.out, re.M)


@pytest.mark.parametrize("kind", GTID_KINDS)
def test_filters_that_match_the_binlogs(kind):
    with Bench() as bench:
        cluster = Cluster(bench, kind, nodes=2,
                          options=("--binlog-do-db=shop", "--replicate-do-db=shop"))
        set_binlog_format(cluster, "ROW")
        assert warnings(cluster.run("plan", "--assume-dead", "db1")) == []
        set_binlog_format(cluster, "MIXED")
        told = ("db1 filters its binlog (binlog-do-db=shop) by the default database of each statement: "
                "with binlog_format=MIXED no replica gets what a session in another database "
                "writes to these. Set binlog_format=ROW on all nodes")
        assert warnings(cluster.run("plan", "--assume-dead", "db1")) == [told]
        # It is known from now on.
        assert "primary-alive" in cluster.run("handler").out
        cluster.db1.kill()
        cluster.db2.wait_channel(io="Connecting")
        outcome = cluster.run("handler")
        assert outcome.code == 1 and warnings(outcome) == [told], outcome.out
