# SPDX-License-Identifier: MIT
"""The lease of the primary: the guard beside it closes it when it hears from no majority of the
voters, here the three nodes, and no other node is opened before. What it has closed it opens again when no
other node has replaced it."""

import contextlib
import json
import os
import signal
import time

import pytest

import plugin
from cluster import GTID_KINDS
from mysql_guard import MysqlGuard
from servers import wait_until

LOCK = "monitoring-plugins-ha:mysql:primary"
LEASE_S, MARGIN_S = 3, 1
FORGOTTEN_S = 11  # a voter's vote for a change of the cluster
# For which a loaded machine may keep a guard waiting.
SOON_S = 20.0

pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)


class NodeGuard(MysqlGuard):
    """The guard beside one server of a cluster, which keeps the lease; unless it manages, it replaces no
    primary and opens none."""

    def __init__(self, cluster, server, *words, manage="no"):
        self._home = cluster.directory / f"host-{server.name}"
        self._home.mkdir(mode=0o700, exist_ok=True)
        super().__init__(cluster, "--node", server.name, "--state-dir", self._home, "--manage", manage,
                         *words)
        self.log = self._home / "output"

    def status(self):
        outcome = self._cluster.run("guard", "status", "--output", "json", "--state-dir", self._home)
        return outcome.code, json.loads(outcome.out)


@pytest.fixture
def leased(cluster):
    """The cluster with a lease, and no proof of a primary's end but that."""
    usual, cluster.settings = cluster.settings, ("retries=1", "probe-timeout=2")
    cluster.write_config(f"lease={LEASE_S}", f"lease-margin={MARGIN_S}")
    # Who was started just now gives no vote.
    wait_until(lambda: sum(uptime(s) > FORGOTTEN_S for s in cluster.servers) >= 2)
    yield cluster
    for server in cluster.servers:
        if server.running:
            server.thaw()
    cluster.settings = usual


@pytest.fixture
def guards(leased):
    """The guards beside the three nodes, by name, none of which manages; db1 has the lease."""
    with running_guards(leased) as found:
        yield found


@contextlib.contextmanager
def running_guards(leased, manager=None):
    """Run the guards beside the three nodes; that of one of them manages."""
    with contextlib.ExitStack() as stack:
        found = {s.name: stack.enter_context(NodeGuard(leased, s, manage="yes" if s is manager else "no"))
                 for s in leased.servers}
        found["db1"].wait_for("db1 has the lease of the primary")
        voters = [s for s in leased.servers if uptime(s) > FORGOTTEN_S]
        wait_until(lambda: all(holder(s) for s in voters), what="their votes")
        wait_until(lambda: all(voter.value(f"IS_USED_LOCK('{guard_lock(s)}')")
                               for voter in voters for s in leased.servers),
                   what="all guards to be connected")
        yield found


def uptime(server):
    row, = server.sql("SHOW GLOBAL STATUS LIKE 'Uptime'")
    return int(row["Value"])


def holder(voter):
    """Return the connection that has a voter's vote of the primary."""
    return voter.value(f"IS_USED_LOCK('{LOCK}')")


def guard_lock(server):
    """Return the name of the lock by which the guard beside a server is seen."""
    number = 2166136261  # FNV-1a
    for byte in server.name.encode():
        number = (number ^ byte) * 16777619 % 2**32
    return f"monitoring-plugins-ha:mysql:g{number:08x}"


def read_only(server):
    return server.value("@@GLOBAL.read_only") not in (0, "0", "OFF")


def lease_told(cluster):
    """Return what status tells of the lease on any machine."""
    return json.loads(cluster.run("status", "--output", "json").out)["lease"]


def test_any_machine_sees_who_has_it_and_which_guards_run(leased, guards):
    lease = wait_until(lambda: (told := lease_told(leased))["left_s"] is not None and told)
    assert lease["holder"] == "db1" and lease["known"] and not lease["troubles"], lease
    assert 0 <= lease["left_s"] <= LEASE_S - MARGIN_S, lease
    assert [guard["connected"] for guard in lease["guards"]] == [True] * 3, lease
    holds = "lease: the guard of db1 has it ("
    assert holds in leased.run("status").out
    for check in ("check_mysql_split_brain", "check_failover_ready"):
        assert holds in plugin.run(check, "--cluster", leased.config, "-v").out
    guards["db3"].stop()
    missing = ("the guard of db3 is connected to no voter that answers; to start the guard, run there: "
               "mysql_ha guard --node db3")
    wait_until(lambda: lease_told(leased)["troubles"] == [missing], what="db3's guard to be missed")
    status = leased.run("status")
    assert status.code == 1 and missing in status.out, status.out
    assert missing in plugin.run("check_failover_ready", "--cluster", leased.config).out
    # A guard that was stopped with its server open has given the votes back.
    guards["db1"].stop()
    wait_until(lambda: lease_told(leased)["holder"] is None, what="the lease to be free")
    unguarded = "no guard has the lease of db1, which takes writes when it is cut off; to start the guard, "
    assert unguarded in leased.run("status").out
    assert unguarded in plugin.run("check_failover_ready", "--cluster", leased.config).out


