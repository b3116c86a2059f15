# SPDX-License-Identifier: MIT
"""What other people put into texts and names, and very many channels."""

import pytest

from pairs import Pair, login, watch
from plugin import CHECKS, LAG, MAX_BYTES, THREADS, path, run_raw
from server import MONITOR_USER
from servers import replicate

all_checks = pytest.mark.parametrize("check", CHECKS)


def stop_with_error(bench, name):
    """Return a replica whose SQL thread stopped over a duplicate of `name`, a binary string."""
    pair = Pair(bench, "mariadb-gtid")
    literal = "X'" + name.hex() + "'"
    pair.source.sql("CREATE TABLE shop.tag (name VARBINARY(200) PRIMARY KEY)")
    pair.caught_up()
    pair.replica.sql("SET GLOBAL read_only = OFF", "SET sql_log_bin = 0",
                     f"INSERT INTO shop.tag VALUES ({literal})", "SET GLOBAL read_only = ON")
    pair.source.sql(f"INSERT INTO shop.tag VALUES ({literal})")
    pair.replica.wait_channel(sql="No", sql_errno=1062)
    return pair.replica


@all_checks
@pytest.mark.parametrize("name", [
    b"a|'lag'=0s;;", b"line\nbreak\r\n\x1b[31mred\x07", "Größe 漢字 😀".encode(),
    b"\xff\xfe\xc3", b"caf\xe9", b"x" * 190, b"%s%n {} \\ \" <b> $(id) `id`",
], ids=["bar", "control bytes", "utf-8", "not utf-8", "latin1", "long", "metacharacters"])
def test_error_texts_of_the_server_are_made_harmless(check, bench, name):
    replica = stop_with_error(bench, name)
    outcome = watch(replica, check)  # which asserts one bar, no control bytes, valid UTF-8
    assert outcome.state == "CRITICAL"
    assert "1062" in outcome.text and "Duplicate entry" in outcome.text
    labels = {LAG: {"lag", "sql_delay", "relay_log_space"},
              THREADS: {"channels", "io_running", "sql_running", "connecting"}}[check]
    assert set(outcome.perfdata) == labels
    answer = run_raw([path(check), *login(replica), "--output", "json"]).json()
    assert "1062" in answer["summary"]


@all_checks
def test_message_of_a_trigger_on_the_replica(check, bench):
    """SIGNAL lets the owner of a trigger choose the whole text."""
    pair = Pair(bench, "mariadb-gtid")
    pair.caught_up()
    pair.replica.sql(
        "SET GLOBAL read_only = OFF", "SET GLOBAL slave_run_triggers_for_rbr = YES",
        "CREATE TRIGGER shop.refuse BEFORE INSERT ON shop.item FOR EACH ROW SIGNAL SQLSTATE "
        "'45000' SET MESSAGE_TEXT = 'OK | lag=0\\nMYSQL REPLICATION LAG OK - \t\x01 fine'",
        "SET GLOBAL read_only = ON")
    pair.insert(1)
    pair.replica.wait_channel(sql="No")
    outcome = watch(pair.replica, check)
    assert outcome.state == "CRITICAL"
    assert "1644" in outcome.text


@all_checks
def test_channel_names_with_quotes_bars_and_equal_signs(check, bench):
    server = bench.server("mariadb", options=["--read-only"])
    server.create_monitor()
    names = ["it''s", "a|b", "c=d", "e f", "größe"]
    for port, name in enumerate(names, 1):
        server.change_source("127.0.0.1", port, name)
    outcome = watch(server, check)
    assert outcome.state == "CRITICAL"
    assert len(outcome.lines) == 1 + len(names)
    found = run_raw([path(check), *login(server), "--discovery"]).json()
    assert len(found) == len(names)
    assert "it's" in {entry["{#CHANNEL}"] for entry in found}


def test_no_name_of_a_channel_or_binlog_commands_a_terminal(bench, flavour):
    """An operator's terminal shows what mysql_ha prints."""
    source = bench.server(flavour, options=["--log-bin=bin\x1b[31m"])
    replica = bench.server(flavour, options=["--read-only"])
    for server in (source, replica):
        server.create_monitor()
    if flavour == "mariadb":
        replica.sql(f"GRANT BINLOG MONITOR ON *.* TO {MONITOR_USER}")
    replicate(replica, source, "c\x1b[2J\u202e\x9b" if flavour == "mariadb" else "", gtid=False)
    for words in (["status"], ["plan", "--assume-dead", "db1"],
                  ["plan", "--assume-dead", "db1", "--output", "json"]):
        outcome = run_raw([path("mysql_ha"), *words, *login(source)[4:], "--fence", "none",
                           "--node", f"db1={source.host}:{source.port}",
                           "--node", f"db2={replica.host}:{replica.port}"])
        assert not {"\x1b", "\x9b", "\u202e"} & set(outcome.out), ascii(outcome.out)
    assert "bin\\u001B[31m" in outcome.out, outcome.out


@all_checks
def test_200_channels(check, bench, flavour):
    """All stopped but the one whose name comes first."""
    server = bench.server(flavour, options=["--read-only"])
    server.create_monitor()
    source = bench.server(flavour)
    names = [f"channel_{number:03}" for number in range(200)]
    for number, name in enumerate(names):
        server.change_source("127.0.0.1", number or source.port, name, gtid=False,
                             position=source.position())
    server.start_replication(names[0])
    server.wait_channel(names[0], io="Yes", sql="Yes")
    outcome = watch(server, check)
    assert outcome.state == "CRITICAL"
    assert outcome.seconds < 5
    assert len(outcome.out.encode()) <= MAX_BYTES
    assert len(outcome.out.encode()) > MAX_BYTES // 2, "the room is used"
    shown = [line for line in outcome.lines[1:] if "channel_" in line]
    assert not any(names[0] in line for line in shown), "the healthy one is the last to be shown"
    left_out = 200 - len(shown)
    assert left_out > 0 and str(left_out) in outcome.out.split("|")[0], outcome.out
    if check == THREADS:
        assert outcome.perfdata["channels"].value == 200
        assert outcome.perfdata["io_running"].value == 1
    answer = run_raw([path(check), *login(server), "--output", "json"]).json()
    assert len(answer["items"]) == 200
    assert len(run_raw([path(check), *login(server), "--discovery"]).json()) == 200


@all_checks
def test_worst_channel_stands_first(check, bench):
    """However they are named."""
    *sources, replica = bench.start("mariadb", 4)
    replica.create_monitor()
    replica.sql("SET GLOBAL read_only = ON")
    for name, source in zip(("a_healthy", "b_broken", "c_healthy"), sources):
        replicate(replica, source, name, gtid=False)
    replica.stop_replication("b_broken", "SQL")
    outcome = watch(replica, check)
    assert ["b_broken" in line for line in outcome.lines[1:]] == [True, False, False]
