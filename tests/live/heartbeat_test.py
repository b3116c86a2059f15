# SPDX-License-Identifier: MIT
"""check_heartbeat against the tables of every engine, on both flavours."""

import threading
import time

import pytest

from engines import (ENGINES, IcingaDb, Ido, Nagios1, Ndo, NewPandora, Pandora, PtHeartbeat,
                     Zabbix)
from pairs import FLAVOURS, login, watch
from plugin import run
from server import wait_until
from servers import Bench

HEARTBEAT = "check_heartbeat"
every_engine = pytest.mark.parametrize("kind", ENGINES, ids=lambda kind: kind.__name__)
RETRY_S = 2


@pytest.fixture(scope="module", params=FLAVOURS)
def shared(request):
    """A server for tests that only need a database of their own."""
    with Bench() as bench:
        server = bench.server(request.param)
        server.create_monitor("SELECT ON *.*")
        yield server


@pytest.fixture
def server(shared):
    """The shared server without the databases of the test before."""
    for kind in ENGINES:
        shared.sql(f"DROP DATABASE IF EXISTS {kind.database}")
    shared.sql("SET GLOBAL time_zone = 'SYSTEM'", "SET GLOBAL init_connect = ''")
    return shared


def check(engine, *options, **arguments):
    return watch(engine.server, HEARTBEAT, *engine.options(), *options, **arguments)


def thresholds(outcome):
    age = outcome.perfdata["age"]
    return float(age.warning), float(age.critical)


@every_engine
def test_each_state_of_the_age(server, kind):
    engine = kind(server)
    engine.beat()
    outcome = check(engine)
    assert outcome.state == "OK", outcome.out
    assert 0 <= outcome.perfdata["age"].value < 5
    assert outcome.perfdata["age"].unit == "s"
    warning, critical = thresholds(outcome)
    engine.beat(int(warning) + 5)
    assert check(engine).state == "WARNING"
    engine.beat(int(critical) + 5)
    outcome = check(engine)
    assert outcome.state == "CRITICAL"
    assert critical + 5 <= outcome.perfdata["age"].value < critical + 15
    assert check(engine, "-w", "1000", "-c", "2000").state == "OK"


def test_default_thresholds(server):
    wanted = {Nagios1: (150, 300), Ndo: (30, 60), Ido: (30, 60), IcingaDb: (30, 65),
              Zabbix: (30, 60), Pandora: (60, 90), PtHeartbeat: (10, 60)}
    for kind, limits in wanted.items():
        server.sql(f"DROP DATABASE IF EXISTS {kind.database}")
        engine = kind(server)
        engine.beat()
        assert thresholds(check(engine)) == limits


@every_engine
def test_future(server, kind):
    engine = kind(server)
    engine.beat(-120)
    outcome = check(engine)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "future" in outcome.text
    assert outcome.perfdata["age"].value is None


@every_engine
def test_no_row(server, kind):
    engine = kind(server)
    outcome = check(engine)
    assert outcome.state == "CRITICAL", outcome.out
    assert kind.table in outcome.text
    assert outcome.perfdata["age"].value is None


@every_engine
def test_missing_table_and_missing_database(server, kind):
    engine = kind(server)
    engine.sql(f"DROP TABLE {engine.prefix}{kind.table}")
    outcome = check(engine, "-t", "2")  # no time for a second look
    assert outcome.state == "CRITICAL", outcome.out
    assert kind.table in outcome.text
    outcome = check(engine, "--database", "nowhere", "-t", "2")
    assert outcome.state == "CRITICAL", outcome.out
    assert "nowhere" in outcome.text


