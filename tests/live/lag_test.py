# SPDX-License-Identifier: MIT
"""check_mysql_replication_lag against real servers: the status and applier methods, and stalls."""

import contextlib
import re

import pytest

import plugin
from mounts import Mounts
from network import Proxy
from pairs import Pair, watch
from plugin import LAG, THREADS
from servers import MONITOR_PASSWORD, MONITOR_USER, replicate, start_all, wait_until


@contextlib.contextmanager
def held_back(pair, seconds):
    """Keep the replica from applying a row until it is `seconds` behind by its own account."""
    with pair.replica.connect() as session:
        with session.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.item READ")
        pair.insert(1)
        wait_until(lambda: (pair.replica.channel().lag or 0) >= seconds)
        yield


def method_of(outcome):
    """Return the method that the text names in parentheses."""
    return re.search(r"\((status|heartbeat|applier)\)", outcome.text)[1]


def methods(pair):
    return ("status", "auto") if pair.flavour == "mariadb" else ("status", "applier", "auto")


def test_healthy(pair):
    for method in methods(pair):
        outcome = watch(pair.replica, LAG, "-w", "10", "-c", "60", "--method", method)
        assert outcome.state == "OK", outcome.out
        if method != "auto":
            assert method_of(outcome) == method
        assert f"127.0.0.1:{pair.source.port}" in outcome.text
        metrics = outcome.perfdata
        assert set(metrics) == {"lag", "sql_delay", "relay_log_space"}
        lag = metrics["lag"]
        assert 0 <= lag.value < 2
        assert (lag.unit, lag.warning, lag.critical, lag.min) == ("s", "10", "60", "0")
        assert (metrics["sql_delay"].value, metrics["sql_delay"].unit) == (0, "s")
        assert metrics["relay_log_space"].value > 0 and metrics["relay_log_space"].unit == "B"


def test_auto_names_the_method_that_it_chose(pair):
    assert method_of(watch(pair.replica, LAG)) == (
        "status" if pair.flavour == "mariadb" else "applier")


def test_lag_over_each_threshold(pair):
    with held_back(pair, 3):
        for method in methods(pair):
            def state(*thresholds):
                outcome = watch(pair.replica, LAG, "--method", method, *thresholds)
                assert 2 <= outcome.perfdata["lag"].value < 60, outcome.out
                return outcome.state
            assert state() == "OK"
            assert state("-w", "100", "-c", "200") == "OK"
            assert state("-w", "1", "-c", "200") == "WARNING"
            assert state("-w", "1", "-c", "2") == "CRITICAL"
            assert state("-c", "1.5") == "CRITICAL"
            assert state("-w", "@1:100") == "WARNING"
            assert state("-c", "100:") == "CRITICAL"


def test_lag_goes_away_again(pair):
    with held_back(pair, 2):
        assert watch(pair.replica, LAG, "-w", "1").state == "WARNING"
    pair.caught_up()
    wait_until(lambda: watch(pair.replica, LAG, "-w", "1").state == "OK")


def test_applier_lag_has_fractions_of_a_second(bench):
    pair = Pair(bench, "mysql-gtid").caught_up()
    with held_back(pair, 1):
        texts = [watch(pair.replica, LAG, "--method", "applier").out for _ in range(3)]
    values = [float(re.search(r"'lag'=([0-9.]+)s", text)[1]) for text in texts]
    assert any(value != int(value) for value in values), values
    assert values == sorted(values)


