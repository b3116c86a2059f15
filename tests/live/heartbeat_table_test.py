# SPDX-License-Identifier: MIT
"""check_mysql_replication_lag with the table that pt-heartbeat writes."""

import pytest

from pairs import Pair, watch
from plugin import LAG

# The columns and types as pt-heartbeat --create-table makes them.
SCHEMA = """CREATE TABLE {table} (
    ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY,
    file VARCHAR(255) DEFAULT NULL, position BIGINT UNSIGNED DEFAULT NULL,
    relay_master_log_file VARCHAR(255) DEFAULT NULL,
    exec_master_log_pos BIGINT UNSIGNED DEFAULT NULL)"""


class Heartbeat:
    """A pair whose source has a heartbeat table that replicates."""

    def __init__(self, pair, table="heartbeat.heartbeat"):
        self.pair, self.table = pair, table
        database = table.split(".")[0]
        pair.source.sql(f"CREATE DATABASE {database}", SCHEMA.format(table=table))
        pair.caught_up()
        pair.replica.sql("SET sql_log_bin = 0", f"GRANT SELECT ON {database}.* TO monitor")

    def beat(self, age_s=0, server_id=None, clock="NOW(6)"):
        """Write the row of one server, as old as wanted, and let it arrive."""
        stamp = (f"DATE_FORMAT({clock} - INTERVAL {int(age_s * 1e6)} MICROSECOND, "
                 "'%Y-%m-%dT%H:%i:%s.%f')")
        self.pair.source.sql(
            f"REPLACE INTO {self.table} (ts, server_id) "
            f"VALUES ({stamp}, {server_id or self.pair.source.server_id})")
        self.pair.caught_up()

    def check(self, *options):
        """Run the check with the heartbeat method."""
        return watch(self.pair.replica, LAG, "--method", "heartbeat", *options)


@pytest.fixture
def heartbeat(pair):
    return Heartbeat(pair)


@pytest.fixture
def maria(bench):
    """Only MariaDB: for what does not depend on the server."""
    return Heartbeat(Pair(bench, "mariadb-gtid"))


def test_age_against_each_threshold(heartbeat):
    heartbeat.beat()
    outcome = heartbeat.check("-w", "10", "-c", "60")
    assert outcome.state == "OK"
    assert "(heartbeat)" in outcome.text
    assert 0 <= outcome.perfdata["lag"].value < 5
    heartbeat.beat(age_s=100)
    assert heartbeat.check("-w", "200", "-c", "300").state == "OK"
    assert heartbeat.check("-w", "10", "-c", "300").state == "WARNING"
    outcome = heartbeat.check("-w", "10", "-c", "60")
    assert outcome.state == "CRITICAL"
    assert 100 <= outcome.perfdata["lag"].value < 110


def test_fractions_of_a_second_count(maria):
    maria.beat(age_s=5.5)
    assert 5.5 <= maria.check().perfdata["lag"].value < 8


def test_other_table(pair):
    heartbeat = Heartbeat(pair, "percona.beat")
    heartbeat.beat(age_s=100)
    outcome = heartbeat.check("--heartbeat-table", "percona.beat", "-c", "60")
    assert outcome.state == "CRITICAL"
    assert 100 <= outcome.perfdata["lag"].value < 110


def test_missing_table_is_unknown(pair):
    pair.replica.sql("SET sql_log_bin = 0", "GRANT SELECT ON *.* TO monitor")
    for table in ("heartbeat.heartbeat", "shop.no_such_table"):
        outcome = watch(pair.replica, LAG, "--method", "heartbeat", "--heartbeat-table", table)
        assert outcome.state == "UNKNOWN"
        assert table.split(".")[-1] in outcome.text


def test_missing_row_is_critical(heartbeat):
    assert heartbeat.check().state == "CRITICAL", "no row at all"
    heartbeat.beat(server_id=77)
    outcome = heartbeat.check("--heartbeat-server-id", "78")
    assert outcome.state == "CRITICAL"
    assert "78" in outcome.text
    assert outcome.perfdata["lag"].value is None


def test_row_of_one_server(heartbeat):
    heartbeat.beat()
    heartbeat.beat(age_s=100, server_id=77)
    assert heartbeat.check("-c", "60").state == "OK"
    assert heartbeat.check("-c", "60", "--heartbeat-server-id", "77").state == "CRITICAL"
    own = str(heartbeat.pair.source.server_id)
    assert heartbeat.check("-c", "60", "--heartbeat-server-id", own).state == "OK"