@every_engine
def test_no_privilege_names_a_grant_that_helps(server, kind):
    engine = kind(server)
    engine.beat()
    server.create_user("nobody", "secret")
    try:
        options = ["-H", server.host, "-P", str(server.port), "-u", "nobody", *engine.options()]
        assert run(HEARTBEAT, *options, "-p", "wrong").state == "UNKNOWN"
        outcome = run(HEARTBEAT, *options, "-p", "secret")
        assert outcome.state == "UNKNOWN", outcome.out
        server.sql(outcome.text[outcome.text.index("GRANT"):])
        assert run(HEARTBEAT, *options, "-p", "secret").state == "OK"
    finally:
        server.sql("DROP USER nobody")


@pytest.mark.parametrize("zone", ["+05:30", "-11:00"])
@every_engine
def test_time_zones(server, kind, zone):
    """The server's zone is neither ours nor UTC; the writer's session has the server's."""
    server.sql(f"SET GLOBAL time_zone = '{zone}'")
    engine = kind(server)
    engine.beat(7)
    outcome = check(engine, env={"TZ": "Asia/Tokyo"})
    assert 7 <= outcome.perfdata["age"].value < 15, outcome.out
    assert abs(outcome.perfdata["clock_skew"].value) < 2
    engine.beat(1000)
    assert check(engine).state == "CRITICAL"


@pytest.mark.parametrize("kind", [k for k in ENGINES if k.instant], ids=lambda kind: kind.__name__)
def test_instants_are_right_whatever_the_zone_of_the_writer(server, kind):
    engine = kind(server)
    server.sql("SET GLOBAL time_zone = '+00:00'")
    engine.beat(7)
    server.sql("SET GLOBAL time_zone = '-08:00'")
    assert 7 <= check(engine).perfdata["age"].value < 15


@pytest.mark.parametrize("kind", [Ndo, Ido, Zabbix, Pandora], ids=lambda kind: kind.__name__)
def test_stopped_is_critical_at_once(server, kind):
    engine = kind(server)
    engine.beat()
    engine.stop()
    outcome = check(engine)
    assert outcome.state == "CRITICAL", outcome.out
    assert "stopped" in outcome.text
    assert outcome.seconds < RETRY_S, "a flag needs no second look"


@pytest.mark.parametrize("kind", [Nagios1, Ndo, Ido], ids=lambda kind: kind.__name__)
def test_a_row_that_is_gone_for_a_moment_is_looked_for_again(server, kind):
    engine = kind(server)
    outcome = []
    checking = threading.Thread(target=lambda: outcome.append(check(engine)))
    checking.start()
    looked = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'monitor'"
    wait_until(lambda: server.sql(looked)[0]["n"])
    time.sleep(RETRY_S / 2)  # between the two looks
    engine.beat()
    checking.join()
    assert outcome[0].state == "OK", outcome[0].out
    assert outcome[0].seconds >= RETRY_S


def test_no_second_look_without_the_time_for_it(server):
    outcome = check(Nagios1(server), "-t", "2")
    assert outcome.state == "CRITICAL"
    assert "timed out" not in outcome.text
    assert outcome.seconds < 1


@pytest.mark.parametrize("kind", [Nagios1, Ndo, Ido], ids=lambda kind: kind.__name__)
def test_prefix(server, kind):
    engine = kind(server, prefix="other_")
    engine.beat()
    assert check(engine, "--prefix", "other_").state == "OK"
    outcome = check(engine)
    assert outcome.state == "CRITICAL"
    assert f"{kind.prefix}programstatus" in outcome.text or f"{kind.prefix}instances" in outcome.text


def test_hostile_names_are_quoted(server):
    server.sql("DROP DATABASE IF EXISTS `mon-itor;x`", "CREATE DATABASE `mon-itor;x`",
               "CREATE TABLE `mon-itor;x`.`p'programstatus` (last_update DATETIME, "
               "enable_notifications INT, execute_service_checks INT)",
               "INSERT INTO `mon-itor;x`.`p'programstatus` VALUES (NOW(), 1, 1)")
    options = ["--preset", "nagios1", "-t", "2"]
    assert watch(server, HEARTBEAT, *options, "--database", "mon-itor;x",
                 "--prefix", "p'").state == "OK"
    for name in ("x`; DROP DATABASE `mon-itor;x", "'", "\\", "a b", "x`.y -- "):
        outcome = watch(server, HEARTBEAT, *options, "--database", name)
        assert outcome.state in ("CRITICAL", "UNKNOWN"), outcome.out
    assert server.sql("SHOW DATABASES LIKE 'mon-itor;x'")