def test_commit_times_do_not_count_where_the_clocks_differ(bench):
    pair = Pair(bench, "mysql-gtid").caught_up()
    for number, (skew_s, words) in enumerate([(744, "ahead of"), (-744, "behind")]):
        with pair.replica.connect() as session, session.cursor() as cursor:
            cursor.execute("LOCK TABLES shop.item READ")
            # The commit time of a source whose clock differs by so much; all else is as always.
            pair.source.sql("SET SESSION original_commit_timestamp = "
                            f"(UNIX_TIMESTAMP() - {skew_s}) * 1000000",
                            f"INSERT INTO shop.item VALUES ({number}, '')")
            wait_until(lambda: (pair.replica.channel().lag or 0) >= 1)
            for method in ("auto", "applier"):
                outcome = watch(pair.replica, LAG, "-w", "60", "-c", "600", "--method", method)
                assert outcome.state == "OK", outcome.out
                assert re.search(rf"\(status, this server's clock is about 12m [123][0-9]s {words} the "
                                 r"source's\)", outcome.text), outcome.out
                assert 1 <= outcome.perfdata["lag"].value < 60
        pair.caught_up()
    assert watch(pair.replica, LAG, "--method", "applier").text.endswith("(applier)")


def test_applier_method_on_mariadb_is_unknown(bench):
    pair = Pair(bench, "mariadb-gtid")
    outcome = watch(pair.replica, LAG, "--method", "applier")
    assert outcome.state == "UNKNOWN"
    assert "applier" in outcome.text and "MariaDB" in outcome.text


def test_intended_delay_is_subtracted(bench, flavour):
    pair = Pair(bench, "mysql-gtid" if flavour == "mysql" else "mariadb-gtid", delay=600)
    # Creating the schema is what waits for its time.
    wait_until(lambda: (pair.replica.channel().lag or 0) >= 3)
    # What comes later is younger than what waits, and its age not the lag.
    pair.insert(1)
    received = ("Read_Master_Log_Pos" if flavour == "mariadb" else "Read_Source_Log_Pos")
    wait_until(lambda: pair.replica.channel().row[received] == pair.source.position()[1])
    for method in methods(pair):
        outcome = watch(pair.replica, LAG, "-w", "1", "-c", "2", "--method", method)
        assert outcome.state == "OK", outcome.out
        assert outcome.perfdata["lag"].value == 0
        assert outcome.perfdata["sql_delay"].value == 600
        outcome = watch(pair.replica, LAG, "-w", "1", "-c", "2", "--include-delay",
                        "--method", method)
        assert outcome.state == "CRITICAL", outcome.out
        assert 2 <= outcome.perfdata["lag"].value < 600


def test_lag_beyond_the_intended_delay_counts(bench, flavour):
    pair = Pair(bench, "mysql-gtid" if flavour == "mysql" else "mariadb-gtid").caught_up()
    pair.replica.stop_replication()
    word = "MASTER_DELAY" if flavour == "mariadb" else "SOURCE_DELAY"
    change = "CHANGE MASTER" if flavour == "mariadb" else "CHANGE REPLICATION SOURCE"
    pair.replica.sql(f"{change} TO {word} = 1")
    pair.replica.start_replication()
    pair.replica.wait_channel(io="Yes", sql="Yes")
    with held_back(pair, 5):
        for method in methods(pair):
            lag = watch(pair.replica, LAG, "--method", method).perfdata["lag"].value
            with_delay = watch(pair.replica, LAG, "--method", method,
                               "--include-delay").perfdata["lag"].value
            assert 3 <= lag < with_delay < lag + 3


def test_stopped_threads_are_critical_without_a_number(pair):
    for thread in ("SQL", "IO"):
        pair.replica.stop_replication(thread=thread)
        for method in methods(pair):
            outcome = watch(pair.replica, LAG, "--method", method)
            assert outcome.state == "CRITICAL"
            assert f"{thread} thread stopped" in outcome.text
            assert outcome.perfdata["lag"].value is None
        pair.replica.start_replication(thread=thread)
        pair.replica.wait_channel(io="Yes", sql="Yes")


def test_duplicate_key_error_shows_number_and_text(pair):
    pair.replica.sql("SET GLOBAL read_only = OFF", "SET sql_log_bin = 0",
                     "INSERT INTO shop.item VALUES (7, 'local')")
    pair.insert(7)
    pair.replica.wait_channel(sql="No")
    outcome = watch(pair.replica, LAG)
    assert outcome.state == "CRITICAL"
    assert "1062" in outcome.text
    assert "SQL thread stopped" in outcome.text


