# SPDX-License-Identifier: MIT
"""The journals of runs: their order does not depend on the clock, an interrupted run is shown and
keeps to its hash, and no journal grows until it is in the way."""

import re

import pytest

from cluster import GTID_KINDS, changes, rows
from interruptions import interrupt_failover

AHEAD_S = 400 * 86400


# By position the two flavours differ little in what is asked here.
some_kinds = pytest.mark.parametrize("shared", ["mariadb-gtid", "mariadb-position", "mysql-gtid"],
                                     indirect=True)
by_gtid = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)


def hash_of(plan):
    return re.search(r"plan hash: (\w+)$", plan.out.strip())[1]


@some_kinds
def test_a_run_after_one_of_the_future_is_resumed(shared):
    """A switchover while the clock is 400 days ahead, a failover that is killed when it is right."""
    cluster = shared
    cluster.start_over()
    cluster.insert(1, 2, 3)
    cluster.catch_up()
    for node, faults in (("db2", {"CLOCK_AHEAD": AHEAD_S}), ("db1", {})):
        outcome = cluster.run("switchover", "--to", node, **faults)
        assert outcome.code == 0, outcome.out
    cluster.wait_until_all_follow(cluster.db1)
    cluster.lose_contact(cluster.db3)
    cluster.insert(4, 5)
    cluster.wait_received(cluster.db2)
    cluster.lose(cluster.db1)
    process = cluster.begin("failover", KILL_AT=9, KILL_WHEN="after")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == -9 and "record db2" in out, out
    second = cluster.run("failover")
    # Without GTIDs db3, which is at another position, needs a resync.
    assert second.code == (0 if cluster.gtid else 1), second.out
    assert "was interrupted, resuming it" in second.out
    assert cluster.writers() == ["db2"] and rows(cluster.db2) == {1, 2, 3, 4, 5}, second.out


@by_gtid
def test_a_failover_of_the_future_has_its_true_age(shared):
    cluster = shared
    cluster.start_over()
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover", CLOCK_AHEAD=AHEAD_S)
    assert outcome.code == 0 and cluster.writers() == ["db2"], outcome.out
    cluster.lose(cluster.db2)
    refused = cluster.run("failover")
    assert refused.code == 2 and "(too-soon)" in refused.out, refused.out
    assert re.search(r"the last failover was \d+(\.\d)?s ago, less than 60m", refused.out)
    # Long ago enough for this one.
    outcome = cluster.run("failover", "--min-interval", "0.01")
    assert outcome.code == 1 and cluster.writers() == ["db3"], outcome.out
    assert "db1 does not follow db3" in outcome.out and "clock" not in outcome.out, outcome.out


@by_gtid
def test_a_failover_of_another_boot_and_the_future_does_not_block(shared):
    cluster = shared
    cluster.start_over()
    cluster.lose(cluster.db1)
    assert cluster.run("failover", CLOCK_AHEAD=AHEAD_S).code == 0
    journal, = cluster.state_dir.glob("mysql/*.journal")
    journal.write_text(re.sub(r'"boot":"[^"]*"', '"boot":"another"', journal.read_text()))
    cluster.lose(cluster.db2)
    ready = cluster.run("plan")
    assert ready.code == 0 and "the clock was set back" in ready.out, ready.out
    outcome = cluster.run("failover")
    assert outcome.code == 1 and cluster.writers() == ["db3"], outcome.out
    assert f"mysql_ha journal ack {journal.stem} --cluster {cluster.config}\n" in outcome.out


@some_kinds
def test_an_interrupted_run_keeps_to_its_hash(shared):
    cluster = shared
    interrupt_failover(cluster, "recheck", "before")
    before = cluster.snapshot()
    (run, _), = cluster.journals()
    plan = cluster.run("plan")
    assert plan.code == 0, plan.out
    assert plan.out.startswith(f"run {run} (failover: promoting db2 to replace db1) was interrupted and is resumed")
    assert hash_of(cluster.run("handler", "--dry-run")) == hash_of(plan)
    journal, = cluster.state_dir.glob("mysql/*.journal")
    written = journal.read_text()
    refused = cluster.run("failover", "--plan-hash", "0123456789abcdef")
    assert refused.code == 2 and f"the cluster has changed: run {run}" in refused.out, refused.out
    assert journal.read_text() == written and not changes(before, cluster.snapshot())
    outcome = cluster.run("failover", "--plan-hash", hash_of(plan))
    assert outcome.code == 0 and cluster.writers() == ["db2"], outcome.out
    assert cluster.journals() == [(run, "done")]


@some_kinds
def test_a_run_that_is_rolled_back_keeps_to_its_hash(shared):
    cluster = shared
    interrupt_failover(cluster, "recheck", "before")
    cluster.db1.start()
    (run, _), = cluster.journals()
    plan = cluster.run("plan")
    assert plan.code == 0, plan.out
    assert plan.out.startswith(f"run {run} (failover: promoting db2 to replace db1) was interrupted and is rolled "
                               "back first: db1 answers"), plan.out
    assert cluster.run("plan", "--assume-dead", "db1").out.count(f"run {run} was interrupted") == 1
    refused = cluster.run("failover", "--plan-hash", "0123456789abcdef")
    assert refused.code == 2 and "the cluster has changed" in refused.out, refused.out
    assert cluster.db2.channels() == [], "still promoted"
    outcome = cluster.run("failover", "--plan-hash", hash_of(plan))
    assert outcome.code == 2 and "db1 answers" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)


@some_kinds
def test_a_run_that_another_has_overtaken_has_no_plan(shared):
    cluster = shared
    interrupt_failover(cluster, "recheck", "before")
    cluster.db3.stop_replication()
    cluster.db3.sql("SET GLOBAL read_only = OFF")
    plan = cluster.run("plan")
    assert plan.code == 2 and "no failover (interrupted): db3 accepts writes" in plan.out, plan.out
    assert "plan hash" not in plan.out


@by_gtid
def test_a_run_that_cannot_be_rolled_back_does_not_fill_its_journal(shared):
    cluster = shared
    interrupt_failover(cluster, "recheck", "before")
    cluster.db2.kill()
    cluster.db3.kill()
    journal, = cluster.state_dir.glob("mysql/*.journal")
    sizes = []
    for _ in range(8):
        outcome = cluster.run("failover")
        assert outcome.code == 2, outcome.out
        sizes.append(journal.stat().st_size)
    assert sizes[1] > sizes[0] and max(sizes[6:]) <= max(sizes[4:6]), sizes
    shown = cluster.run("journal", "show", journal.stem)
    assert re.search(r"resumed \d+ more times", shown.out), shown.out
    # One that an earlier version has let grow is neither in the way nor stays so large.
    begin, *tries = journal.read_text().splitlines(keepends=True)
    last = max(i for i, line in enumerate(tries) if '"resumed"' in line)
    journal.write_text(begin + "".join(tries) + "".join(tries[last:]) * 4000)
    assert journal.stat().st_size > 1 << 20
    cluster.db3.start()
    outcome = cluster.run("failover")
    assert "larger" not in outcome.out and journal.stat().st_size < 1 << 16, outcome.out
    assert cluster.run("journal", "ack").code == 0


@by_gtid
def test_old_runs_are_removed(shared):
    cluster = shared
    cluster.start_over()
    cluster.write_config("keep-runs=2")
    for node in ("db2", "db1") * 2:
        outcome = cluster.run("switchover", "--to", node)
        assert outcome.code == 0, outcome.out
        cluster.wait_until_all_follow(getattr(cluster, node))
    assert [run.rsplit("-", 1)[1] for run, _ in cluster.journals()] == ["3", "4"]