def test_never_written(server):
    engine = Nagios1(server)
    engine.sql("INSERT INTO programstatus (nagios_pid) VALUES (1)")
    outcome = check(engine, "-t", "2")
    assert outcome.state == "CRITICAL"
    assert outcome.perfdata["age"].value is None
    assert "no last_update yet" in outcome.text


@pytest.mark.parametrize("kind", [Ndo, Ido], ids=lambda kind: kind.__name__)
def test_a_row_without_a_time_is_not_no_row(server, kind):
    engine = kind(server)
    engine.beat()
    engine.sql(f"UPDATE {engine.prefix}programstatus SET status_update_time = 0")
    outcome = check(engine, "-t", "2")
    assert outcome.state == "CRITICAL"
    assert "no status_update_time yet" in outcome.text


@pytest.mark.parametrize("kind", [Ndo, Ido], ids=lambda kind: kind.__name__)
def test_a_dead_default_instance_names_the_living_one(server, kind):
    engine = kind(server)
    engine.sql(f"INSERT INTO {engine.prefix}instances (instance_id, instance_name) "
               "VALUES (2, 'west'), (3, 'east')",
               f"INSERT INTO {engine.prefix}programstatus (instance_id, status_update_time, "
               "is_currently_running) VALUES (2, NOW() - INTERVAL 3 SECOND, 1), "
               "(3, NOW() - INTERVAL 1 DAY, 1)", zone="+00:00" if kind is Ido else None)
    engine.beat(1000)
    outcome = check(engine)
    assert outcome.state == "CRITICAL"
    assert "alive in this database: instance 'west' (" in outcome.text, outcome.out
    assert "east" not in outcome.text and "--instance" in outcome.text
    assert check(engine, "--instance", "west").state == "OK"


def test_what_carries_the_heartbeat_may_be_late_instead(server):
    for kind, carrier in ((Ndo, "ndo2db"), (Ido, "the IDO writer"), (IcingaDb, "Redis or Icinga DB")):
        server.sql(f"DROP DATABASE IF EXISTS {kind.database}")
        engine = kind(server)
        engine.beat(500)
        assert carrier in check(engine).text
        engine.beat()
        assert carrier not in check(engine).text


def test_ndo_instances(server):
    class TwoInstances(Ndo):
        instances = ("default", "west")
    engine = TwoInstances(server)
    engine.beat()
    engine.beat(1000, instance=2)
    assert check(engine).state == "OK"
    assert check(engine, "--instance", "default").state == "OK"
    assert check(engine, "--instance", "west").state == "CRITICAL"
    outcome = check(engine, "--instance", "o'ne", "-t", "2")
    assert outcome.state == "CRITICAL"
    assert "default, west" in outcome.text
    engine.sql("UPDATE nagios_instances SET instance_name = 'east' WHERE instance_id = 1")
    outcome = check(engine)
    assert outcome.state == "UNKNOWN"
    assert "--instance" in outcome.text and "east, west" in outcome.text


def test_ido_endpoint_must_match(server):
    engine = Ido(server)
    engine.beat(endpoint="m2")
    assert check(engine).state == "OK"
    assert check(engine, "--node-name", "m2").state == "OK"
    outcome = check(engine, "--node-name", "m1")
    assert outcome.state == "CRITICAL"
    assert "m2" in outcome.text