def test_a_channel_takes_no_others_row(two_sources):
    east, west, replica = two_sources
    east.sql("CREATE DATABASE heartbeat", SCHEMA.format(table="heartbeat.heartbeat"),
             "INSERT INTO heartbeat.heartbeat (ts, server_id) "
             f"VALUES (DATE_FORMAT(NOW(6), '%Y-%m-%dT%H:%i:%s.%f'), {east.server_id})")
    replica.wait_caught_up(east, "east")
    replica.sql("SET sql_log_bin = 0", "GRANT SELECT ON heartbeat.* TO monitor")
    for channels in ([], ["--channel", "west"]):
        outcome = watch(replica, LAG, "--method", "heartbeat", *channels)
        assert outcome.state == "CRITICAL", outcome.out
        assert f"channel 'west': no heartbeat of server {west.server_id}, its source" in outcome.text
        assert outcome.perfdata["west_lag"].value is None
    assert watch(replica, LAG, "--method", "heartbeat", "--channel", "east").state == "OK"
    # Where the rows of one come through the other, a person knows it.
    assert watch(replica, LAG, "--method", "heartbeat", "--channel", "west", "--heartbeat-server-id",
                 str(east.server_id)).state == "OK"


def test_own_row_does_not_count(heartbeat):
    heartbeat.beat(server_id=heartbeat.pair.replica.server_id)
    assert heartbeat.check("-c", "60").state == "CRITICAL", "only its own row: none that counts"
    heartbeat.beat(age_s=100)
    outcome = heartbeat.check("-c", "60")
    assert outcome.state == "CRITICAL"
    assert 100 <= outcome.perfdata["lag"].value < 110


@pytest.mark.parametrize("zone", ["+05:30", "-08:00", "+00:00"])
def test_times_of_the_servers_zone_and_utc(bench, zone):
    for kind in ("mariadb-gtid", "mysql-gtid"):
        pair = Pair(bench, kind)
        heartbeat = Heartbeat(pair)
        for server in (pair.source, pair.replica):
            server.sql(f"SET GLOBAL time_zone = '{zone}'")
        heartbeat.beat(age_s=30)
        assert 30 <= heartbeat.check().perfdata["lag"].value < 40
        heartbeat.beat(age_s=30, clock="UTC_TIMESTAMP(6)")
        assert 30 <= heartbeat.check("--heartbeat-utc").perfdata["lag"].value < 40


def test_a_clock_that_is_a_little_ahead_counts_as_no_age(maria):
    maria.beat(age_s=-1)
    outcome = maria.check("-w", "10")
    assert outcome.state == "OK"
    assert outcome.perfdata["lag"].value == 0


def test_a_clock_far_ahead_is_unknown(maria):
    maria.beat(age_s=-60)
    outcome = maria.check("-w", "10")
    assert outcome.state == "UNKNOWN"
    assert outcome.perfdata.get("lag") is None or outcome.perfdata["lag"].value is None


def test_a_stamp_that_is_no_time_is_unknown(maria):
    maria.pair.source.sql(f"INSERT INTO {maria.table} (ts, server_id) VALUES ('soon', 5)")
    maria.pair.caught_up()
    assert maria.check().state == "UNKNOWN"


def test_intended_delay_is_subtracted(bench):
    pair = Pair(bench, "mariadb-gtid").caught_up()
    heartbeat = Heartbeat(pair)
    heartbeat.beat(age_s=100)
    pair.replica.stop_replication()
    pair.replica.sql("CHANGE MASTER TO MASTER_DELAY = 90")
    pair.replica.start_replication()
    pair.replica.wait_channel(io="Yes", sql="Yes")
    assert 10 <= heartbeat.check().perfdata["lag"].value < 20
    assert 100 <= heartbeat.check("--include-delay").perfdata["lag"].value < 110


def test_a_stopped_thread_is_critical_although_the_row_is_fresh(heartbeat):
    heartbeat.beat()
    heartbeat.pair.replica.stop_replication(thread="SQL")
    outcome = heartbeat.check("-w", "10", "-c", "60")
    assert outcome.state == "CRITICAL"
    assert "SQL thread stopped" in outcome.text


def test_no_privilege_on_the_table_names_a_grant_that_helps(heartbeat):
    heartbeat.beat()
    heartbeat.pair.replica.sql("SET sql_log_bin = 0", "REVOKE SELECT ON heartbeat.* FROM monitor")
    outcome = heartbeat.check()
    assert outcome.state == "UNKNOWN"
    grant = outcome.text[outcome.text.index("GRANT"):]
    assert "SELECT" in grant and "heartbeat" in grant
    heartbeat.pair.replica.sql("SET sql_log_bin = 0", grant)
    assert heartbeat.check().state == "OK"


def test_hostile_table_names_are_quoted(maria):
    for name in ("heartbeat.`x` UNION SELECT 1", "a'b.c\"d", "h.t; DROP DATABASE shop", ".", "a.b.c"):
        assert maria.check("--heartbeat-table", name).state == "UNKNOWN"
    assert maria.pair.replica.sql("SHOW DATABASES LIKE 'shop'")
