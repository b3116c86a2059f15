# SPDX-License-Identifier: MIT
"""Who changes a cluster has the votes of more than half of its voters, here three nodes and a server
that only votes: whatever else is wrong, of two managers one acts."""

import json
import os
import signal
import time

import pytest

import plugin
from cluster import GTID_KINDS, changes
from interruptions import Pause
from servers import wait_until

LOCK = "monitoring-plugins-ha:mysql:vote"
LEASE_S, MARGIN_S = 10, 1

pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)


@pytest.fixture(scope="module")
def voter(shared):
    """A server that has no data of the cluster."""
    server, = shared.bench.start(shared.flavour, 1)
    server.name = "voter"
    server.create_manager()
    return server


@pytest.fixture
def voted(cluster, voter):
    """The cluster with its voter, and without its primary."""
    if not voter.running:
        voter.start()
    cluster.write_config(f"vote={voter.host}:{voter.port}")
    cluster.lose(cluster.db1)
    # Who was started just now gives no vote.
    wait_until(lambda: all(uptime(s) > LEASE_S + MARGIN_S for s in (cluster.db2, cluster.db3, voter)))
    return cluster


def uptime(server):
    row, = server.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")
    return int(row["Value"])


def give_away(server, *statements):
    """Give the vote of a server to another manager; return its session."""
    session = server.connect()
    with session.cursor() as cursor:
        for statement in (*statements, f"SELECT GET_LOCK('{LOCK}', 0) AS got"):
            cursor.execute(statement)
        assert cursor.fetchone()["got"] == 1
    return session


def refuse(cluster, *words):
    """Run a command that has to be refused before it changes anything; return what it printed."""
    before = cluster.snapshot()
    outcome = cluster.run(*words)
    assert outcome.code == 2, outcome.out
    assert not changes(before, cluster.snapshot()), outcome.out
    return outcome.out


def test_three_of_four_are_enough(voted):
    assert voted.run("failover").code == 0
    assert len(voted.writers()) == 1


def test_half_of_them_are_not(voted, voter):
    voter.kill()
    out = refuse(voted, "failover")
    assert ("failover refused: a change needs the votes of 3 of 4 servers, and this manager can have 2: "
            in out), out
    assert f"{voter.host}:{voter.port}: Can't connect" in out and "db1: it gives no answer" in out, out
    assert "; to see all nodes, run: mysql_ha status" in out, out


def test_another_manager_is_at_work(voted, voter):
    with give_away(voter) as session:
        out = refuse(voted, "handler")
        given = (f"votes: 3 of 4 are needed for a change, given are those of {voter.host}:{voter.port} "
                 f"(connection {session.thread_id()} from localhost); db1 gives no answer: ")
        assert given in voted.run("status").out
        votes = json.loads(voted.run("status", "--output", "json").out)["votes"]
        assert (votes["needed"], votes["given"], votes["majority_host"]) == (3, 1, None)
        assert [one["answers"] for one in votes["voters"]] == [False, True, True, True]
        for check in ("check_mysql_split_brain", "check_failover_ready"):
            assert given in plugin.run(check, "--cluster", voted.config, "-v").out
    assert (f"{voter.host}:{voter.port}: another manager has its vote "
            f"(connection {session.thread_id()} from localhost)") in out, out


def test_a_manager_that_is_gone_keeps_a_vote_for_the_lease(voted):
    given = time.monotonic()
    with give_away(voted.db2, f"SET SESSION wait_timeout = {LEASE_S}"):
        assert voted.run("failover").code == 0
        assert time.monotonic() - given > LEASE_S - MARGIN_S
    assert len(voted.writers()) == 1


def test_a_switchover_needs_no_more_than_a_majority(cluster, voter):
    """It ends the connections of the old primary's clients, and not the one that holds its vote."""
    if not voter.running:
        voter.start()
    cluster.write_config(f"vote={voter.host}:{voter.port}")
    wait_until(lambda: all(uptime(s) > LEASE_S + MARGIN_S for s in (*cluster.servers, voter)))
    voter.kill()
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    cluster.assert_one_primary(cluster.db2)


def test_a_manager_that_is_stopped_loses_its_votes(voted, voter):
    """When it goes on it opens nothing and rolls nothing back that the other one has done."""
    pause = Pause(voted)
    run = voted.begin("failover", "--pre-failover", pause.command)
    pause.wait()
    os.kill(run.pid, signal.SIGSTOP)
    other = voted.directory / "other"
    other.mkdir(mode=0o700)
    outcome = voted.run("failover", "--state-dir", other)
    assert outcome.code == 0, outcome.out
    new = voted.primary()
    pause.release()
    os.kill(run.pid, signal.SIGCONT)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 2 and "this manager can have " in out, out
    assert voted.writers() == [new.name], out
    voted.wait_until_all_follow(new)


def test_two_managers_at_once(voted):
    """They know nothing of each other: each has a state directory of its own."""
    hosts = [voted.directory / name for name in ("one", "other")]
    for host in hosts:
        host.mkdir(mode=0o700)
    runs = [voted.begin("failover", "--state-dir", host) for host in hosts]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert sorted(run.returncode for run in runs)[0] == 0, said
    assert len(voted.writers()) == 1, said
    done = [line for host in hosts
            for line in voted.run("journal", "--state-dir", host).out.splitlines() if line.endswith("done")]
    assert len(done) == 1, (done, said)


def test_votes_that_are_lost_before_the_opening(voted, voter):
    pause = Pause(voted)
    run = voted.begin("failover", "--pre-failover", pause.command)
    pause.wait()
    for server in (voter, voted.db3):
        server.sql(f"KILL {server.value(f'IS_USED_LOCK({LOCK!r})')}")
    # From then on a vote counts no more, whether or not the manager has noticed that it is lost.
    time.sleep(LEASE_S - MARGIN_S)
    pause.release()
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 2 and "this manager can have none: " in out and "its vote was lost: " in out, out
    assert voted.writers() == [], out
    for replica in (voted.db2, voted.db3):
        assert [c.source_port for c in replica.channels()] == [voted.db1.port], out
