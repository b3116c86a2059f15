# SPDX-License-Identifier: MIT
"""The tool is killed before and after each single write of its journal. Whatever was half done, the
next run ends it: one primary, everybody follows it, and nothing acknowledged is lost."""

import itertools

import pytest

from cluster import changes, rows
from interruptions import interrupt_failover, run_and_kill
from network import BlackHole

COMMANDS = {"failover": ["failover"], "switchover": ["switchover", "--to", "db2"]}


# By position the two flavours differ little in what is asked here.
some_kinds = pytest.mark.parametrize("shared", ["mariadb-gtid", "mariadb-position", "mysql-gtid"],
                                     indirect=True)


def prepare(cluster, command):
    """Make a new cluster whose replicas have received what they have not applied; under semi-sync
    they would apply it only after a minute's wait for replicas of their own."""
    cluster.start_over()
    if command == "failover" and not cluster.semi_sync:
        for replica in cluster.servers[1:]:
            replica.stop_replication(thread="SQL")
    cluster.insert(1, 2, 3)
    for replica in cluster.servers[1:]:
        cluster.wait_received(replica)
    if command == "failover":
        cluster.lose(cluster.db1)


def write_somewhere(cluster):
    """Insert a row into the server that accepts writes, if there is one; return its number."""
    for server in cluster.alive():
        if cluster.writers() == [server.name]:
            cluster.insert(100, server=server)
            return {100}
    return set()


@some_kinds
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_each_write_of_the_journal(shared, command):
    kill_at_each_write(shared, command)


def test_killed_at_each_write_under_semi_sync(shared_semi_sync):
    kill_at_each_write(shared_semi_sync, "failover")


def kill_at_each_write(cluster, command):
    words = COMMANDS[command]
    for number, when in ((n, w) for n in itertools.count(1) for w in ("before", "after")):
        where = f"killed {when} write {number}"
        prepare(cluster, command)
        if not run_and_kill(cluster, words, number, when):
            break
        assert len(cluster.writers()) <= 1, where
        written = {1, 2, 3} | write_somewhere(cluster)
        second = cluster.run(*words)
        assert cluster.writers() == ["db2"], (where, second.out)
        cluster.assert_one_primary(cluster.db2)
        assert rows(cluster.db2) == written, (where, second.out)
        assert not cluster.semi_sync or cluster.db2.waits_for_replicas(), (where, second.out)
        # Before the opening a planned change is rolled back and made anew, after it is finished.
        outcomes = [outcome for _, outcome in cluster.journals()]
        assert outcomes in (["done"], ["undone", "done"]), (where, outcomes, second.out)
        before = cluster.snapshot()
        third = cluster.run(*words)
        assert third.code == 2 and not changes(before, cluster.snapshot()), (where, third.out)
    assert number > 8, "the journal was written this often"


@some_kinds
def test_killed_at_each_write_while_it_rolls_back(shared):
    """Nobody can get the virtual IP, so what was done is rolled back; the next run knows of none."""
    cluster = shared
    words = ["failover", "--vip", "192.0.2.77/32", "--interface", "nosuch0"]
    for number in itertools.count(1):
        where = f"killed after write {number}"
        prepare(cluster, "failover")
        process = cluster.begin(*words, KILL_AT=number, KILL_WHEN="after")
        out, _ = process.communicate(timeout=60)
        assert process.returncode in (2, -9), out
        assert cluster.writers() == [], (where, out)
        second = cluster.run("failover")
        assert len(cluster.writers()) == 1, (where, out, second.out)
        new = cluster.primary()
        cluster.assert_one_primary(new)
        assert rows(new) == {1, 2, 3}, (where, second.out)
        if process.returncode == 2:
            break
    assert "undone promote db2" in out and number > 10, out


