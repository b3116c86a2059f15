# SPDX-License-Identifier: MIT
"""Replicas that hold a failover up, and those that it would leave behind: delayed, behind a lock,
silent, stopped at the wrong moment."""

import re

import pytest

from cluster import GTID_KINDS, rows
from server import MANAGER_USER


class Reader:
    """A client that reads a table and stays in its transaction, so that nobody alters it."""

    def __init__(self, server):
        self._session = server.connect(60)
        self._session.begin()
        with self._session.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM shop.item")
            cursor.execute("SELECT CONNECTION_ID() AS id")
            self.id = cursor.fetchone()["id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()


def test_another_that_has_received_as_much_takes_the_place_of_one_that_is_held_up(cluster):
    cluster.write_config("deadline=16", "prefer=db2")
    cluster.db3.stop_replication(thread="SQL")
    with Reader(cluster.db2) as reader:
        cluster.db1.sql("ALTER TABLE shop.item ADD COLUMN more INT DEFAULT 0",
                        "INSERT INTO shop.item VALUES (10, '', 0)")
        for replica in cluster.servers[1:]:
            cluster.wait_received(replica)
        cluster.lose(cluster.db1)
        outcome = cluster.run("failover")
        assert cluster.writers() == ["db3"] and outcome.code == 1, outcome.out
        assert re.search("FAILED drain db2: not all received transactions are applied: .*, "
                         "Waiting for table metadata lock "
                         f"held.* by connection {reader.id} of root@localhost", outcome.out)
        assert "ended and is rolled back, but db1 has been fenced: drain db2: " in outcome.out
        assert re.search("warning: repoint db2: .*(lock held|not applied all)", outcome.out), \
            outcome.out
        # The last try ends the clients of a replica that is to be moved.
        assert re.search("^warning: db2 does not follow db3: |^db2 follows db3 in the end$",
                         outcome.out, re.M), outcome.out
        assert {end for _, end in cluster.journals()} >= {"undone", "warnings"}
    assert rows(cluster.db3) == {1, 2, 3, 10}


def delay(replica, seconds):
    """Let a replica apply what it receives so much later."""
    replica.stop_replication()
    word = "MASTER" if replica.flavour == "mariadb" else "REPLICATION SOURCE"
    option = "MASTER" if replica.flavour == "mariadb" else "SOURCE"
    replica.sql(f"CHANGE {word} TO {option}_DELAY = {seconds}")
    replica.start_replication()


def test_a_delay_is_lifted_for_the_drain(cluster):
    """Of the candidate, which has more than the other replica."""
    delay(cluster.db2, 3600)
    cluster.lose_contact(cluster.db3)
    cluster.insert(10, 11)
    cluster.wait_received(cluster.db2)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover", "--prefer", "db2")
    assert cluster.writers() == ["db2"] and rows(cluster.db2) == {1, 2, 3, 10, 11}, outcome.out
    assert "warning: db2 applies with a delay of 60m 00s, which the failover removes" in outcome.out


def test_a_delay_is_put_back_where_nobody_is_promoted(cluster):
    """The promotion fails; the primary returns, and all replicate as before."""
    delay(cluster.db2, 3600)
    cluster.insert(10, 11)
    for replica in (cluster.db2, cluster.db3):
        cluster.wait_received(replica)
    cluster.db2.sql("SET SESSION sql_log_bin = 0", f"REVOKE RELOAD ON *.* FROM {MANAGER_USER}@'%'")
    try:
        cluster.lose(cluster.db1)
        outcome = cluster.run("failover", "--never", "db3")
        assert outcome.code == 2 and "promote db2: " in outcome.out, outcome.out
        assert "rolled back, but db1 has been fenced: " in outcome.out
    finally:
        cluster.db2.sql("SET SESSION sql_log_bin = 0", f"GRANT RELOAD ON *.* TO {MANAGER_USER}@'%'")
    channel = cluster.db2.channels()[0]
    assert channel.row["SQL_Delay"] == 3600 and channel.io != "No" and channel.sql == "Yes"
    cluster.db1.start()
    cluster.db1.sql("SET GLOBAL read_only = OFF")
    cluster.insert(12)
    delay(cluster.db2, 0)
    cluster.assert_one_primary(cluster.db1)


def assert_picked_up(cluster, outcome):
    """Hold that db3 follows db2 in the end; by position no record shows where to begin."""
    if cluster.gtid:
        assert outcome.code == 0 and "db3 follows db2 in the end" in outcome.out, outcome.out
        cluster.assert_one_primary(cluster.db2)
    else:
        assert outcome.code == 1, outcome.out
        assert "warning: db3 does not follow db2: no record shows" in outcome.out


def test_a_replica_that_was_silent_is_picked_up_at_the_end(cluster):
    """It has stood still at every probe, and answers when the new primary is open."""
    cluster.db3.freeze()
    cluster.lose(cluster.db1, cluster.db2)
    outcome = cluster.run("failover", "--probe-timeout", "1", "--post-failover",
                          cluster.hook("thaw", f"kill -CONT {cluster.db3.process.pid}\n"))
    assert cluster.writers() == ["db2"], outcome.out
    assert_picked_up(cluster, outcome)


def test_a_replica_that_was_silent_is_picked_up_by_the_run_that_goes_on(cluster):
    """The tool is killed when the new primary is open; the replica is in no step of its plan."""
    cluster.db3.freeze()
    cluster.lose(cluster.db1, cluster.db2)
    hook = cluster.hook("once", "[ -e $0.ran ] && exit\n: > $0.ran\nkill -KILL $PPID\n")
    words = "failover", "--probe-timeout", "1", "--post-failover", hook
    process = cluster.begin(*words)
    out, _ = process.communicate(timeout=60)
    cluster.db3.thaw()
    assert process.returncode == -9 and cluster.writers() == ["db2"], out
    outcome = cluster.run(*words)
    assert "was interrupted, resuming it" in outcome.out
    assert_picked_up(cluster, outcome)


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_a_replica_that_stays_silent_is_named(cluster):
    cluster.db3.kill()
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 1 and cluster.writers() == ["db2"], outcome.out
    assert re.search("^warning: db3 does not follow db2: .*Can't connect.* When it answers, run: "
                     "mysql_ha rejoin db3 --cluster .*$", outcome.out, re.M), outcome.out
