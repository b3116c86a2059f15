# SPDX-License-Identifier: MIT
"""When a failover is refused or fails before the new primary is open, no server is changed: each
case compares all settings and the replication of every server before and after."""

import re
import signal

import pytest

import plugin
from cluster import GTID_KINDS, changes, full
from interruptions import Pause, in_the_middle
from network import BlackHole
from server import MANAGER_USER


pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)


@pytest.fixture
def headless(cluster):
    """The same without its primary."""
    cluster.lose(cluster.db1)
    return cluster


def refuse(cluster, text, *words, strict=True, **faults):
    """Run a failover that has to be refused for this reason; return what it printed."""
    before = cluster.snapshot(strict)
    outcome = cluster.run("failover", *words, **faults)
    assert outcome.code == 2 and text in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot(strict)), outcome.out
    return outcome.out


# The primary is not dead, or may not be

def test_primary_alive(cluster):
    refuse(cluster, "db1 answers (primary-alive)")


def test_too_many_connections(cluster):
    before = cluster.snapshot()
    with full(cluster.db1):
        outcome = cluster.run("failover")
    assert outcome.code == 2, outcome.out
    assert "db1 is alive" in outcome.out and "Too many connections" in outcome.out
    assert not changes(before, cluster.snapshot())


def test_only_our_link_is_cut(cluster):
    refuse(cluster, "db2 still receives from db1 (still-receives)", REFUSED_PORT=cluster.db1.port)


def test_we_are_isolated(headless):
    witness = headless.bench.add(BlackHole())
    refuse(headless, "no witness is reachable", "--witness", f"{witness.host}:{witness.port}")


def test_wrong_password(headless):
    refuse(headless, "no node can be promoted in place of db1", "--password", "wrong")


def test_wrong_password_and_the_primary_alive(cluster):
    refuse(cluster, "primary-alive", "--password", "wrong")


def test_no_replica_answers(headless):
    headless.db2.kill()
    headless.db3.kill()
    assert "no node can be promoted in place of db1" in headless.run("failover").out


def test_only_the_primary_answers(cluster):
    cluster.db2.kill()
    cluster.db3.kill()
    assert "(unknown-primary)" in refuse(cluster, "refused")


def test_primary_is_back_before_the_opening(headless):
    with in_the_middle(headless, "--fence", "none") as result:
        headless.db1.start()
    assert result[0] == 2 and "pause has run: " in result[1], result
    headless.assert_one_primary(headless.db1)


def test_primary_is_back_after_it_was_fenced(headless):
    # The operator's command has said that it takes no writes; when it answers, it is closed.
    with in_the_middle(headless) as result:
        headless.db1.start()
    assert result[0] in (0, 1), result
    assert headless.writers() == ["db2"]
    headless.wait_until_all_follow(headless.db2, [headless.db3])


# Nobody can be promoted

def break_replication(cluster, *replicas):
    """Let the SQL threads of replicas fail at a row that they have already."""
    for replica in replicas:
        replica.sql("SET SESSION sql_log_bin = 0", "INSERT INTO shop.item VALUES (50, 'mine')")
    cluster.insert(50)
    for replica in replicas:
        replica.wait_channel(sql="No")


def test_replication_errors(cluster):
    break_replication(cluster, cluster.db2, cluster.db3)
    cluster.lose(cluster.db1)
    out = refuse(cluster, "(no-candidate)")
    assert "not db2: its SQL thread has failed with error" in out
    assert "not db3: its SQL thread has failed with error" in out


def test_incomparable_replicas(headless):
    # Each has a transaction of its own.
    for number, server in ((60, headless.db2), (61, headless.db3)):
        headless.insert(number, server=server)
    assert "db2 and db3 each have transactions that the other lacks" in refuse(headless, "(incomparable)")


def test_no_node_may_be_promoted(headless):
    refuse(headless, "(no-candidate)", "--never", "db2", "--never", "db3")