@pytest.mark.parametrize("shared_semi_sync", ["mariadb-position", "mysql-position"], indirect=True)
def test_killed_while_it_rolls_back_and_the_primary_went_on(shared_semi_sync):
    """An operator opens the old primary: what its replicas have got since is not fetched again."""
    cluster = shared_semi_sync
    for number in itertools.count(1):
        where = f"killed before write {number}"
        cluster.start_over()
        for server in cluster.servers:  # What nobody acknowledges does not wait for long.
            server.set_semi_sync_timeout(10)
        cluster.insert(1, 2, 3)
        cluster.catch_up()
        process = cluster.begin("switchover", "--vip", "192.0.2.77/32", "--interface", "nosuch0",
                                KILL_AT=number, KILL_WHEN="before")
        out, _ = process.communicate(timeout=60)
        assert process.returncode in (2, -9), out
        cluster.db1.sql("SET GLOBAL read_only = OFF")
        cluster.insert(4, 5)
        for replica in cluster.servers[1:]:
            if any(channel.source_port == cluster.db1.port and channel.io == "Yes"
                   for channel in replica.channels()):
                replica.wait_caught_up(cluster.db1)
        second = cluster.run("switchover")
        assert second.code == 0, (where, second.out)
        new = cluster.primary()
        cluster.assert_one_primary(new)
        assert rows(new) == {1, 2, 3, 4, 5}, (where, second.out)
        if process.returncode == 2:
            break
    assert "undone repoint db3" in out and number > 10, out


@pytest.fixture
def interrupted(shared):
    """A function that fails over and is killed before an action or, with "after", as it begins."""
    def kill(action, when):
        interrupt_failover(shared, action, when)
        return shared
    return kill


@some_kinds
def test_the_primary_is_back_before_a_node_was_opened(interrupted):
    cluster = interrupted("recheck", "before")
    assert cluster.db2.channels() == [] and cluster.writers() == [], "promoted and not open"
    cluster.db1.start()
    cluster.insert(4)
    outcome = cluster.run("failover")
    assert outcome.code == 2 and "db1 answers" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)


@some_kinds
def test_the_primary_is_back_before_the_opening_that_was_begun(interrupted):
    cluster = interrupted("make-writable", "after")
    assert cluster.writers() == []
    cluster.db1.start()
    cluster.insert(4)
    outcome = cluster.run("failover")
    assert outcome.code == 2 and "db1 answers" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)


@some_kinds
def test_another_client_has_closed_the_new_primary(interrupted):
    cluster = interrupted("repoint", "after")
    assert cluster.writers() == ["db2"]
    cluster.db2.sql("SET GLOBAL read_only = ON")
    before = cluster.snapshot()
    outcome = cluster.run("failover")
    assert outcome.code == 2 and "opened db2 for writes" in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot())


def test_more_was_written_since(interrupted):
    """The node that was promoted then lacks what came later, and is not simply opened."""
    cluster = interrupted("recheck", "before")
    cluster.db1.start()
    cluster.insert(4, 5)
    cluster.db3.start_replication()
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    new = cluster.primary()
    assert rows(new) == {1, 2, 3, 4, 5}, outcome.out


@some_kinds
def test_we_are_cut_off_when_the_next_run_looks(interrupted):
    cluster = interrupted("recheck", "before")
    cluster.db1.start()
    witness = cluster.bench.add(BlackHole())
    outcome = cluster.run("failover", "--witness", f"{witness.host}:{witness.port}",
                          REFUSED_PORT=cluster.db1.port)
    assert outcome.code == 2, outcome.out
    cluster.assert_one_primary(cluster.db1)


@some_kinds
def test_another_run_or_client_has_acted_since(interrupted):
    cluster = interrupted("make-writable", "after")
    cluster.db3.stop_replication()
    cluster.db3.sql("SET GLOBAL read_only = OFF")
    before = cluster.snapshot()
    for command in COMMANDS.values():
        outcome = cluster.run(*command)
        assert outcome.code == 2 and "db3 accepts writes" in outcome.out, outcome.out
        assert "mysql_ha journal ack" in outcome.out
    assert not changes(before, cluster.snapshot())
