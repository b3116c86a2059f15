# SPDX-License-Identifier: MIT
"""mysql_ha switchover under writers: nothing is lost, writers wait for a moment, and when anything
fails before the new primary is open, the old one goes on as if nothing had been."""

import concurrent.futures
import contextlib
import itertools
import threading
import time

import pymysql
import pytest

from certificates import Authority
from cluster import GTID_KINDS, Cluster, changes, rows
from interruptions import Pause
from writer import APP_PASSWORD, APP_USER, Writer
from server import MANAGER_USER
from servers import wait_until


def switch(cluster, to, expected=0):
    """Switch over to a server and assert that everything follows it."""
    outcome = cluster.run("switchover", "--to", to.name)
    assert outcome.code == expected, outcome.out
    cluster.assert_one_primary(to)
    return outcome


def refuse(cluster, text, *words, strict=True):
    """Run a switchover that has to be refused, or rolled back, for this reason."""
    before = cluster.snapshot(strict)
    outcome = cluster.run("switchover", *words)
    assert outcome.code == 2 and text in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot(strict)), outcome.out
    return outcome


# Under writers

# Writers are blocked for less than this where nothing else is to be done; one switchover among
# several tests that run at the same time may take longer, but not of three the second longest.
BLOCKED_S, BESIDE_OTHERS_S = 1.0, 3.0


def test_no_write_is_lost(cluster):
    """There and back again and to the third, under a writer."""
    with Writer(cluster) as writer:
        gaps = []
        for server in (cluster.db2, cluster.db1, cluster.db3):
            begun = time.monotonic()
            outcome = cluster.run("switchover", "--to", server.name)
            assert outcome.code == 0, outcome.out
            writer.wait_for(20, server.name)
            gaps.append(writer.gap(begun))
    cluster.assert_one_primary(cluster.db3)
    assert not writer.lost(rows(cluster.db3))
    assert sorted(gaps)[1] < BLOCKED_S and max(gaps) < BESIDE_OTHERS_S, gaps


def test_no_write_of_an_administrator_is_lost(cluster):
    """read_only does not stop MariaDB's administrators, who find the new primary themselves."""
    with Writer(cluster, as_admin=True) as writer:
        outcome = cluster.run("switchover", "--to", "db2")
        assert outcome.code == 0, outcome.out
        writer.wait_for(20, "db2")
    cluster.assert_one_primary(cluster.db2)
    assert not writer.lost(rows(cluster.db2))
    assert writer.gap() < BESIDE_OTHERS_S


class Obstinate:
    """Administrators who write to the old primary, whatever comes, until the end of the block."""

    def __init__(self, server):
        self._server, self._done = server, threading.Event()
        self.acknowledged = {}  # number: when it was asked, in seconds since the epoch
        self._pool = concurrent.futures.ThreadPoolExecutor()

    def __enter__(self):
        self._writers = [self._pool.submit(self._write, n * 1000000) for n in range(1, 5)]
        wait_until(lambda: len(self.acknowledged) > 50)
        return self

    def __exit__(self, *_):
        self._done.set()
        for writer in self._writers:
            writer.result(40)
        self._pool.shutdown()

    def _write(self, first):
        numbers = itertools.count(first)
        while not self._done.is_set():
            with contextlib.suppress(pymysql.err.MySQLError, OSError), \
                    self._server.connect(30) as session, session.cursor() as cursor:
                while not self._done.wait(0.002):
                    number, asked = next(numbers), time.time()
                    cursor.execute(f"INSERT INTO shop.item VALUES ({number}, '')")
                    self.acknowledged[number] = asked


def test_administrators_who_do_not_look(cluster):
    """What the old primary acknowledges of what was asked before the new one was open is on the new
    one; and when it has gone on afterwards, which only MariaDB lets administrators do, that is
    told."""
    with Obstinate(cluster.db1) as obstinate:
        outcome = cluster.run("switchover", "--to", "db2")
        time.sleep(0.1)
    assert cluster.writers() == ["db2"]
    cluster.wait_until_all_follow(cluster.db2, [cluster.db3])
    opened = cluster.begun_at("make-writable")
    asked = {number for number, when in obstinate.acknowledged.items() if when < opened}
    assert len(asked) > 50 and asked <= rows(cluster.db2), outcome.out
    beyond = set(obstinate.acknowledged) - rows(cluster.db2)
    assert not beyond or cluster.flavour == "mariadb"
    attached = [channel.io for channel in cluster.db1.channels()] == ["Yes"]
    told = outcome.code == 1 and "repoint db1: " in outcome.out
    assert attached or (cluster.flavour == "mariadb" and told), outcome.out


@pytest.fixture
def client(cluster):
    """A session of an application at the primary."""
    with cluster.db1.connect(60, unix_socket=None, host=cluster.db1.host, port=cluster.db1.port,
                             user=APP_USER, password=APP_PASSWORD) as session:
        yield session


