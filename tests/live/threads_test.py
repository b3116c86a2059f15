# SPDX-License-Identifier: MIT
"""check_mysql_replication_threads against real servers."""

import pytest

from pairs import Pair, watch
from plugin import THREADS


def counts(outcome):
    """Return (channels, io_running, sql_running, connecting) of the perfdata."""
    metrics = outcome.perfdata
    return tuple(metrics[label].value
                 for label in ("channels", "io_running", "sql_running", "connecting"))


def test_healthy(pair):
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "OK"
    assert counts(outcome) == (1, 1, 1, 0)
    assert set(outcome.perfdata) == {"channels", "io_running", "sql_running", "connecting"}
    assert f"127.0.0.1:{pair.source.port}" in outcome.text


def test_sql_thread_stopped(pair):
    pair.replica.stop_replication(thread="SQL")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "SQL thread stopped" in outcome.text
    assert "IO thread" not in outcome.text
    assert counts(outcome) == (1, 1, 0, 0)


def test_io_thread_stopped(pair):
    pair.replica.stop_replication(thread="IO")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "IO thread stopped" in outcome.text
    assert "SQL thread" not in outcome.text
    assert counts(outcome) == (1, 0, 1, 0)


def test_both_threads_stopped(pair):
    pair.replica.stop_replication()
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "IO thread stopped" in outcome.text and "SQL thread stopped" in outcome.text
    assert counts(outcome) == (1, 0, 0, 0)


def test_duplicate_key_error_shows_number_and_text(pair):
    pair.replica.sql("SET GLOBAL read_only = OFF", "SET sql_log_bin = 0",
                     "INSERT INTO shop.item VALUES (7, 'local')", "SET GLOBAL read_only = ON")
    pair.insert(7, "from the source")
    pair.replica.wait_channel(sql="No")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "1062" in outcome.text
    assert "Duplicate entry '7'" in outcome.out, "the worker's own text, not only the coordinator's"
    assert counts(outcome) == (1, 1, 0, 0)
    lag = watch(pair.replica, "check_mysql_replication_lag")
    assert lag.state == "CRITICAL" and "Duplicate entry '7'" in lag.out, lag.out
    assert "Coordinator" not in lag.out, lag.out


def test_source_killed(pair):
    pair.source.kill()
    pair.replica.wait_channel(io="Connecting")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "IO thread connecting" in outcome.text
    assert counts(outcome) == (1, 0, 1, 1)
    assert watch(pair.replica, THREADS, "--connecting", "warning").state == "WARNING"
    assert watch(pair.replica, THREADS, "--connecting", "ok").state == "OK"
    pair.replica.stop_replication(thread="SQL")
    assert watch(pair.replica, THREADS, "--connecting", "ok").state == "CRITICAL"


def test_source_refuses_the_replication_account(pair):
    pair.replica.stop_replication()
    pair.source.sql("SET sql_log_bin = 0", "ALTER USER replication IDENTIFIED BY 'changed'")
    pair.replica.start_replication()
    pair.replica.wait_channel(io="Connecting", io_errno=1045)
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "1045" in outcome.text and "Access denied" in outcome.text


def test_writable_replica(pair):
    pair.replica.sql("SET GLOBAL read_only = OFF")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "WARNING"
    assert "read_only" in outcome.text
    assert watch(pair.replica, THREADS, "--writable", "ok").state == "OK"
    assert watch(pair.replica, THREADS, "--writable", "critical").state == "CRITICAL"
    pair.replica.stop_replication(thread="SQL")
    assert watch(pair.replica, THREADS).state == "CRITICAL", "the worst finding wins"


def test_expected_source(pair):
    port = pair.source.port
    for right in (f"127.0.0.1:{port}", "127.0.0.1"):
        assert watch(pair.replica, THREADS, "--expect-source", right).state == "OK"
    for wrong in (f"127.0.0.1:{port + 1}", f"127.0.0.2:{port}", "db1.example"):
        outcome = watch(pair.replica, THREADS, "--expect-source", wrong)
        assert outcome.state == "CRITICAL"
        assert wrong in outcome.text and f"127.0.0.1:{port}" in outcome.text


def test_stopped_by_until_condition(pair):
    # Several transactions in the relay log, and a target between them: the thread reaches it.
    pair.replica.stop_replication(thread="SQL")
    pair.insert(1)
    file, position = pair.source.position()
    pair.insert(2)
    word = "MASTER" if pair.flavour == "mariadb" else "SOURCE"
    pair.replica.start_replication(
        thread="SQL", until=f"{word}_LOG_FILE = '{file}', {word}_LOG_POS = {position}")
    pair.replica.wait_channel(sql="No", source_position=(file, position))
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "WARNING"
    assert "SQL thread stopped at its UNTIL condition" in outcome.text
    assert counts(outcome) == (1, 1, 0, 0)

    # An operator stops it before it gets there.
    pair.replica.start_replication(
        thread="SQL", until=f"{word}_LOG_FILE = '{file}', {word}_LOG_POS = {position + 5000}")
    pair.replica.wait_channel(sql="Yes")
    pair.replica.stop_replication(thread="SQL")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL", outcome.out
    assert f", before its UNTIL condition ({pair.replica.channel().row['Until_Condition']} " \
           f"{file}:{position + 5000})" in outcome.text