def test_icingadb_nodes(server):
    engine = IcingaDb(server)
    engine.beat(endpoint="m1", responsible="y")
    engine.beat(40, endpoint="m2", responsible="n")
    engine.beat(5000, endpoint="m1", responsible="n", identity="crashed before")
    assert check(engine).state == "OK"
    assert check(engine, "--node-name", "m1").state == "OK"
    assert check(engine, "--node-name", "m2").state == "WARNING"
    outcome = check(engine, "--node-name", "m3")
    assert outcome.state == "CRITICAL"
    assert "m1" in outcome.text and "m2" in outcome.text


def test_icingadb_environments(server):
    engine = IcingaDb(server)
    engine.beat(environment="one")
    engine.beat(500, environment="two")
    one, two = IcingaDb.id_of("one"), IcingaDb.id_of("two")
    outcome = check(engine)
    assert outcome.state == "UNKNOWN" and "--environment" in outcome.text
    assert one in outcome.text and two in outcome.text
    for environment, state in ((one, "OK"), ("one", "OK"), (two, "CRITICAL"),
                               (two.upper(), "CRITICAL"), ("two", "CRITICAL"), ("no", "CRITICAL")):
        for options in ([], ["--node-name", "m1"]):
            outcome = check(engine, "--environment", environment, *options)
            assert outcome.state == state, outcome.out


def test_icingadb_daemons_that_are_responsible_at_the_same_time(server):
    engine = IcingaDb(server)
    engine.beat(identity="first")
    engine.beat(identity="second")
    outcome = check(engine)
    assert outcome.state == "WARNING", "it lives: a CRITICAL would make a standby take over"
    assert "2 daemons are responsible at the same time: m1, m1" in outcome.text
    outcome = watch(server, "check_engine_pair", "--engine", "m1=icingadb@,node-name=m1")
    assert outcome.state == "CRITICAL" and "2 daemons" in outcome.text
    engine.beat(500, identity="second")
    assert check(engine).state == "OK"


def test_zabbix_nodes(server):
    engine = Zabbix(server)
    engine.beat(name="z1", status=Zabbix.ACTIVE)
    engine.beat(name="z2", status=Zabbix.STANDBY)
    engine.beat(name="z3", status=Zabbix.UNAVAILABLE)
    engine.beat(name="z4", status=Zabbix.STOPPED)
    for options, state in ((["--node-name", "z1"], "OK"), (["--node-name", "z2"], "OK"),
                           (["--node-name", "z3"], "CRITICAL"), (["--node-name", "z4"], "CRITICAL"),
                           (["--node-name", "z5"], "CRITICAL"), (["--node-name", ""], "CRITICAL"),
                           ([], "OK")):
        assert check(engine, *options).state == state, options
    assert "standby" in check(engine, "--node-name", "z2").text
    assert "unavailable" in check(engine, "--node-name", "z3").text
    engine.beat(name="z2", status=Zabbix.STANDBY, age_s=100)
    assert check(engine, "--node-name", "z2").state == "CRITICAL", "a standby that is late"
    engine.beat(name="z1", status=Zabbix.STANDBY)
    assert "active" in check(engine).text
    assert check(engine).state == "CRITICAL", "no node is active"
    engine.beat(name="z1", status=7)
    assert check(engine, "--node-name", "z1").state == "UNKNOWN"


def test_zabbix_standalone(server):
    engine = Zabbix(server)
    engine.beat(name="")
    assert check(engine).state == "OK"
    assert check(engine, "--node-name", "").state == "OK"


