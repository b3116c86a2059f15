# SPDX-License-Identifier: MIT
"""mysql_ha failover after `kill -9` of the primary: who takes over, what is lost, and how long it
takes, in each kind of replication."""

import re
import time

import pytest

import cache
from cluster import GTID_KINDS, received, rows
from writer import ADMIN_PASSWORD, ADMIN_USER, Writer
from servers import wait_until

BACKLOG = 2000  # transactions
AT_ONCE_S = 3.0  # beside other tests
# Applying events of a binlog needs the rights to the data.
AS_ADMIN = ("--username", ADMIN_USER, "--password", ADMIN_PASSWORD)


@pytest.fixture
def cluster(shared):
    """An asynchronous cluster of each kind in turn."""
    shared.start_over()
    return shared


@pytest.fixture
def semi_sync(shared_semi_sync):
    """A cluster in which each write waits, for a minute, for one replica."""
    shared_semi_sync.start_over()
    return shared_semi_sync


def lost_as_told(outcome):
    """Return (transactions, whether there may be more) that a failover says are lost."""
    told = re.search(r"^loss: (.*)$", outcome.out, re.MULTILINE)[1]
    if told.startswith("none"):
        return 0, "may have had more" in told
    number = re.match(r"(at least )?(\d+) transactions?", told)
    return int(number[2]), bool(number[1])


def fail_over(cluster, writer, *words, expected=(0,)):
    """Kill the primary under a writer, fail over, and return (new primary, outcome): it accepts the
    writer's rows at once."""
    old = cluster.primary()
    writer.wait_for(20)
    cluster.lose(old)
    outcome = cluster.run("failover", *words)
    assert outcome.code in expected, outcome.out
    ended = time.monotonic()
    new = cluster.primary()
    writer.wait_for(20, new.name)
    assert writer.first_at(new.name).answered < ended + AT_ONCE_S
    return new, outcome


# Who takes over, and what is lost

@pytest.mark.parametrize("nodes", [2, 3])
def test_under_writes(cluster, nodes):
    if nodes == 2:
        cluster.db3.kill()
        cluster.write_config(nodes=2)
    with Writer(cluster) as writer:
        new, outcome = fail_over(cluster, writer, expected=(0, 1))
    followers = [server for server in cluster.alive() if server is not new]
    if outcome.code == 1:
        # By position, who has not received as much as the new primary cannot follow it.
        file, position = re.search(r"it has the transactions of db1 up to (\S+):(\d+)", outcome.out).groups()
        apart, = (s for s in followers if received(s.channels()[0]) != (file, int(position)))
        assert not cluster.gtid and f"{apart.name} needs a resync: it is at another position" in outcome.out
        followers.remove(apart)
    cluster.assert_one_primary(new, followers)
    lost = writer.numbers - rows(new)
    told, more = lost_as_told(outcome)
    assert more or told >= len(lost), (lost, outcome.out)


def test_what_no_replica_received_is_told(cluster):
    with Writer(cluster) as writer:
        cluster.lose_contact(cluster.db2)
        writer.wait_for(20)
        cluster.lose_contact(cluster.db3)
        writer.wait_for(40)
        new, outcome = fail_over(cluster, writer, expected=(0, 1))
    assert new is cluster.db3, "it has received more"
    lost = writer.numbers - rows(new)
    assert len(lost) >= 40
    told, more = lost_as_told(outcome)
    assert more or told >= len(lost), outcome.out
    if cluster.gtid:
        cluster.assert_one_primary(new)
    else:
        assert "warning: db2 needs a resync: it is at another position" in outcome.out
        assert cluster.db2.channels()[0].source_port == cluster.db1.port


def test_what_no_replica_received_is_rescued(cluster):
    rescue = cluster.hook("rescue", rescue_script(cluster.db1))
    with Writer(cluster) as writer:
        cluster.lose_contact(cluster.db2, cluster.db3)
        writer.wait_for(40)
        new, outcome = fail_over(cluster, writer, *AS_ADMIN, "--rescue-command", rescue,
                                  expected=(0, 1))
    assert writer.numbers <= rows(new), outcome.out
    assert lost_as_told(outcome) == (0, False)


def rescue_script(server):
    """Return a script that prints, as conf-examples/mysql-failover/rescue-binlogs does, what the
    dead primary has on its disk."""
    program = " ".join(cache.client_command(server.flavour, "binlog"))
    return (f"cd {server.datadir}\nfiles=\nfor file in binlog.[0-9]*[0-9]; do\n"
            '[ "$file" \\< "$HA_BINLOG_FILE" ] || files="$files $PWD/$file"\ndone\n'
            f"exec {program} --no-defaults --start-position=$HA_BINLOG_POSITION $files\n")