def test_source_killed(pair):
    pair.source.kill()
    pair.replica.wait_channel(io="Connecting")
    for method in methods(pair):
        outcome = watch(pair.replica, LAG, "--method", method)
        assert outcome.state == "CRITICAL"
        assert "IO thread connecting" in outcome.text
        assert outcome.perfdata["lag"].value is None


def test_not_a_replica(pair):
    outcome = watch(pair.source, LAG)
    assert outcome.state == "WARNING"
    assert "not a replica" in outcome.text
    for state in ("ok", "critical", "unknown"):
        assert watch(pair.source, LAG, "--not-replica", state).state == state.upper()


def test_two_channels_have_metrics_and_lines_of_their_own(two_sources):
    east, west, replica = two_sources
    outcome = watch(replica, LAG, "-w", "10", "-c", "60")
    assert outcome.state == "OK"
    assert set(outcome.perfdata) == {f"{channel}_{metric}" for channel in ("east", "west")
                                     for metric in ("lag", "sql_delay", "relay_log_space")}
    replica.stop_replication("west", "SQL")
    outcome = watch(replica, LAG)
    assert outcome.state == "CRITICAL"
    assert "west" in outcome.text
    assert "west" in outcome.lines[1] and "east" in outcome.lines[2], "worst first"
    assert outcome.perfdata["west_lag"].value is None
    assert outcome.perfdata["east_lag"].value is not None


def test_channel_selection(two_sources):
    *_, replica = two_sources
    replica.stop_replication("west", "SQL")
    outcome = watch(replica, LAG, "--channel", "east")
    assert outcome.state == "OK"
    assert set(outcome.perfdata) == {"east_lag", "east_sql_delay", "east_relay_log_space"}, \
        "a named channel keeps its prefix when it is alone"
    assert watch(replica, LAG, "--channel", "west").state == "CRITICAL"
    outcome = watch(replica, LAG, "--channel", "east", "--channel", "nord")
    assert outcome.state == "CRITICAL"
    assert "nord" in outcome.text


def stalled(bench, flavour, heartbeat_period):
    """Return a replica whose IO thread is connected, and what makes it hear nothing any more."""
    source, replica = bench.start(flavour, 2)
    replica.create_monitor()
    proxy = bench.add(Proxy((source.host, source.port)))
    replicate(replica, source, through=proxy.address, heartbeat_period=heartbeat_period)
    return replica, proxy


def test_stall_on_mysql_is_seen_by_the_heartbeat_period(bench):
    replica, proxy = stalled(bench, "mysql", 1)
    wait_until(lambda: int(replica.channel().row.get("Seconds_Behind_Source") or 0) == 0)
    heartbeats = ("SELECT COUNT_RECEIVED_HEARTBEATS AS n "
                  "FROM performance_schema.replication_connection_status")
    wait_until(lambda: replica.sql(heartbeats)[0]["n"] >= 2, what="heartbeats")
    assert watch(replica, LAG).state == "OK"
    proxy.swallowing = True
    wait_until(lambda: watch(replica, LAG).state == "WARNING", 15)
    outcome = watch(replica, LAG)
    assert "127.0.0.1" in outcome.text and re.search(r"nothing.*received|stall", outcome.text)
    assert replica.channel().io == "Yes"
    assert watch(replica, LAG, "--stall", "2:critical").state == "CRITICAL"
    assert watch(replica, LAG, "--stall", "2:ok").state == "OK"
    assert watch(replica, LAG, "--stall", "600").state == "OK"
    proxy.swallowing = False
    proxy.cut()
    wait_until(lambda: watch(replica, LAG).state == "OK", 15)


def test_stall_on_mysql_without_any_heartbeat_since_the_connection(bench):
    replica, proxy = stalled(bench, "mysql", 1)
    proxy.swallowing = True
    wait_until(lambda: watch(replica, LAG).state == "WARNING", 15)