@pytest.mark.parametrize("kind", [Pandora, NewPandora], ids=lambda kind: kind.__name__)
def test_pandora_rows(server, kind):
    engine = kind(server)
    engine.beat(name="pfms1", kind=0)
    engine.beat(name="pfms1", kind=1)
    engine.beat(5000, name="pfms1", kind=13)
    engine.beat(5000, name="pfms1", kind=15)
    assert check(engine).state == "OK", "satellite and MF rows do not count"
    engine.beat(70, name="pfms1", kind=4)
    outcome = check(engine)
    assert outcome.state == "WARNING", "the stalest component counts"
    assert "plugin" in outcome.text
    engine.beat(name="pfms2", kind=0)
    outcome = check(engine)
    assert outcome.state == "UNKNOWN" and "--node-name" in outcome.text
    assert check(engine, "--node-name", "pfms2").state == "OK"
    assert check(engine, "--node-name", "pfms1").state == "WARNING"
    engine.beat(name="pfms2", kind=1, status=-1)
    outcome = check(engine, "--node-name", "pfms2")
    assert outcome.state == "CRITICAL" and "crashed" in outcome.text


def test_pandora_prefers_the_exact_stamp(server):
    """keepalive is local time of a host in another zone; the other column is not."""
    engine = NewPandora(server)
    engine.beat(zone="+09:00")
    assert check(engine).state == "OK"
    engine.sql("UPDATE tserver SET server_keepalive_utimestamp = 0")
    assert check(engine).state == "UNKNOWN", "nine hours in the future"


def test_pt_heartbeat_rows_and_forms(server):
    engine = PtHeartbeat(server)
    own = server.value("@@server_id")
    engine.beat(server_id=own)
    assert check(engine).state == "OK", "our own row counts here"
    engine.beat(100, server_id=77)
    assert check(engine).state == "OK", "the freshest counts"
    assert check(engine, "--heartbeat-server-id", "77").state == "CRITICAL"
    assert check(engine, "--heartbeat-server-id", "78").state == "CRITICAL"
    server.sql("SET GLOBAL time_zone = '+09:00'")
    engine.sql("DELETE FROM heartbeat")
    for form in ("%Y-%m-%dT%H:%i:%s.%f", "%Y-%m-%dT%H:%i:%s", "%Y-%m-%d %H:%i:%s"):
        engine.beat(5, form=form)
        assert 5 <= check(engine).perfdata["age"].value < 9, form
        engine.beat(5, form=form, clock="UTC_TIMESTAMP(6)")
        assert 5 <= check(engine, "--heartbeat-utc").perfdata["age"].value < 9, form
    assert check(engine, "--heartbeat-table", "heartbeat.heartbeat").state == "CRITICAL", "nine hours"


