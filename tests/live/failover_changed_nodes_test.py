# SPDX-License-Identifier: MIT
"""The nodes are not as they were any more when the new primary is about to be opened: one that was
silent when the failover was planned is back, or one has received more since."""

import pytest

from cluster import GTID_KINDS, rows
from interruptions import in_the_middle
from network import BlackHole
from servers import wait_until

gtid_kinds = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
some_kinds = pytest.mark.parametrize("shared", [*GTID_KINDS, "mysql-position"], indirect=True)


def come_back(server, read_only=True):
    """Start a server that was silent; what it is told by its option file opens it for writes."""
    server.start()
    if read_only:
        server.sql("SET GLOBAL read_only = ON")


@pytest.fixture
def silent(cluster):
    """db3 and then db1 are dead; both were seen."""
    cluster.watch()
    cluster.db3.kill()
    cluster.lose(cluster.db1)
    return cluster


@some_kinds
def test_a_silent_replica_is_back_and_accepts_writes(silent):
    with in_the_middle(silent) as result:
        come_back(silent.db3, read_only=False)
    code, out = result
    assert code == 2 and "FAILED recheck" in out, out
    assert "db3 answers again and accepts writes. To end the writes, run there: SET GLOBAL" in out
    assert "db3 accepts writes already (second-writer)" in out
    assert silent.writers() == ["db3"], "db2 is not opened beside it"
    assert [channel.source_port for channel in silent.db2.channels()] == [silent.db1.port]
    silent.db3.sql("SET GLOBAL read_only = ON")
    outcome = silent.run("failover")
    assert outcome.code in (0, 1) and rows(silent.primary()) == {1, 2, 3}, outcome.out


@some_kinds
def test_a_silent_replica_is_back_with_more(cluster):
    """What only it has received is not lost: the node to promote is chosen again."""
    cluster.lose_contact(cluster.db2)
    cluster.insert(10, 11)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.watch()
    cluster.db3.kill()
    cluster.lose(cluster.db1)
    with in_the_middle(cluster) as result:
        come_back(cluster.db3)
    code, out = result
    assert "db3 answers again and has transactions that db2 lacks" in out, out
    assert code in (0, 1) and rows(cluster.primary()) == {1, 2, 3, 10, 11}, out
    assert [outcome for _, outcome in cluster.journals()][:1] == ["undone"]


@gtid_kinds
def test_a_silent_replica_is_back_and_speaks_against_nothing(silent):
    with in_the_middle(silent) as result:
        come_back(silent.db3)
    code, out = result
    assert code == 0 and "db3 answers again, and the plan still holds" in out, out
    assert "db3 follows db2 in the end" in out
    silent.assert_one_primary(silent.db2)


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_a_replica_behind_a_firewall_costs_little(cluster):
    """A node that stays silent is waited for no longer than a second."""
    cluster.watch()
    cluster.db3.kill()
    cluster.lose(cluster.db1)
    hole = cluster.bench.add(BlackHole())
    lines = cluster.config.read_text().replace(f"db3={cluster.db3.host}:{cluster.db3.port}",
                                               f"db3={hole.host}:{hole.port}")
    cluster.config.write_text(lines)
    outcome = cluster.run("failover", "--probe-timeout", "10", "--assume-replica", "db3")
    assert outcome.code == 1 and cluster.writers() == ["db2"], outcome.out
    assert cluster.begun_at("make-writable") - cluster.begun_at("recheck") < 1.5, outcome.out


def test_another_replica_receives_more_after_the_plan_was_made(cluster):
    """A cut heals just then: the node to promote is chosen again."""
    cluster.lose_contact(cluster.db2, cluster.db3)
    cluster.insert(10)
    with in_the_middle(cluster, REFUSED_PORT=cluster.db1.port) as result:
        cluster.db3.start_replication(thread="IO")
        cluster.wait_received(cluster.db3)
        cluster.lose(cluster.db1, cluster.db3)
    code, out = result
    assert "db3 has received, since the plan was made, transactions that db2 lacks" in out, out
    assert code in (0, 1) and rows(cluster.primary()) == {1, 2, 3, 10}, out
    wait_until(lambda: len(cluster.journals()) == 2)