def test_backlog_is_applied_completely(cluster):
    for replica in (cluster.db2, cluster.db3):
        replica.stop_replication(thread="SQL")
    cluster.insert(*range(BACKLOG))
    for replica in (cluster.db2, cluster.db3):
        cluster.wait_received(replica)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    assert rows(cluster.db2) == set(range(BACKLOG))
    cluster.assert_one_primary(cluster.db2)


def test_catch_up_from_a_sibling_that_must_not_be_promoted(cluster):
    cluster.insert(1)
    cluster.catch_up()
    cluster.lose_contact(cluster.db2)
    cluster.insert(2, 3, 4)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover", "--never", "db3")
    assert cluster.writers() == ["db2"], outcome.out
    if cluster.gtid:
        assert outcome.code == 0 and rows(cluster.db2) == {1, 2, 3, 4}, outcome.out
        cluster.assert_one_primary(cluster.db2)
    else:
        assert outcome.code == 1 and "db3 has received more transactions and cannot hand them on" in outcome.out
        assert lost_as_told(outcome)[0] > 0


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_rescue_after_catching_up(cluster):
    cluster.lose_contact(cluster.db2)
    cluster.insert(1, 2)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.lose_contact(cluster.db3)
    cluster.insert(3, 4)
    cluster.lose(cluster.db1)
    rescue = cluster.hook("rescue", rescue_script(cluster.db1))
    outcome = cluster.run("failover", "--never", "db3", *AS_ADMIN, "--rescue-command", rescue)
    assert rows(cluster.db2) == {1, 2, 3, 4}, outcome.out
    cluster.assert_one_primary(cluster.db2)


def test_broken_sibling(cluster):
    cluster.db2.sql("SET SESSION sql_log_bin = 0", "INSERT INTO shop.item VALUES (50, 'mine')")
    cluster.insert(50)
    cluster.db2.wait_channel(sql="No")
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 1 and cluster.writers() == ["db3"], outcome.out
    assert "warning: db2 needs a resync: its SQL thread has failed" in outcome.out


def test_torn_transaction_at_the_end_of_a_relay_log(cluster):
    cluster.db1.sql("ALTER TABLE shop.item MODIFY note LONGTEXT")
    cluster.insert(1)
    cluster.catch_up()
    for replica in (cluster.db2, cluster.db3):
        replica.freeze()
    # The replicas' sockets hold the first part of this.
    with cluster.db1.connect(60) as session, session.cursor() as cursor:
        cursor.execute("BEGIN")
        for number in range(100, 300):
            cursor.execute(f"INSERT INTO shop.item VALUES ({number}, REPEAT('x', 200000))")
        cursor.execute("COMMIT")
    wait_until(lambda: len(blocked_senders(cluster.db1)) == 2)
    end = cluster.db1.position()
    cluster.db1.kill()
    for replica in (cluster.db2, cluster.db3):
        replica.thaw()
        wait_until(lambda r=replica: r.channels()[0].io != "Yes")
    for replica in (cluster.db2, cluster.db3):
        assert received(replica.channels()[0]) < end, "the transaction is torn"
    outcome = cluster.run("failover", "--deadline", "60")
    assert outcome.code in (0, 1), outcome.out
    new = cluster.primary()
    assert rows(new) == {1}, "half a transaction is none"
    cluster.insert(2, server=new)
    if cluster.gtid:
        cluster.assert_one_primary(new)


def blocked_senders(server):
    """Return the states of threads that wait until a replica takes what they send."""
    return [row["State"] for row in server.sql("SHOW PROCESSLIST")
            if row["State"] in ("Writing to net", "Sending to client")]


def test_delayed_replica_is_the_last_choice(cluster):
    delay(cluster, cluster.db2, 3600)
    cluster.insert(1)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.wait_received(cluster.db2)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert cluster.writers() == ["db3"] and rows(cluster.db3) == {1}, outcome.out
    assert outcome.code == 0 and cluster.db2.channels()[0].source_port == cluster.db3.port, outcome.out
    assert cluster.db2.channels()[0].delay == 3600


def test_delayed_replica_is_waited_for(cluster):
    cluster.db3.kill()
    cluster.write_config(nodes=2)
    delay(cluster, cluster.db2, 2)
    cluster.insert(1)
    cluster.wait_received(cluster.db2)
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 1 and "db2 applies with a delay of 2s" in outcome.out, outcome.out
    assert cluster.writers() == ["db2"] and rows(cluster.db2) == {1}


def delay(cluster, replica, seconds):
    """Let a replica apply everything later."""
    replica.stop_replication()
    replica.change_source(cluster.db1.host, cluster.db1.port, gtid=cluster.gtid, delay=seconds,
                          position=received(replica.channels()[0]))
    replica.start_replication()
    replica.wait_channel(io="Yes", sql="Yes")


