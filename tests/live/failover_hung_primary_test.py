# SPDX-License-Identifier: MIT
"""A primary whose process stands still while its replicas believe that they receive from it."""

import pytest

from cluster import GTID_KINDS, rows
from servers import wait_until

pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
QUICK = ("--probe-timeout", "0.5", "--hung-after", "3")


@pytest.fixture(autouse=True)
def frozen_primary(cluster):
    """The primary hangs, its two replicas have caught up and run."""
    cluster.db1.freeze()


def test_it_counts_as_dead_once_it_is_fenced(cluster):
    fence = cluster.hook("fence", f"kill -KILL {cluster.db1.process.pid}\n")
    outcome = cluster.run("failover", *QUICK, "--fence-command", fence)
    assert outcome.code == 0, outcome.out
    assert "it counts as dead when nothing comes from it for 3s" in outcome.out
    cluster.db1.process.wait()
    new = cluster.primary()
    cluster.assert_one_primary(new)
    assert rows(new) == {1, 2, 3}


def test_the_time_adds_up_over_runs_that_have_too_little_of_it(cluster):
    fence = cluster.hook("fence", f"kill -KILL {cluster.db1.process.pid}\n")
    words = "failover", *QUICK, "--deadline", "15", "--fence-command", fence
    first = cluster.run(*words)
    assert first.code == 2 and "less than --hung-after (3s)" in first.out, first.out
    assert "it counts as dead when" not in first.out
    kept, = cluster.state_dir.glob("mysql/hung-primary.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    wait_until(lambda: cluster.run(*words).code == 0)
    cluster.db1.process.wait()
    new = cluster.primary()
    cluster.assert_one_primary(new)
    assert not kept.exists()


def test_the_time_begins_anew_when_it_has_answered(cluster):
    words = "failover", *QUICK, "--fence-command", "false", "--deadline", "15"
    cluster.run(*words)
    cluster.db1.thaw()
    assert "db1 answers" in cluster.run(*words).out
    assert not list(cluster.state_dir.glob("mysql/hung-primary.json"))


@pytest.mark.parametrize("words, text", [
    (("--fence", "none"), "A primary that hangs is replaced only with --fence required"),
    (("--fence", "best-effort"), "A primary that hangs is replaced only with --fence required"),
    (("--fence-command", "sh -c 'exit 10'"), "the primary hangs, so only exit code 0 is enough"),
    (("--fence-command", "false"), "false exited with 1"),
    (("--hung-after", "300"), "less than --hung-after (5m 00s)")])
def test_it_is_not_replaced_while_it_may_go_on(cluster, words, text):
    outcome = cluster.run("failover", *QUICK, *words)
    assert outcome.code == 2 and text in outcome.out, outcome.out
    cluster.db1.thaw()
    wait_until(lambda: cluster.writers() == ["db1"])
    cluster.assert_one_primary(cluster.db1)