def test_no_stall_before_a_heartbeat_could_have_come(bench):
    replica, _ = stalled(bench, "mysql", 600)
    assert watch(replica, LAG).state == "OK"


def test_stall_on_mariadb_needs_two_runs(bench, tmp_path):
    replica, proxy = stalled(bench, "mariadb", 0.5)
    options = ["--stall", "2", "--state-dir", str(tmp_path / "state")]
    assert watch(replica, LAG, *options).state == "OK"
    proxy.swallowing = True
    first = watch(replica, LAG, *options)
    assert first.state == "OK"
    wait_until(lambda: watch(replica, LAG, *options).state == "WARNING", 15)
    assert replica.channel().io == "Yes"
    assert watch(replica, LAG).state == "OK", "off without a state directory"
    assert watch(replica, LAG, "--stall", "2").state == "OK"
    files = list((tmp_path / "state").rglob("*"))
    assert [f for f in files if f.is_file()], "the state is kept there"
    assert all(f.stat().st_mode & 0o077 == 0 for f in files), "for nobody else to read"


def test_a_receiver_whose_disk_is_full(bench, tmp_path):
    # MariaDB does not answer then at all.
    with Mounts(tmp_path) as mounts:
        point = mounts.tmpfs("relay", "size=256k")
        source = bench.new_server("mysql")
        replica = bench.new_server("mysql", options=[f"--relay-log={point}/relay"])
        replica.inside = mounts.inside
        start_all([source, replica])
        replica.create_monitor()
        replicate(replica, source, delay=3600, heartbeat_period=1)
        source.sql("CREATE DATABASE shop", "CREATE TABLE shop.item (id INT PRIMARY KEY, t LONGTEXT)",
                   "INSERT INTO shop.item VALUES (1, REPEAT('x', 300000))")
        wait_until(lambda: replica.channel().row["Replica_IO_State"] == "Waiting for disk space")
        assert replica.channel().io == "Yes"
        assert "IO thread waits for disk space" in watch(replica, THREADS, "--writable", "ok").text
        wait_until(lambda: "ago and has not ended" in watch(replica, LAG, "--stall", "1").text)
        outcome = watch(replica, LAG)
        assert outcome.state == "CRITICAL", outcome.out
        assert "IO thread waits for disk space; lag behind" in outcome.text
        assert outcome.perfdata["lag"].value is None
        nodes = [f"--node={server.host}:{server.port}" for server in (source, replica)]
        assert "(IO thread waits for disk space)" in plugin.run(
            "check_mysql_split_brain", *nodes, "-u", MONITOR_USER, "-p", MONITOR_PASSWORD).out
        replica.kill()


def test_no_stall_on_mariadb_while_heartbeats_come(bench, tmp_path):
    replica, _ = stalled(bench, "mariadb", 0.2)
    options = ["--stall", "1", "--state-dir", str(tmp_path)]

    def heartbeats():
        return replica.channel().row["Slave_received_heartbeats"]
    for _ in range(4):
        seen = heartbeats()
        wait_until(lambda: heartbeats() >= seen + 3)
        assert watch(replica, LAG, *options).state == "OK"


@pytest.mark.parametrize("content", [b"", b"\xff\x00garbage", b"{}", b"1 2 3 4 5\n"])
def test_a_damaged_state_file_is_not_believed(bench, tmp_path, content):
    replica, _ = stalled(bench, "mariadb", 30)
    options = ["--stall", "1", "--state-dir", str(tmp_path)]
    watch(replica, LAG, *options)
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert files
    for file in files:
        file.write_bytes(content)
    assert watch(replica, LAG, *options).state == "OK"


def test_state_directory_that_cannot_be_written(bench):
    replica, _ = stalled(bench, "mariadb", 30)
    outcome = watch(replica, LAG, "--stall", "1", "--state-dir", "/proc/nowhere")
    assert outcome.state == "UNKNOWN"
    assert "/proc/nowhere" in outcome.text