def test_a_switchover_hands_it_over(leased, guards):
    outcome = leased.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    leased.assert_one_primary(leased.db2)
    guards["db2"].wait_for("db2 has the lease of the primary")
    assert not guards["db2"].said("closing"), guards["db2"].out()
    # Its end is clean, and keeps nobody waiting.
    assert guards["db2"].stop() == 0
    stopped = time.monotonic()
    wait_until(lambda: not any(holder(s) for s in leased.servers), what="the votes to be free")
    assert time.monotonic() - stopped < LEASE_S - MARGIN_S


def test_a_primary_that_is_cut_off_closes_itself(leased, guards):
    leased.db2.freeze()
    leased.db3.freeze()
    cut = time.monotonic()
    wait_until(lambda: read_only(leased.db1), what="db1 to be closed")
    assert time.monotonic() - cut < LEASE_S + SOON_S
    guards["db1"].wait_for("db1: read-only, ")
    assert leased.db1.running, guards["db1"].out()
    missing = wait_until(lambda: guards["db1"].status()[1]["missing_votes"], what="missing votes")
    assert "db2: " in missing and "db3: " in missing, missing


def cut_off_and_closed(leased, guards):
    """Let db1 hear of no other voter until its guard has closed it, and has left that on disk."""
    leased.db2.freeze()
    leased.db3.freeze()
    guards["db1"].wait_for("db1: read-only, ")
    wait_until(lambda: list(leased.directory.glob("host-db1/*/guard-closed.json")), what="its record")


def test_what_was_closed_is_opened_again_when_the_cut_ends_before_a_promotion(leased):
    with running_guards(leased, manager=leased.db1) as guards:
        cut_off_and_closed(leased, guards)
        record, = leased.directory.glob("host-db1/*/guard-closed.json")
        assert record.stat().st_mode & 0o777 == 0o600
        leased.db2.thaw()
        leased.db3.thaw()
        guards["db1"].wait_for("reopen done: db1 was closed by its guard and accepts writes again")
        guards["db1"].wait_for("db1 has the lease of the primary", times=2)
        leased.insert(90)
        leased.assert_one_primary(leased.db1)
        wait_until(lambda: not record.exists(), what="the record to be removed")
        # Now an operator closes it, who is not overruled.
        leased.db1.sql("SET GLOBAL read_only = ON")
        guards["db1"].wait_for("read_only was set by SQL after its start")
        assert read_only(leased.db1) and leased.writers() == []


def test_what_was_closed_stays_so_when_another_was_promoted_since(leased):
    with running_guards(leased, manager=leased.db1) as guards:
        cut_off_and_closed(leased, guards)
        # It hears of nothing while an operator promotes db2, and db2 is closed again later.
        guards["db1"].process.send_signal(signal.SIGSTOP)
        leased.db2.thaw()
        leased.db3.thaw()
        leased.db2.stop_replication()
        leased.db2.sql("RESET REPLICA ALL", "SET GLOBAL read_only = OFF")
        guards["db1"].process.send_signal(signal.SIGCONT)
        guards["db1"].wait_for("db2 is the primary")
        wait_until(lambda: not list(leased.directory.glob("host-db1/*/guard-closed.json")),
                   what="the record to be removed")
        assert leased.writers() == ["db2"]


def test_a_primary_that_cannot_be_closed_is_killed(leased, guards):
    for server in leased.servers:
        server.freeze()
    leased.db1.process.wait(LEASE_S + SOON_S)
    guards["db1"].wait_for("killing db1: its lease has ended")


def test_a_guard_that_is_started_again_kills_a_primary_that_hangs(leased, guards):
    for server in leased.servers:
        server.freeze()
    guards["db1"].process.kill()
    guards["db1"].process.wait()
    with NodeGuard(leased, leased.db1) as again:
        again.wait_for("db1: process ")
        assert "killing db1: " in again.out(), again.out()
        leased.db1.process.wait(SOON_S)


def test_an_expired_lease_proves_that_the_old_primary_is_closed(leased, guards):
    """The host of the primary is gone without a word, and its guard with it."""
    os.kill(guards["db1"].process.pid, signal.SIGSTOP)
    leased.db1.kill()
    outcome = leased.run("failover")
    assert outcome.code == 0, outcome.out
    assert "the guard of db1 was not heard for 3s and has lost 2 of 3 votes" in outcome.out, outcome.out
    new = leased.primary()
    guards[new.name].wait_for(f"{new.name} has the lease of the primary")


def test_the_guard_of_a_dead_process_keeps_nobody_waiting(leased, guards):
    leased.db1.kill()
    outcome = leased.run("failover")
    assert outcome.code == 0, outcome.out
    assert "the guard of db1 has no votes" in outcome.out, outcome.out


def test_without_a_guard_nothing_is_proven_and_a_new_primary_has_no_lease(leased):
    leased.lose(leased.db1)
    outcome = leased.run("failover")
    assert outcome.code == 2 and "the lease of db1 was not seen to end" in outcome.out, outcome.out
    outcome = leased.run("failover", "--fence", "none")
    assert outcome.code == 1, outcome.out
    assert "has no lease: no guard is connected to most of the voters" in outcome.out, outcome.out
