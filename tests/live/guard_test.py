# SPDX-License-Identifier: MIT
"""The resident manager, mysql_ha guard: what it does when servers die, hang and come back, and what
its operator can say to it."""

import signal
import socket
import time

import pytest

from cluster import GTID_KINDS, rows
from interruptions import Pause
from mysql_guard import MysqlGuard
from servers import wait_until
from writer import Writer

pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
# What it does is there in tenths of a second; beside other tests it takes longer.
SOON_S = 10.0


def fence_of(server):
    """Return an option: a fence that ends the process of a server."""
    return f"--fence-command=sh -c 'kill -KILL {server.process.pid} || :'"


def test_a_dead_primary_is_replaced_and_a_stop_is_clean(cluster):
    with MysqlGuard(cluster, "--retries", "3") as guard, Writer(cluster) as writer:
        guard.wait_until_well()
        cluster.db1.kill()
        killed = time.monotonic()
        wait_until(lambda: [s for s in (cluster.db2, cluster.db3) if writer.by(s.name)])
        new = cluster.primary()
        print(f"\n{cluster.kind}: an INSERT after "
              f"{writer.first_at(new.name).answered - killed:.3f} s")
        assert writer.first_at(new.name).answered - killed < SOON_S
        guard.wait_for(f"failover done: {new.name} replaces db1")
        guard.wait_for(f"{new.name} is the primary")
        writer.wait_for(20, new.name)
        wait_until(lambda: guard.status()[1]["primary"] == new.name)
        state = guard.wait_until_well()
        assert state["last"]["text"].startswith("failover done")
        assert state["running"] and state["process"] == guard.process.pid
        said = guard.out()
        assert said.count("db1 gives no answer") == 1 and said.count("try ") == 0, said
        assert guard.stop() == 0
        of_the_living = dict.fromkeys(("trouble", "lease_trouble", "missing_votes"))
        assert guard.status() == (2, {**state, **of_the_living, "running": False, "state": "stopped"})
    # Replication is asynchronous: what db1 acknowledged in its last moment may have ended with it.
    lost = writer.lost(rows(new))
    assert all(write.server == "db1" and killed - write.answered < 0.5
               for write in writer.writes if write.number in lost), guard.out()
    state_file, = cluster.state_dir.glob("mysql/guard.json")
    assert state_file.stat().st_mode & 0o777 == 0o600


def test_a_hung_primary_is_replaced_once_it_is_fenced(cluster):
    words = "--retries", "3", "--hung-after", "2", "--probe-timeout", "1", fence_of(cluster.db1)
    with MysqlGuard(cluster, *words) as guard:
        guard.wait_until_well()
        cluster.db1.freeze()
        guard.wait_for("db1 gives no answer: nothing within 1.5s")
        guard.wait_for("failover done: ")
        cluster.db1.process.wait()
        cluster.assert_one_primary(cluster.primary())


def test_a_restarted_primary_is_opened_again(cluster):
    """Its option file has made it read-only; the guard is told by its files of options what to do."""
    cluster.db1.options.append("--read-only=1")
    cluster.write_config("manage=no", "auto-open=no")
    try:
        with MysqlGuard(cluster) as guard:
            guard.wait_for("db3 answers, read-only")
            cluster.db1.stop()
            guard.wait_for("manage is no: failover would be carried out")
            cluster.db1.start()
            guard.wait_for("db1 answers, but is read-only and is not opened again: auto-open is no")
            cluster.write_config("interval=never")
            guard.reload()
            guard.wait_for("the settings stay as they were")
            assert cluster.writers() == []
            cluster.write_config()
            guard.reload()
            guard.wait_for("reopen done: db1 was restarted read-only and accepts writes again")
            guard.wait_for("db1 answers and accepts writes", times=2)
            assert guard.stop() == 0
    finally:
        cluster.db1.options.remove("--read-only=1")
    cluster.assert_one_primary(cluster.db1)


def test_a_former_primary_returns_by_itself(cluster):
    """It comes back writable and is closed; then it follows, for it has nothing of its own."""
    with MysqlGuard(cluster, "--auto-rejoin", "yes") as guard:
        guard.wait_until_well()
        cluster.db1.kill()
        guard.wait_for("failover done: ")
        new = cluster.primary()
        cluster.db1.start()
        guard.wait_for(f"close done: db1 is read-only now, {new.name} stays the primary")
        guard.wait_for(f"rejoin done: db1 follows {new.name}")
        assert guard.stop() == 0
    cluster.assert_one_primary(new)