def test_stopped_by_until_of_gtids(bench, flavour):
    pair = Pair(bench, f"{flavour}-gtid").caught_up()
    pair.replica.stop_replication()
    pair.insert(1)
    if flavour == "mariadb":
        until = f"master_gtid_pos = '{pair.source.value('@@gtid_binlog_pos')}'"
    else:
        until = f"SQL_AFTER_GTIDS = '{pair.source.value('@@gtid_executed')}'"
    pair.insert(2)
    # Such a condition is about both threads.
    pair.replica.start_replication(until=until)
    pair.replica.wait_channel(sql="No", io="No" if flavour == "mariadb" else "Yes")
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "WARNING", outcome.out
    assert "; the server does not show whether it was reached" in outcome.text


def test_error_while_an_until_condition_waits_is_critical(pair):
    pair.replica.stop_replication(thread="SQL")
    pair.replica.sql("SET GLOBAL read_only = OFF", "SET sql_log_bin = 0",
                     "INSERT INTO shop.item VALUES (7, 'local')", "SET GLOBAL read_only = ON")
    pair.insert(7)
    file, position = pair.source.position()
    word = "MASTER" if pair.flavour == "mariadb" else "SOURCE"
    pair.replica.start_replication(
        thread="SQL", until=f"{word}_LOG_FILE = '{file}', {word}_LOG_POS = {position + 5000}")
    pair.replica.wait_channel(sql="No", sql_errno=1062)
    outcome = watch(pair.replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "1062" in outcome.text


def test_not_a_replica(pair):
    outcome = watch(pair.source, THREADS)
    assert outcome.state == "WARNING"
    assert "not a replica" in outcome.text
    assert counts(outcome) == (0, 0, 0, 0)
    for state in ("ok", "critical", "unknown", "2"):
        expected = "CRITICAL" if state == "2" else state.upper()
        assert watch(pair.source, THREADS, "--not-replica", state).state == expected


def test_replication_that_was_reset_is_not_a_replica(bench):
    pair = Pair(bench, "mysql-gtid").caught_up()
    pair.replica.sql("STOP REPLICA", "RESET REPLICA ALL")
    assert "not a replica" in watch(pair.replica, THREADS).text


def test_two_channels(two_sources):
    *_, replica = two_sources
    outcome = watch(replica, THREADS)
    assert outcome.state == "OK"
    assert counts(outcome) == (2, 2, 2, 0)
    replica.stop_replication("west", "SQL")
    outcome = watch(replica, THREADS)
    assert outcome.state == "CRITICAL"
    assert "west" in outcome.text and "SQL thread stopped" in outcome.text
    assert counts(outcome) == (2, 2, 1, 0)
    lines = outcome.lines[1:]
    assert len(lines) == 2
    assert "west" in lines[0] and "east" in lines[1], "worst first"


def test_channel_selection(two_sources):
    *_, replica = two_sources
    replica.stop_replication("west", "SQL")
    outcome = watch(replica, THREADS, "--channel", "east")
    assert outcome.state == "OK"
    assert "west" not in "".join(outcome.lines)
    assert watch(replica, THREADS, "--channel", "west").state == "CRITICAL"
    assert watch(replica, THREADS, "--channel", "east", "--channel", "west").state == "CRITICAL"
    outcome = watch(replica, THREADS, "--channel", "east", "--channel", "nord")
    assert outcome.state == "CRITICAL"
    assert "nord" in outcome.text


def test_expected_source_of_each_channel(two_sources):
    east, west, replica = two_sources
    assert watch(replica, THREADS, "--expect-source", "127.0.0.1").state == "OK"
    outcome = watch(replica, THREADS, "--expect-source", f"127.0.0.1:{east.port}")
    assert outcome.state == "CRITICAL"
    assert "west" in outcome.text and str(west.port) in outcome.text
    assert watch(replica, THREADS, "--channel", "east", "--expect-source",
                 f"127.0.0.1:{east.port}").state == "OK"


@pytest.mark.parametrize("options, state", [
    (["-w", "2:2"], "OK"), (["-w", "3:"], "WARNING"), (["-c", "3:"], "CRITICAL"),
    (["-w", "1", "-c", "2"], "WARNING"), (["-w", "1", "-c", "1"], "CRITICAL"),
    (["-c", "@2:2"], "CRITICAL"), (["-c", "~:2"], "OK"),
], ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_thresholds_on_the_number_of_channels(bench, options, state):
    # No thread runs here and none has to: the ranges are about the number alone.
    server = bench.server("mariadb", options=["--read-only"])
    server.create_monitor()
    for port, name in enumerate(("east", "west"), 1):
        server.change_source("127.0.0.1", port, name)
        server.start_replication(name)
        server.wait_channel(name, io="Connecting")
    outcome = watch(server, THREADS, "--connecting", "ok", *options)
    assert outcome.state == state, outcome.out
    metric = outcome.perfdata["channels"]
    given = dict(zip(options[::2], options[1::2]))
    assert (metric.warning, metric.critical) == (given.get("-w", ""), given.get("-c", ""))