class TestSql:
    """The preset for everything else."""

    LIMITS = ["--preset", "sql", "-w", "10", "-c", "60"]

    def check(self, server, *options):
        return watch(server, HEARTBEAT, *self.LIMITS, *options)

    def test_query(self, server):
        for query, state in (("SELECT 5", "OK"), ("SELECT 50.5", "WARNING"), ("SELECT 500", "CRITICAL"),
                             ("SELECT -1", "OK"), ("SELECT -5", "UNKNOWN"), ("SELECT 5, 1", "OK"),
                             ("SELECT 5, 0", "OK"), ("SELECT NULL", "CRITICAL"),
                             ("SELECT 1 FROM DUAL WHERE 1 = 0", "CRITICAL"), ("SELECT 'x'", "UNKNOWN"),
                             ("SELECT 5, 2", "UNKNOWN"), ("SELECT 5, 1, 1", "UNKNOWN"),
                             ("SELECT 1 UNION SELECT 2", "UNKNOWN"), ("SELEKT", "UNKNOWN"),
                             ("SELECT 1 FROM mysql.nowhere", "CRITICAL"), ("DO 1", "CRITICAL")):
            outcome = self.check(server, "--query", query)
            assert outcome.state == state, (query, outcome.out)

    @pytest.mark.parametrize("unit, kind, now", [
        ("datetime", "DATETIME", "NOW()"), ("datetime", "TIMESTAMP", "NOW()"),
        ("datetime", "DATETIME(6)", "NOW(6)"), ("epoch", "INT UNSIGNED", "UNIX_TIMESTAMP()"),
        ("epoch", "DOUBLE", "UNIX_TIMESTAMP()"), ("epoch-ms", "BIGINT UNSIGNED", "UNIX_TIMESTAMP() * 1000")])
    def test_units(self, server, unit, kind, now):
        server.sql("CREATE DATABASE nagios", f"CREATE TABLE nagios.`beat` (`at` {kind}, who INT)")
        options = ["--table", "nagios.beat", "--column", "at", "--unit", unit]
        assert self.check(server, *options).state == "CRITICAL", "empty"
        past = {"datetime": "- INTERVAL {} SECOND", "epoch": "- {}", "epoch-ms": "- {} * 1000"}[unit]
        for age, state in ((5, "OK"), (30, "WARNING"), (100, "CRITICAL"), (-100, "UNKNOWN")):
            server.sql("DELETE FROM nagios.beat",
                       f"INSERT INTO nagios.beat VALUES ({now} {past.format(age)}, 1)")
            assert self.check(server, *options).state == state, age
        server.sql("DELETE FROM nagios.beat",
                   f"INSERT INTO nagios.beat VALUES ({now} {past.format(100)}, 1), ({now}, 2)")
        assert self.check(server, *options).state == "OK", "the newest row counts"
        assert self.check(server, *options, "--where", "who = 1").state == "CRITICAL"
        assert self.check(server, *options, "--where", "who = 3 OR 1 = 0").state == "CRITICAL"
        assert self.check(server, "--database", "nagios", "--table", "beat", *options[2:]).state == "OK"

    def test_what_is_missing(self, server):
        options = ["--column", "at", "--unit", "epoch"]
        outcome = self.check(server, "--table", "nowhere.beat", *options)
        assert outcome.state == "CRITICAL" and "nowhere" in outcome.text
        outcome = self.check(server, "--database", "nowhere", "--table", "beat", *options)
        assert outcome.state == "CRITICAL" and "nowhere" in outcome.text
        server.sql("CREATE DATABASE nagios", "CREATE TABLE nagios.beat (x INT)")
        outcome = self.check(server, "--table", "nagios.beat", *options)
        assert outcome.state == "UNKNOWN" and "at" in outcome.text


def by_column(kind, table, column):
    """Return a class of engines whose heartbeat is read by the preset for everything else."""
    options = ["--preset", "sql", "--table", table, "--column", column, "--unit", "datetime"]
    return type(f"Column{kind.__name__}", (kind,), {"options": lambda self: options})


LOCAL = (Nagios1, Ndo, Pandora, PtHeartbeat,
         by_column(Ndo, "nagios.nagios_programstatus", "status_update_time"),
         by_column(PtHeartbeat, "heartbeat.heartbeat", "ts"))