def test_second_writer(headless):
    headless.db3.sql("SET GLOBAL read_only = OFF")
    refuse(headless, "db3 accepts writes already (second-writer)")


# The operator's commands

def test_fence_is_required_and_there_is_none(headless):
    headless.write_config()
    lines = headless.config.read_text().splitlines()
    headless.config.write_text("\n".join(x for x in lines if not x.startswith("fence")) + "\n")
    refuse(headless, "(cannot-fence)")


@pytest.mark.parametrize("option", ["--fence-command", "--pre-failover"])
@pytest.mark.parametrize("command, text", [
    ("false", "false exited with 1"), ("/nonexistent", "cannot run /nonexistent"),
    ("sleep 60", "sleep did not end within 0.5"), ("sh -c 'kill -9 $$'", "killed by signal 9")])
def test_command_fails(headless, option, command, text):
    out = refuse(headless, text, option, command, "--hook-timeout", "0.5")
    assert f"rolled back, but {command.split()[0]} was called and failed: " in out


def test_candidate_dies(headless):
    with in_the_middle(headless) as result:
        headless.db2.kill()
        before = headless.snapshot(strict=False)
    # With MySQL its receiver is stopped first: that cannot be rolled back, so the next run promotes.
    if headless.flavour == "mysql":
        assert result[0] == 2 and "could not be rolled back: stop-receiver db2: " in result[1], result
        assert not changes(before, headless.snapshot(strict=False))
        result = [(outcome := headless.run("failover")).code, outcome.out]
    assert result[0] == 1 and headless.writers() == ["db3"], result
    assert "warning: db2 does not follow db3: " in result[1]


def test_asked_to_stop(headless):
    before = headless.snapshot()
    pause = Pause(headless)
    process = headless.begin("failover", "--pre-failover", pause.command)
    pause.wait()
    process.send_signal(signal.SIGTERM)
    pause.release()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "asked to stop" in out, out
    assert not changes(before, headless.snapshot())


def test_deadline(headless):
    out = refuse(headless, "did not end within", "--pre-failover", "sleep 1", "--deadline", "0.8")
    assert "rolled back, but sleep was called and failed: " in out


# Two runs at once

def test_second_run_of_this_host(headless):
    with in_the_middle(headless) as result:
        refuse(headless, "another run is at work: process")
    assert result[0] == 0, result
    headless.assert_one_primary(headless.db2)


def test_second_run_of_another_host(headless):
    with in_the_middle(headless) as result:
        elsewhere = headless.directory / "elsewhere"
        refuse(headless, "another run holds its lock", "--state-dir", elsewhere)
    assert result[0] == 0, result
    headless.assert_one_primary(headless.db2)


def test_one_of_several_managers_wins(headless):
    managers = [headless.begin("failover", "--state-dir", headless.directory / f"state{n}")
                for n in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in managers]
    assert sorted(process.returncode for process in managers) == [0, 2, 2], outputs
    headless.assert_one_primary(headless.db2)


def test_too_soon_after_the_last_failover(headless):
    assert headless.run("failover").code == 0
    headless.lose(headless.db2)
    refuse(headless, "(too-soon)")
    assert headless.run("journal", "ack").code == 0
    outcome = headless.run("failover")
    assert outcome.code == 1 and headless.writers() == ["db3"], outcome.out
    assert "warning: db1 does not follow db3: " in outcome.out


def test_plan_hash(headless):
    plan = headless.run("plan")
    assert plan.code == 0, plan.out
    shown = re.search(r"plan hash: (\w+)$", plan.out.strip())[1]
    refuse(headless, "the cluster has changed", "--plan-hash", "0123456789abcdef")
    headless.db3.stop_replication(thread="SQL")
    headless.db3.sql("SET GLOBAL read_only = OFF", "SET GLOBAL read_only = ON")
    headless.db3.start_replication(thread="SQL")
    assert headless.run("failover", "--plan-hash", shown).code == 0