def test_a_stop_in_the_middle_of_a_failover(cluster):
    """What was begun is rolled back, and the next guard fails over."""
    pause = Pause(cluster)
    with MysqlGuard(cluster, "--pre-failover", pause.command) as guard:
        cluster.db1.kill()
        pause.wait()
        guard.process.send_signal(signal.SIGTERM)
        pause.release()
        assert guard.process.wait(30) == 0
        guard.wait_for("stopped")
    assert cluster.writers() == [], guard.out()
    assert [end for _, end in cluster.journals()] == ["undone"], guard.out()
    with MysqlGuard(cluster) as guard:
        guard.wait_for("failover done: ")
    cluster.assert_one_primary(cluster.primary())


def test_a_paused_guard_watches_and_changes_nothing(cluster):
    with MysqlGuard(cluster) as guard:
        guard.wait_until_well()
        assert "is paused for 10m 00s" in say(cluster, "pause", "600")
        guard.wait_for("paused for 10m 00s")
        assert guard.status()[0] == 1
        cluster.db1.kill()
        guard.wait_for("paused: failover would be carried out, promoting ")
        assert cluster.writers() == []
        state = wait_until(lambda: guard.status()[1].get("trouble") and guard.status()[1])
        assert state["paused"]["left_s"] <= 600 and state["state"] == "watching, paused", state
        assert "is not paused any more" in say(cluster, "resume")
        guard.wait_for("failover done: ")
    cluster.assert_one_primary(cluster.primary())


def test_one_guard_at_a_time_and_one_that_was_killed_is_missed(cluster):
    assert cluster.run("guard", "status").code == 2
    with MysqlGuard(cluster) as guard:
        second = cluster.run("guard")
        assert second.code == 2, second.out
        assert (f"another guard watches this cluster (process {guard.process.pid} of this host); to see "
                "what it does, run: " in second.out), second.out
        guard.wait_until_well()
        guard.process.kill()
        guard.process.wait()
        outcome = cluster.run("guard", "status")
        assert outcome.code == 2 and "was not stopped: process" in outcome.out, outcome.out


def test_systemd_is_told_how_the_guard_is(cluster):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(cluster.directory / "notify"))
        manager.settimeout(20)
        told = set()

        def hear(*wanted):
            while not told.issuperset(wanted):
                told.update(manager.recv(4096).decode().splitlines())

        settings = [f"NOTIFY_SOCKET={manager.getsockname()}", "WATCHDOG_USEC=30000000"]
        # Hooks are no service: they find no socket.
        hook = cluster.hook("hook", f'[ -z "$NOTIFY_SOCKET" ] && : > {cluster.directory}/ran\n')
        with MysqlGuard(cluster, "--pre-failover", hook, settings=settings) as guard:
            hear("READY=1", "WATCHDOG=1", "STATUS=watching: the primary is db1, 3 of 3 nodes answer")
            cluster.db1.kill()
            hear("WATCHDOG_USEC=182000000", "STATUS=changing the cluster", "WATCHDOG_USEC=30000000")
            new = cluster.primary().name
            hear(f"STATUS=watching: the primary is {new}, 2 of 3 nodes answer")
            assert guard.stop() == 0
            hear("STOPPING=1")
    assert (cluster.directory / "ran").exists()


def test_servers_come_and_go(cluster):
    """All at once: nobody is promoted, since every node may have what the others lack. A guard that
    is begun meanwhile manages the cluster once it is there again."""
    with MysqlGuard(cluster) as guard:
        guard.wait_until_well()
        for server in cluster.servers:
            server.kill()
        for server in cluster.servers:
            guard.wait_for(f"{server.name} gives no answer")
        for server in cluster.servers:
            server.start(wait=False)
        for server in cluster.servers:
            server.wait_ready()
        cluster.db1.sql("SET GLOBAL read_only = OFF")
        cluster.db2.sql("SET GLOBAL read_only = ON")
        cluster.db3.sql("SET GLOBAL read_only = ON")
        guard.wait_until_well()


def say(cluster, *words):
    """Say a word to the guard of a cluster; return what is printed."""
    outcome = cluster.run("guard", *words)
    assert outcome.code == 0, outcome.out
    return outcome.out