# Semi-sync

def test_nothing_acknowledged_is_lost(semi_sync):
    """Two failovers, the second as soon as the new primary has acknowledged anything."""
    with Writer(semi_sync) as writer:
        first, outcome = fail_over(semi_sync, writer)
        acknowledged = set(writer.numbers)
        assert acknowledged <= rows(first), outcome.out
        assert semi_sync.run("journal", "ack").code == 0
        semi_sync.lose(first)
        second = next(s for s in semi_sync.servers[1:] if s.running)
        acknowledged = set(writer.numbers)
        outcome = semi_sync.run("failover")
        assert outcome.code == 1, outcome.out
        assert f"no semi-sync replica can follow {second.name}" in outcome.out
        assert acknowledged <= rows(second)
        second.kill()  # Its first write would wait for a replica, and the writer for that.


def test_no_write_of_the_new_primary_exists_once(semi_sync):
    """The new primary dies with its very first acknowledgements: the other replica has them."""
    with Writer(semi_sync, rate=2000) as writer:
        writer.wait_for(20)
        semi_sync.lose(semi_sync.db1)
        process = semi_sync.begin("failover")
        new = wait_until(lambda: next((s for s in semi_sync.servers[1:] for w in list(writer.writes)
                                       if w.server == s.name), None),
                         what=f"a write, after {writer.errors[-3:]}")
        new.kill()
        process.communicate(timeout=60)
        acknowledged = set(writer.numbers)
    other = next(server for server in semi_sync.servers[1:] if server is not new)
    wait_until(lambda: acknowledged <= rows(other), what=f"{acknowledged - rows(other)}")


@pytest.mark.parametrize("shared_semi_sync", ["mariadb-gtid"], indirect=True)
def test_applier_that_waits_for_replicas_of_its_own(semi_sync):
    """MariaDB: a replica that is a semi-sync source itself waits, the first time, 10 seconds."""
    for replica in (semi_sync.db2, semi_sync.db3):
        replica.sql("SET GLOBAL rpl_semi_sync_master_enabled = OFF",
                    "SET GLOBAL rpl_semi_sync_master_timeout = 10000",
                    "SET GLOBAL rpl_semi_sync_master_enabled = ON")
    semi_sync.insert(1, 2, 3)
    semi_sync.lose(semi_sync.db1)
    outcome = semi_sync.run("failover")
    assert outcome.code == 0 and outcome.seconds < 5, outcome.out
    new = semi_sync.primary()  # the one that has acknowledged
    semi_sync.assert_one_primary(new)
    assert rows(new) == {1, 2, 3}


# What else the operator sees

@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_facts_for_hooks(cluster):
    seen = cluster.directory / "environment"
    cluster.lose(cluster.db1)
    outcome = cluster.run("handler", "--fence-command", "sh -c 'exit 10'",
                          "--post-failover", cluster.hook("facts", f"env > {seen}\n"))
    assert outcome.code == 1, outcome.out
    assert "warning: db1 is NOT fenced, the operator accepts it: " in outcome.out
    facts = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert (facts["HA_COMMAND"], facts["HA_FAILED_NODE"], facts["HA_SUCCESSOR_NODE"]) == \
        ("failover", "db1", "db2")
    assert facts["HA_SUCCESSOR_PORT"] == str(cluster.db2.port)
    everything = seen.read_text() + outcome.out + "".join(
        path.read_text() for path in cluster.state_dir.glob("**/*") if path.is_file())
    assert "secret" not in everything
    cluster.assert_one_primary(cluster.db2)


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_errant_transactions(cluster):
    cluster.insert(70, server=cluster.db2)
    cluster.lose(cluster.db1)
    assert "not db2: has errant transactions" in cluster.run("plan").out
    outcome = cluster.run("failover")
    assert outcome.code == 0 and cluster.writers() == ["db3"], outcome.out


def test_client_writes_while_the_old_primary_returns(cluster):
    """It was looked at before, and is closed after; what comes between is not overlooked."""
    cluster.lose(cluster.db1)
    assert cluster.run("failover").code == 0
    cluster.db1.start()
    with cluster.db1.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('monitoring-plugins-ha:mysql', 0)")
        process = cluster.begin("rejoin", "db1")
        wait_until(lambda: [row for row in cluster.db1.sql("SHOW PROCESSLIST")
                            if "GET_LOCK" in str(row["Info"]) and row["State"] == "User lock"])
        cluster.insert(77, server=cluster.db1)
        cursor.execute("SELECT RELEASE_LOCK('monitoring-plugins-ha:mysql')")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "it has written since it was probed" in out, out
    assert cluster.db1.channels() == [] and cluster.db1.value("@@GLOBAL.read_only") == 1