def test_plan_hash_of_a_world_that_has_changed(headless):
    shown = re.search(r"plan hash: (\w+)$", headless.run("plan").out.strip())[1]
    headless.insert(70, server=headless.db3)
    refuse(headless, "the cluster has changed", "--plan-hash", shown)


# Where the journal is

def test_state_directory_cannot_be_used(headless):
    refuse(headless, "--state-dir: ", "--state-dir", "/proc/nowhere")
    file = headless.directory / "file"
    file.touch()
    refuse(headless, "--state-dir: ", "--state-dir", file)


@pytest.mark.parametrize("pages", range(8))
def test_disk_full(headless, pages):
    """The journal has room for so many pages: no step is done that it cannot tell of."""
    before = headless.snapshot(strict=False)
    directory = headless.directory / "small"
    directory.mkdir(mode=0o700)
    command = [str(word) for word in headless.command("failover", "--state-dir", directory)]
    full = plugin.run_raw(
        ["unshare", "--mount", "sh", "-c",
         f"mount -t tmpfs -o mode=700,size=1M none {directory} && mkdir -m 700 {directory}/mysql &&"
         f" dd if=/dev/zero of={directory}/rest bs=4096 count={256 - 1 - pages} 2>&- ; exec \"$@\"",
         "sh", *command])
    if headless.writers():
        headless.assert_one_primary(headless.db2)
        assert full.code in (0, 1), full.out
    else:
        assert full.code == 2 and "No space left on device" in full.out, full.out
        left = changes(before, headless.snapshot(strict=False))
        if "undone promote" in full.out:
            # Its channel was made anew: it knows its source, and where it is, when that answers.
            left = {key: value for key, value in left.items()
                    if not re.match("channel .*(_Pos|_File|_Set|Source_Server_Id|Source_UUID)$", key[1])}
        assert not left, full.out
    if pages == 0:
        assert not headless.writers()


def test_right_missing_in_the_middle(headless):
    for server in (headless.db2, headless.db3):
        server.sql("SET SESSION sql_log_bin = 0", f"REVOKE RELOAD ON *.* FROM {MANAGER_USER}@'%'")
    try:
        out = refuse(headless, "promote db2", strict=False)
        assert "rolled back, but db1 has been fenced: " in out and "RELOAD" in out, out
        # Nor does it need an account for replication to roll its steps back.
        out = refuse(headless, "promote db2", "--repl-username", "", strict=False)
        assert "rolled back, but db1 has been fenced: " in out
    finally:
        for server in (headless.db2, headless.db3):
            server.sql("SET SESSION sql_log_bin = 0", f"GRANT RELOAD ON *.* TO {MANAGER_USER}@'%'")


# The engine's macros

@pytest.mark.parametrize("state, kind, text", [
    ("CRITICAL", "HARDER", "--state-type: 'HARDER' is not one of its words"),
    ("BROKEN", "HARD", "--state: 'BROKEN' is not one of its words"),
    ("$SERVICESTATE$", "HARD", "a macro that the engine did not expand"),
    ("CRITICAL\nOK", "HARD", "a line end or another control byte")])
def test_macros_that_are_refused(headless, state, kind, text):
    before = headless.snapshot()
    outcome = headless.run("handler", "--state", state, "--state-type", kind)
    assert outcome.code == 3 and text in outcome.out, outcome.out
    assert not changes(before, headless.snapshot())


@pytest.mark.parametrize("state, kind", [
    ("OK", "HARD"), ("WARNING", "HARD"), ("UNKNOWN", "HARD"), ("CRITICAL", "SOFT"), ("UP", "HARD")])
def test_macros_that_mean_nothing_to_do(headless, state, kind):
    before = headless.snapshot()
    outcome = headless.run("handler", "--state", state, "--state-type", kind)
    assert outcome.code == 0 and "nothing to do" in outcome.out, outcome.out
    assert not changes(before, headless.snapshot())