def test_clients_at_work(cluster, client):
    """One holds table locks, one has a long query, one has written and not committed."""
    cluster.db1.sql("CREATE TABLE shop.locked (id INT PRIMARY KEY)")
    def ask(statement):
        with cluster.db1.connect(60) as session, session.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    idle = cluster.db1.connect(60, autocommit=False)
    with idle.cursor() as cursor:
        cursor.execute("INSERT INTO shop.item VALUES (50, 'not committed')")
    with client.cursor() as cursor:
        cursor.execute("LOCK TABLES shop.locked WRITE")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        query = pool.submit(ask, "SELECT COUNT(*) FROM information_schema.columns a, "
                                 "information_schema.columns b, information_schema.columns c")
        wait_until(lambda: [row for row in cluster.db1.sql("SHOW PROCESSLIST")
                            if "COUNT" in str(row["Info"])])
        switch(cluster, cluster.db2)
        with pytest.raises(pymysql.err.MySQLError):
            query.result(60)
    with pytest.raises((pymysql.err.MySQLError, OSError)):
        idle.commit()
    assert rows(cluster.db2) == {1, 2, 3}


# What is rolled back, and what is refused

@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_lock_is_lost_when_the_candidate_is_promoted_already(cluster):
    """All but the hook is as it was, down to the intervals of the candidate's channel."""
    pause = Pause(cluster)
    before = cluster.snapshot(strict=False)
    process = cluster.begin("switchover", "--to", "db2", "--pre-switchover", pause.command)
    pause.wait()
    for row in cluster.db3.sql("SHOW PROCESSLIST"):
        if row["User"] == MANAGER_USER:
            cluster.db3.sql(f"KILL {row['Id']}")
    pause.release()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "FAILED recheck" in out, out
    assert f"ended and is rolled back, but {pause.command} has run: " in out
    cluster.assert_one_primary(cluster.db1)
    forgotten = ("db2", "channel  Retrieved_Gtid_Set")  # The relay logs are gone.
    changed = changes(before, cluster.snapshot(strict=False))
    assert set(changed) <= {forgotten}, (changed, out)


def test_candidate_dies_when_writers_are_blocked(cluster):
    with Writer(cluster) as writer:
        outcome = with_fault(cluster, cluster.db2.kill)
        writer.wait_for(20, "db1")
    assert cluster.writers() == ["db1"], outcome
    assert writer.gap() < BESIDE_OTHERS_S


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_candidate_hangs_when_writers_are_blocked(cluster):
    with Writer(cluster) as writer:
        outcome = with_fault(cluster, cluster.db2.freeze)
        writer.wait_for(20, "db1")
    assert cluster.writers([cluster.db1, cluster.db3]) == ["db1"], outcome
    cluster.db2.thaw()
    cluster.wait_until_all_follow(cluster.db1)
    assert writer.gap() < 20


def with_fault(cluster, fault):
    """Switch over to db2, and let a fault happen in the hook just before the writers are blocked;
    return what was printed."""
    pause = Pause(cluster)
    process = cluster.begin("switchover", "--to", "db2", "--pre-switchover", pause.command)
    pause.wait()
    fault()
    pause.release()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "switchover ended" in out, out
    return out


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_what_is_refused(cluster):
    refuse(cluster, "db1 is the primary already", "--to", "db1")
    refuse(cluster, "no node is called 'db9'", "--to", "db9")
    refuse(cluster, "give the replication account", "--repl-username", "")
    refuse(cluster, "must not be promoted (policy)", "--to", "db2", "--never", "db2")
    cluster.db2.stop_replication(thread="SQL")
    refuse(cluster, "db2 does not replicate", "--to", "db2")
    cluster.db3.sql("SET GLOBAL read_only = OFF")
    refuse(cluster, "several nodes accept writes: db1, db3")


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_table_locks_that_nobody_may_end(cluster):
    """The primary is not closed later, when the locks end and nobody waits for it any more."""
    for server in cluster.servers:
        server.sql("SET SESSION sql_log_bin = 0",
                   f"REVOKE SYSTEM_USER ON *.* FROM {MANAGER_USER}@'%'")
    try:
        with cluster.db1.connect(60) as session, session.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.item WRITE")
            outcome = cluster.run("switchover", "--to", "db2")
            assert outcome.code == 2 and "Lock wait timeout exceeded" in outcome.out, outcome.out
            cursor.execute("UNLOCK TABLES")
        cluster.insert(9)
        cluster.assert_one_primary(cluster.db1)
    finally:
        for server in cluster.servers:
            server.sql("SET SESSION sql_log_bin = 0",
                       f"GRANT SYSTEM_USER ON *.* TO {MANAGER_USER}@'%'")


# TLS

@pytest.mark.parametrize("kind", ["mariadb-gtid", "mariadb-position", "mysql-gtid"])
def test_replication_over_tls_stays_so(bench, kind, tmp_path):
    """Every channel, the old primary's new one too, keeps to TLS and to the authority it trusts."""
    authority = Authority(tmp_path)
    cluster = Cluster(bench, kind, tls=authority.issue("server"), tls_ca=authority.cert)
    cluster.insert(1)
    cluster.catch_up()
    switch(cluster, cluster.db2)
    assert_tls(cluster, authority, cluster.db1, cluster.db3)
    cluster.lose(cluster.db2)
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    new = cluster.primary()
    cluster.assert_one_primary(new)
    assert_tls(cluster, authority, *(s for s in cluster.alive() if s is not new))


def assert_tls(cluster, authority, *replicas):
    """Assert that the channels of replicas use TLS and verify their source."""
    word = "Master" if cluster.flavour == "mariadb" else "Source"
    for replica in replicas:
        row = replica.channels()[0].row
        assert (row[f"{word}_SSL_Allowed"], row[f"{word}_SSL_CA_File"],
                row[f"{word}_SSL_Verify_Server_Cert"]) == ("Yes", str(authority.cert), "Yes"), row