class TestClockChanges:
    """In Central Europe, in 2024: 03:00 becomes 02:00 again, and 02:00 becomes 03:00."""

    SECOND_TWO_OCLOCK = 1729990800
    THREE_OCLOCK = 1711846800

    @pytest.fixture(scope="class", params=FLAVOURS)
    def european(self, request):
        with pytest.MonkeyPatch.context() as environment, Bench() as bench:
            environment.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
            server = bench.server(request.param)
            server.create_monitor("SELECT ON *.*")
            yield server

    @pytest.fixture(params=LOCAL, ids=lambda kind: kind.__name__)
    def engine(self, european, request):
        for kind in ENGINES:
            european.sql(f"DROP DATABASE IF EXISTS {kind.database}")
        return request.param(european)

    def check(self, engine, now, *options):
        """Return what a check at one moment says."""
        # The time of every session of the monitoring account stands still there.
        engine.server.sql(f"SET GLOBAL init_connect = 'SET timestamp = {now}'")
        return check(engine, "-w", "30", "-c", "60", *options)

    def beat(self, engine, now):
        engine.clock = now
        engine.beat()

    def test_a_living_engine_is_followed_through_the_repeated_hour(self, engine, tmp_path):
        two = self.SECOND_TWO_OCLOCK
        for wrote in (-3601, -3599, -1800, -1, 0, 1, 1800, 3599, 3600):
            self.beat(engine, two + wrote)
            outcome = self.check(engine, two + wrote + 7, "--state-dir", tmp_path / "state")
            assert outcome.perfdata["age"].value == pytest.approx(7, abs=0.01), (wrote, outcome.out)

    def test_a_dead_engine_does_not_come_to_life_an_hour_later(self, engine, tmp_path):
        died = self.SECOND_TWO_OCLOCK - 1800
        self.beat(engine, died)
        remembering = "--state-dir", tmp_path / "state"
        assert self.check(engine, died + 7, *remembering).state == "OK"
        assert self.check(engine, died + 1800, *remembering).state == "CRITICAL"
        outcome = self.check(engine, died + 3607, *remembering)
        assert outcome.state == "CRITICAL", outcome.out
        assert outcome.perfdata["age"].value == pytest.approx(3607, abs=0.01)
        outcome = self.check(engine, died + 3607)
        assert outcome.state == "UNKNOWN", outcome.out
        assert "7s old or 60m 07s" in outcome.text and "--state-dir" in outcome.text
        assert outcome.perfdata["age"].value is None
        assert self.check(engine, died + 7200).state == "CRITICAL", "dead in either reading"

    def test_the_beginning_of_summer_time(self, engine):
        for wrote in (-10, -1, 0):
            self.beat(engine, self.THREE_OCLOCK + wrote)
            outcome = self.check(engine, self.THREE_OCLOCK + wrote + 7)
            assert outcome.perfdata["age"].value == pytest.approx(7, abs=0.01), (wrote, outcome.out)


def test_a_state_directory_that_cannot_be_had_is_named_at_once(server, tmp_path):
    engine = Zabbix(server)
    engine.beat()
    (tmp_path / "file").touch()
    outcome = check(engine, "--state-dir", tmp_path / "file")
    assert outcome.state == "UNKNOWN" and "--state-dir" in outcome.text
    assert check(engine, "--state-dir", tmp_path / "state").state == "OK"
    assert not list((tmp_path / "state").iterdir()), "nothing to remember"
    engine.beat(100)
    outcome = check(engine, "--state-dir", tmp_path / "file")
    assert outcome.state == "CRITICAL" and "--state-dir" in outcome.text, "no less dead for that"


def test_clock_skew_is_reported(server):
    engine = Zabbix(server)
    engine.beat()
    assert abs(check(engine).perfdata["clock_skew"].value) < 2
    # The server's clock, as the monitoring account sees it, is five minutes behind.
    server.sql("SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() - 300'")
    outcome = check(engine)
    assert 298 < outcome.perfdata["clock_skew"].value < 305
    assert outcome.state == "UNKNOWN", "written five minutes in that clock's future"
    engine.beat(300)
    outcome = check(engine)
    assert outcome.state == "OK", "ages are those of the server's clock"
    assert "our clock is 5m 0" in outcome.text and "ahead" in outcome.text


def test_a_locked_table_ends_in_time(server):
    """Nagios 1 locks its tables for the whole of a dump."""
    engine = Nagios1(server)
    engine.beat()
    with server.connect(database="nagios") as session, session.cursor() as cursor:
        cursor.execute("LOCK TABLES programstatus WRITE")
        outcome = check(engine, "-t", "1")
    assert outcome.state == "CRITICAL"
    assert "timed out" in outcome.text and str(server.port) in outcome.text
    assert outcome.seconds < 1.5


def test_server_gone(bench, flavour):
    server = bench.server(flavour)
    server.create_monitor()
    server.kill()
    outcome = run(HEARTBEAT, *login(server), "--preset", "zabbix")
    assert outcome.state == "CRITICAL" and str(server.port) in outcome.text
