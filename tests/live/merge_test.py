# SPDX-License-Identifier: MIT
"""mysql_ha merge: what a node wrote while it was cut off comes to the primary, once, and exactly."""

import collections
import json
import random
import shlex
import subprocess
import time

import pytest

import cache
from cluster import Cluster
from server import MANAGER_USER
from servers import Bench

BEGIN, END = 1700000000, 1700003600  # the split
WINDOW = ("--since", f"@{BEGIN}", "--until", f"@{END}")
LOST = ("--from", "db1", "--to", "db2")
# As pandoradb.sql has them, but for columns that are like others.
PANDORA = (
    "CREATE TABLE tagente (id_agente INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " nombre VARCHAR(600) NOT NULL DEFAULT '')",
    "CREATE TABLE tagente_modulo (id_agente_modulo INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id_agente INT UNSIGNED NOT NULL DEFAULT 0)",
    "CREATE TABLE tagente_datos (id_agente_modulo INT UNSIGNED NOT NULL DEFAULT 0,"
    " datos DOUBLE DEFAULT NULL, utimestamp BIGINT DEFAULT 0,"
    " KEY data_index1 (id_agente_modulo, utimestamp), KEY idx_utimestamp (utimestamp))",
    "CREATE TABLE tagente_datos_string (id_agente_modulo INT UNSIGNED NOT NULL DEFAULT 0,"
    " datos MEDIUMTEXT, utimestamp BIGINT NOT NULL DEFAULT 0,"
    " KEY data_index1 (id_agente_modulo, utimestamp), KEY idx_utimestamp (utimestamp))",
    "CREATE TABLE tevento (id_evento BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id_agente INT NOT NULL DEFAULT 0, timestamp DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00',"
    " evento TEXT, utimestamp BIGINT NOT NULL DEFAULT 0,"
    " event_type ENUM('going_unknown','alert_fired','going_up_normal') DEFAULT 'alert_fired',"
    " id_agentmodule INT NOT NULL DEFAULT 0, estado TINYINT UNSIGNED NOT NULL DEFAULT 0,"
    " user_comment TEXT, KEY idx_utimestamp (utimestamp))",
    "INSERT INTO tagente (id_agente) VALUES (1), (2)",
    "INSERT INTO tagente_modulo VALUES (1, 1), (2, 1), (3, 2)")
TABLES = {"tagente_datos": "id_agente_modulo, datos, utimestamp",
          "tagente_datos_string": "id_agente_modulo, datos, utimestamp",
          "tevento": "id_agente, timestamp, evento, utimestamp, event_type, id_agentmodule"}
ALL = ("CREATE TABLE shop.every (id INT NOT NULL PRIMARY KEY, at TIMESTAMP(3) NULL, KEY (at),"
       " tiny TINYINT, big BIGINT, huge BIGINT UNSIGNED, amount DECIMAL(65,30), single FLOAT,"
       " number DOUBLE, fixed DOUBLE(12,3), flags BIT(64), word ENUM('a','it''s','€') NULL,"
       " words SET('x','y','z'), day DATE, moment DATETIME(6), span TIME(3), annum YEAR,"
       " name VARCHAR(50) CHARACTER SET utf8mb4, old VARCHAR(20) CHARACTER SET latin1,"
       " wide VARCHAR(20) CHARACTER SET utf16, fix CHAR(5), bin BINARY(4), vbin VARBINARY(300),"
       " note TEXT CHARACTER SET utf8mb4, data LONGBLOB, doc JSON, place GEOMETRY,"
       " twice BIGINT AS (id * 2) STORED, thrice BIGINT AS (id * 3) VIRTUAL)")
EVERY = ("id, at, tiny, big, huge, amount, single, number, fixed, flags, word, words, day, moment,"
         " span, annum, name, old, wide, fix, bin, vbin, note, data, doc, place")
EVERY_ROWS = [
    "-1, '2023-11-14 22:13:20.125', -128, -9223372036854775808, 18446744073709551615,"
    " -12345678901234567890.123456789, 3.4028235e38, 1.7976931348623157e308, -123456789.125,"
    " 18446744073709551615, 3, 5, '0000-00-00', '0000-00-00 00:00:00', '-838:59:59', 0,"
    " '🐬 it''s', X'E9FF', '€', 'a ', X'00FF', REPEAT(X'00275C', 100), REPEAT('🐬x', 20000),"
    " REPEAT(X'00FF0A', 400000), '{\"a\": [1.5, null, \"é🐬\"]}',"
    " ST_GeomFromText('POINT(1 -2.5)')",
    "2, '2023-11-14 22:13:21', 127, 9223372036854775807, 0, 0.1, 1e-45, 5e-324, 0.001, 0, NULL, 0,"
    " '9999-12-31', '9999-12-31 23:59:59.999999', '838:59:59', 2155, '', '', '', '', '', '',"
    " '', '', '{}', NULL",
    "3, '2023-11-14 22:13:22', NULL, -1, 9223372036854775808, NULL, -0.1, -2.2250738585072014e-308,"
    " NULL, 1, 1, NULL, '2024-02-30', '2024-02-29 12:00:00.000001', '-00:00:00.001', NULL,"
    " 'a,N', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
    "4, '2023-11-14 22:13:22', 0, 0, 1, 0, 0, -0e0, 0, 0, 2, 1, '2024-01-01',"
    " '2024-01-01 00:00:00', '00:00:00', 1901, 'N', 'N', 'N', 'N', 'N', 'N', 'N', 'N', '[]', NULL"]


@pytest.fixture(scope="module", params=["mariadb-gtid", "mysql-position"])
def made(request):
    with Bench() as bench:
        yield Cluster(bench, request.param, 3)


@pytest.fixture
def cluster(made):
    """db1 was cut off and has written on; db2 has replaced it and db3 follows it."""
    made.start_over()
    made.write_config(as_admin=True)
    made.db1.sql("DROP DATABASE IF EXISTS pandora", "CREATE DATABASE pandora CHARACTER SET utf8mb4",
                 "USE pandora", *PANDORA)
    made.catch_up()
    yield made
    for server in made.servers:
        if not server.running:
            server.start()
        server.sql("SET GLOBAL read_only = OFF", "SET SESSION sql_log_bin = 0",
                   "DROP DATABASE IF EXISTS pandora")


def split(cluster):
    """Promote db2 by hand, as another tool does, and let db3 follow it."""
    cluster.db2.stop_replication()
    cluster.db2.sql(f"RESET {'SLAVE' if cluster.flavour == 'mariadb' else 'REPLICA'} ALL",
                    "SET GLOBAL read_only = OFF")
    position = cluster.db2.position()
    cluster.db3.stop_replication()
    cluster.db3.change_source(cluster.db2.host, cluster.db2.port, gtid=cluster.gtid,
                              position=position)
    cluster.db3.start_replication()
    cluster.db3.wait_channel(io="Yes", sql="Yes")


def close(server):
    """Make the loser read-only, as the repair of a split begins."""
    server.sql("SET GLOBAL read_only = ON")


def insert(server, table, rows, columns=None):
    """Insert rows of Python values."""
    with server.connect() as session, session.cursor() as cursor:
        marks = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO pandora.{table} ({columns or TABLES[table]})"
                           f" VALUES ({marks})", rows)


def insert_every_type(server):
    for row in EVERY_ROWS:
        server.sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
                   f"INSERT INTO shop.every ({EVERY}) VALUES ({row})")


def contents(server, table, columns, database="pandora"):
    """Return the rows of a table with their counts, each value as the server itself spells its bytes."""
    parts = []
    for row in server.sql("SELECT column_name AS name, data_type AS type FROM"
                          f" information_schema.columns WHERE table_schema = '{database}'"
                          f" AND table_name = '{table}' ORDER BY ordinal_position"):
        name, kind = row["name"], row["type"]
        if name in [one.strip() for one in columns.split(",")]:
            parts.append({"float": f"{name} * 1e0", "bit": f"CAST({name} AS UNSIGNED)",
                          "enum": f"CAST({name} AS UNSIGNED)", "set": f"CAST({name} AS UNSIGNED)"}
                         .get(kind, f"HEX({name})" if "char" in kind or "binary" in kind
                              or kind.endswith(("text", "blob")) or kind == "geometry" else name))
    listed = ", ".join(f"{part} AS c{i}" for i, part in enumerate(parts))
    return collections.Counter(
        tuple(str(value) for value in row.values())
        for row in server.sql("SET time_zone = '+00:00'", f"SELECT {listed} FROM {database}.{table}",
                              timeout=60))


def pandora_rows(server):
    return {table: contents(server, table, columns) for table, columns in TABLES.items()}


def write_apart(cluster, count, seed=1):
    """Let both sides of a split write; return what has to be on the winner afterwards."""
    choose = random.Random(seed)

    def values(side):
        times = [choose.randrange(BEGIN, END) for _ in range(count)]
        return {"tagente_datos": [(choose.randint(1, 3), choose.choice(
                    [None, choose.uniform(-1e9, 1e9), choose.uniform(0, 1) * 1e-300, -0.0, 1e308]), at)
                                  for at in times],
                "tagente_datos_string": [(choose.randint(1, 3), choose.choice(
                    [None, "", "it's \\ ✓ 🐬", f"{side} {at}", "x" * 5000]), at) for at in times],
                "tevento": [(choose.choice([0, 1, 2]), "2023-11-14 23:00:00", f"{side} event", at,
                             choose.choice(["going_unknown", "alert_fired"]), choose.choice([0, 1, 3]))
                            for at in times]}
    before = {table: [(*row[:-1], BEGIN - 5) if table != "tevento" else
                      (*row[:3], BEGIN - 5, *row[4:]) for row in rows[:20]]
              for table, rows in values("both").items()}
    for table, rows in before.items():
        insert(cluster.db1, table, rows)
    cluster.catch_up()
    split(cluster)
    both = {table: rows[:50] for table, rows in values("both").items()}
    for server, side in ((cluster.db1, "loser"), (cluster.db2, "winner")):
        for table, rows in values(side).items():
            insert(server, table, rows)
        for table, rows in both.items():
            insert(server, table, rows)
    close(cluster.db1)
    lost, won = pandora_rows(cluster.db1), pandora_rows(cluster.db2)
    # Rows of before the window are on both sides; of one content the more frequent side counts.
    return {table: lost[table] | won[table] for table in TABLES}


def merge(cluster, *words, **arguments):
    return cluster.run("merge", *LOST, *WINDOW, *words, **arguments)


def test_missing_rows_come_once_and_exactly(cluster):
    wanted = write_apart(cluster, 300)
    before, binlog = pandora_rows(cluster.db1), cluster.db1.position()
    untouched = pandora_rows(cluster.db2)
    counted = merge(cluster, "--preset", "pandora", "--dry-run")
    assert counted.code == 0, counted.out
    assert pandora_rows(cluster.db2) == untouched
    done = merge(cluster, "--preset", "pandora")
    assert done.code == 0, done.out
    added = sum(sum((wanted[table] - untouched[table]).values()) for table in TABLES)
    assert f"{added} rows of db1 are to be added to db2" in counted.out, counted.out
    assert f"{added} rows of db1 added to db2" in done.out, done.out
    assert pandora_rows(cluster.db2) == wanted
    for _ in range(2):
        again = merge(cluster, "--preset", "pandora")
        assert again.code == 0 and "merge done: 0 rows" in again.out, again.out
    assert pandora_rows(cluster.db2) == wanted
    cluster.db3.wait_caught_up(cluster.db2)
    assert pandora_rows(cluster.db3) == wanted
    # The loser was not written to.
    assert (pandora_rows(cluster.db1), cluster.db1.position()) == (before, binlog)
    listed = cluster.run("journal")
    assert listed.out.count("db1 -> db2  done") == 3, listed.out
    shown = cluster.run("journal", "show", listed.out.splitlines()[-1].split()[0])
    assert shown.code == 0 and "tevento: " in shown.out, shown.out


def test_a_split_is_repaired_from_end_to_end(cluster):
    tools = [f"{name}-command={shlex.join(cache.client_command(cluster.flavour, name))}"
             for name in ("dump", "binlog")]
    cluster.write_config(*tools, as_admin=True)
    write_apart(cluster, 100, seed=6)
    cluster.db1.sql("SET GLOBAL read_only = OFF")
    for server in (cluster.db1, cluster.db2):
        # mysqldump writes -0 as 0.
        server.sql("UPDATE pandora.tagente_datos SET datos = 0 WHERE datos = 0")
    lost, won = pandora_rows(cluster.db1), pandora_rows(cluster.db2)
    wanted = {table: lost[table] | won[table] for table in TABLES}
    status = cluster.run("status")
    assert status.code == 2 and "db1" in status.out, status.out
    assert cluster.check("check_mysql_split_brain").state == "CRITICAL"
    close(cluster.db1)
    merged = merge(cluster, "--preset", "pandora")
    assert merged.code == 0, merged.out
    copied = cluster.run("resync", "db1", "--from", "db2", "--method", "dump")
    assert copied.code in (0, 1), copied.out
    cluster.db1.wait_caught_up(cluster.db2)
    assert [pandora_rows(server) == wanted for server in cluster.servers] == [True] * 3
    assert cluster.check("check_mysql_split_brain").state == "OK"


def test_killed_at_random_and_repeated(cluster):
    wanted = write_apart(cluster, 3000, seed=2)
    choose = random.Random(3)
    for _ in range(10):
        process = cluster.begin("merge", *LOST, *WINDOW, "--preset", "pandora")
        try:
            process.wait(choose.uniform(0.02, 0.6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # The server may not have noticed yet that the last one is gone; a merge waits a few seconds.
    done = merge(cluster, "--preset", "pandora")
    assert done.code == 0, done.out
    assert pandora_rows(cluster.db2) == wanted


def test_events_that_were_handled_meanwhile_come_once(cluster):
    split(cluster)
    # More of one second than a batch has, some of them alike but for who has seen them.
    insert(cluster.db1, "tevento", [
        (1, "2023-11-14 23:00:00", f"event {n % 5000}", BEGIN, "alert_fired", 0, n // 5000)
        for n in range(5300)], TABLES["tevento"] + ", estado")
    close(cluster.db1)
    done = merge(cluster, "--preset", "pandora")
    assert done.code == 0 and "5300 rows of db1 added" in done.out, done.out
    handled = "SELECT COUNT(*) AS n FROM pandora.tevento WHERE estado = 1"
    assert cluster.db2.sql(handled)[0]["n"] == 300
    cluster.db2.sql("UPDATE pandora.tevento SET estado = 1, user_comment = 'seen'")
    again = merge(cluster, "--preset", "pandora")
    assert again.code == 0 and "merge done: 0 rows" in again.out, again.out


def test_two_at_a_time_add_nothing_twice(cluster):
    wanted = write_apart(cluster, 2000, seed=4)
    other = cluster.directory / "other-state"
    other.mkdir(mode=0o700, exist_ok=True)
    first = cluster.begin("merge", *LOST, *WINDOW, "--preset", "pandora")
    second = cluster.run("merge", *LOST, *WINDOW, "--preset", "pandora", "--state-dir", other)
    out, _ = first.communicate()
    assert {first.returncode, second.code} <= {0, 2} and 0 in {first.returncode, second.code}, (
        out, second.out)
    assert pandora_rows(cluster.db2) == wanted


def test_every_type_keeps_every_bit(cluster):
    cluster.db1.sql("SET SESSION sql_mode = ''", ALL)
    cluster.catch_up()
    split(cluster)
    insert_every_type(cluster.db1)
    close(cluster.db1)
    done = cluster.run("merge", *LOST, *WINDOW, "--table", "shop.every:at")
    assert done.code == 0 and "4 rows of db1 added" in done.out, done.out
    everything = EVERY + ", twice, thrice"
    lost = contents(cluster.db1, "every", everything, "shop")
    assert len(lost) == 4
    assert contents(cluster.db2, "every", everything, "shop") == lost
    again = cluster.run("merge", *LOST, *WINDOW, "--table", "shop.every:at")
    assert again.code == 0 and "merge done: 0 rows" in again.out, again.out


def test_rows_that_cannot_come_are_kept(cluster):
    split(cluster)
    cluster.db1.sql("INSERT INTO pandora.tagente_modulo VALUES (77, 1)")
    insert(cluster.db1, "tagente_datos", [(77, 1.5, BEGIN), (1, 2.5, BEGIN)])
    insert(cluster.db1, "tevento", [(9, "2023-11-14 23:00:00", "it's 🐬", BEGIN, "alert_fired", 0)])
    for server, note in ((cluster.db1, "'lost'"), (cluster.db2, "'won'")):
        server.sql("SET SESSION sql_log_bin = 0",
                   "CREATE TABLE shop.keyed (id INT PRIMARY KEY, at INT, note TEXT, KEY (at))",
                   "CREATE TABLE shop.child (id INT PRIMARY KEY, at INT, item INT,"
                   " FOREIGN KEY (item) REFERENCES shop.item (id))",
                   f"INSERT INTO shop.keyed VALUES (1, {BEGIN}, {note})")
    cluster.db1.sql(f"INSERT INTO shop.keyed VALUES (2, {BEGIN}, 'new')",
                    "INSERT INTO shop.item (id) VALUES (5), (6)",
                    f"INSERT INTO shop.child VALUES (1, {BEGIN}, 5), (2, {BEGIN}, 6), (3, {BEGIN}, NULL)")
    cluster.db2.sql("INSERT INTO shop.item (id) VALUES (6)")
    close(cluster.db1)
    words = ("--preset", "pandora", "--table", "shop.keyed:at", "--table", "shop.child:at")
    counted = merge(cluster, *words, "--dry-run")
    assert counted.code == 1 and "4 rows of db1 are to be added to db2, 4 would be left out" in \
        counted.out, counted.out
    done = merge(cluster, *words)
    assert done.code == 1 and "4 rows of db1 added to db2, 4 left out" in done.out, done.out
    assert "no index on shop.child that begins with at" in done.out
    saved, = cluster.state_dir.glob("mysql.merge/*.extra.sql")
    assert saved.stat().st_mode & 0o777 == 0o600
    text = saved.read_text()
    assert "pandora.tagente_modulo has no id_agente_modulo = 77" in text
    assert {row["note"] for row in cluster.db2.sql("SELECT note FROM shop.keyed")} == {"won", "new"}
    assert {row["id"] for row in cluster.db2.sql("SELECT id FROM shop.child")} == {2, 3}
    again = merge(cluster, *words)
    assert again.code == 1 and "0 rows of db1 added to db2, 4 left out" in again.out, again.out
    # What was left out can be applied once its parent is there.
    cluster.db2.sql("INSERT INTO pandora.tagente_modulo VALUES (77, 1)")
    inserts = [line for line in text.splitlines() if not line.startswith("--")]
    cluster.db2.sql(*[line.rstrip(";") for line in inserts if "tagente_datos" in line])
    assert contents(cluster.db2, "tagente_datos", TABLES["tagente_datos"]) == \
        contents(cluster.db1, "tagente_datos", TABLES["tagente_datos"])


def save_what_db1_has_alone(cluster):
    """Let db1 return, by a copy where it has no record of its divergence: what it has written is
    saved. Return the run's id."""
    binlog, dump = (shlex.join(cache.client_command(cluster.flavour, purpose))
                    for purpose in ("binlog", "dump"))
    if cluster.gtid:
        outcome = cluster.run("rejoin", "db1", "--binlog-command", binlog)
        assert outcome.code == 2 and "saved in" in outcome.out, outcome.out
    else:
        process = cluster.begin("resync", "db1", "--method", "dump", "--verify", "none",
                                "--binlog-command", binlog, "--dump-command", dump)
        out, _ = process.communicate(timeout=240)
        assert process.returncode == 0 and "saved in" in out, out
    saved, = cluster.state_dir.glob("mysql/*.extra.sql")
    return saved.name.removesuffix(".extra.sql")


def items(server):
    return {row["id"]: row["note"] for row in server.sql("SELECT * FROM shop.item")}


def test_saved_rows_come_to_the_primary(cluster):
    cluster.db1.sql("INSERT INTO shop.item VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e')",
                    "CREATE TABLE shop.plain (at INT, note VARCHAR(9))",
                    "CREATE TABLE shop.child (id INT PRIMARY KEY, item INT,"
                    " FOREIGN KEY (item) REFERENCES shop.item (id))")
    cluster.catch_up()
    split(cluster)
    if not cluster.gtid:  # Nothing else tells where its own transactions begin.
        cluster.db1.sql("FLUSH BINARY LOGS")
        cluster.db1.sql(f"PURGE BINARY LOGS TO '{cluster.db1.position()[0]}'")
    cluster.db1.sql(
        "INSERT INTO shop.item VALUES (10, 'new'), (11, 'new'), (12, 'new'), (20, 'lost')",
        "UPDATE shop.item SET note = 'newer' WHERE id = 11", "DELETE FROM shop.item WHERE id = 12",
        "UPDATE shop.item SET note = 'changed' WHERE id IN (1, 3)",
        "UPDATE shop.item SET id = 50 WHERE id = 5", "DELETE FROM shop.item WHERE id IN (2, 4)",
        "INSERT INTO shop.plain VALUES (1, 'x'), (1, 'x'), (1, 'x'), (2, NULL)",
        "DELETE FROM shop.plain WHERE at = 2", "INSERT INTO shop.child VALUES (1, 10), (2, 20)",
        "CREATE TABLE shop.later (id INT)", "TRUNCATE TABLE shop.later")
    cluster.db2.sql("UPDATE shop.item SET note = 'won' WHERE id IN (3, 4)",
                    "INSERT INTO shop.item VALUES (20, 'won')",
                    "INSERT INTO shop.plain VALUES (1, 'x'), (9, 'y')")
    run = save_what_db1_has_alone(cluster)
    shown = cluster.run("journal", "extra", run)
    assert shown.code == 0, shown.out
    for line in ("shop.item: 4 inserted, 4 updated, 3 deleted", "  + id = 10, note = 'new'",
                 "  ~ id = 3, note = 'c' -> note = 'changed'", "  - id = 4, note = 'd'",
                 "shop.plain: 4 inserted, 0 updated, 1 deleted", "shop.child: 2 inserted",
                 "CREATE TABLE shop.later (id INT)"):
        assert line in shown.out, (line, shown.out)
    whole = json.loads(cluster.run("journal", "extra", run, "--output", "json").out)
    assert {"table": "shop.item", "change": "update", "before": {"id": "5", "note": "e"},
            "after": {"id": "50", "note": "e"}} in whole["changes"]
    assert whole["error"] is None and whole["node"] == "db1" and len(whole["tables"]) == 3
    assert any(line.startswith(run) and line.endswith("kept for the transactions that it has saved")
               for line in cluster.run("journal").out.splitlines())
    words = ("journal", "extra", run, "--apply", "shop.item", "--apply", "shop.plain", "--apply",
             "shop.child")
    before = items(cluster.db2)
    counted = cluster.run(*words, "--dry-run")
    assert counted.code == 1 and "9 saved rows of db1 are to be brought to db2, 3 would" in \
        counted.out, counted.out
    assert items(cluster.db2) == before
    wanted = {1: "changed", 3: "won", 4: "won", 10: "new", 11: "newer", 20: "won", 50: "e"}
    for done in (9, 0, 0):
        outcome = cluster.run(*words)
        assert outcome.code == 1, outcome.out
        assert f"{done} saved rows of db1 brought to db2, 3 left out" in outcome.out, outcome.out
        assert "UPDATE of id = 3: the row is another one on db2" in outcome.out, outcome.out
        assert items(cluster.db2) == wanted
        assert contents(cluster.db2, "plain", "at, note", "shop") == {("1", "78"): 3, ("9", "79"): 1}
        assert len(cluster.db2.sql("SELECT * FROM shop.child")) == 2
    kept = max(cluster.state_dir.glob("mysql.merge/*.extra.sql"), key=lambda path: path.name)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "INSERT INTO `shop`.`item` (`id`, `note`) VALUES (20, 'lost');" in kept.read_text()
    cluster.db3.wait_caught_up(cluster.db2)
    assert items(cluster.db3) == wanted
    refuse_what_cannot_be_brought(cluster, run)


def refuse_what_cannot_be_brought(cluster, run):
    file = cluster.state_dir / f"mysql/{run}.extra.sql"
    text = file.read_bytes()
    middle = text.index(b"BINLOG '", len(text) // 2) + 61
    damaged = text[:middle] + b"/+/+" + text[middle + 4:]
    cluster.db2.sql("ALTER TABLE shop.plain ADD COLUMN more INT")
    for words, content, code, reason in (
            (("--apply", "shop.plain"), text, 2, "had 2 columns when its rows were logged, and has 3"),
            (("--apply", "shop.nothing"), text, 2, "has no table shop.nothing"),
            (("--apply", "pandora.tagente"), text, 2,
             "no row of pandora.tagente was saved; those with rows are"),
            (("--apply", "item"), text, 3, "is not DB.TABLE"), (("--dry-run",), text, 3, "need --apply"),
            (("--apply", "shop.item"), text[:middle], 2, "not complete"),
            (("--apply", "shop.item"), damaged, 2, "its checksum is wrong"),
            ((), damaged, 2, "not all could be read")):
        file.write_bytes(content)
        outcome = cluster.run("journal", "extra", run, *words)
        assert outcome.code == code and reason in outcome.out, (words, outcome.out)
    file.write_bytes(text)
    assert "has saved no transactions" in cluster.run("journal", "extra", "1-1").out
    with cluster.db2.connect() as session, session.cursor() as cursor:
        # That of a merge's last pair, whose commit may outlive the merge.
        cursor.execute("SELECT GET_LOCK('monitoring-plugins-ha:merge:3', 0)")
        refused = cluster.run("journal", "extra", run, "--apply", "shop.item")
        assert refused.code == 2 and "another merge is at work on db2" in refused.out, refused.out
    cluster.db2.sql("SET GLOBAL read_only = ON")
    refused = cluster.run("journal", "extra", run, "--apply", "shop.item")
    assert refused.code == 2 and "no node takes writes" in refused.out, refused.out


def test_saved_rows_of_every_type(cluster):
    cluster.db1.sql("SET SESSION sql_mode = ''", ALL)
    cluster.catch_up()
    split(cluster)
    insert_every_type(cluster.db1)
    insert(cluster.db2, "tevento", [(1, "2023-11-14 23:00:00", "won", BEGIN, "alert_fired", 0)])
    insert(cluster.db1, "tevento", [(1, "2023-11-14 23:00:00", "it's 🐬", BEGIN, "alert_fired", 0),
                                    (9, "2023-11-14 23:00:00", "orphan", BEGIN, "alert_fired", 0)])
    everything = EVERY + ", twice, thrice"
    lost = contents(cluster.db1, "every", everything, "shop")
    run = save_what_db1_has_alone(cluster)
    for done in (4, 0):
        outcome = cluster.run("journal", "extra", run, "--apply", "shop.every")
        assert outcome.code == 0 and f"{done} saved rows" in outcome.out, outcome.out
        assert contents(cluster.db2, "every", everything, "shop") == lost
    for done in (1, 0):
        outcome = cluster.run("journal", "extra", run, "--preset", "pandora", "--apply",
                              "pandora.tevento")
        assert outcome.code == 1 and f"{done} saved rows of db1 brought to db2, 1 left out" in \
            outcome.out, outcome.out
        assert [row["evento"] for row in cluster.db2.sql(
            "SELECT evento FROM pandora.tevento ORDER BY id_evento")] == ["won", "it's 🐬"]


def test_many_rows_of_one_second(cluster):
    split(cluster)
    rows = [(1 + n % 3, n // 2, BEGIN) for n in range(12000)]
    insert(cluster.db1, "tagente_datos", rows)
    insert(cluster.db1, "tagente_datos", [(1, 7, BEGIN)] * 6000)
    insert(cluster.db2, "tagente_datos", rows[::2])
    close(cluster.db1)
    wanted = contents(cluster.db1, "tagente_datos", TABLES["tagente_datos"])
    done = merge(cluster, "--table", "pandora.tagente_datos:utimestamp")
    assert done.code == 0 and "12000 rows of db1 added" in done.out, done.out
    assert contents(cluster.db2, "tagente_datos", TABLES["tagente_datos"]) == wanted


def test_columns_of_our_own_names(cluster):
    cluster.db1.sql("CREATE TABLE shop.own (at INT, digest INT, copies INT, bytes TEXT, `a``b` INT)")
    cluster.catch_up()
    split(cluster)
    for number in range(3):
        cluster.db1.sql(f"INSERT INTO shop.own VALUES ({BEGIN}, 1, {number}, 'x', {number})")
    close(cluster.db1)
    for added in (3, 0):
        done = merge(cluster, "--table", "shop.own:at")
        assert done.code == 1 and f"{added} rows of db1 added" in done.out, done.out
    assert len(cluster.db2.sql("SELECT * FROM shop.own")) == 3


def test_local_times_and_the_ends_of_the_window(cluster):
    for server in (cluster.db1, cluster.db2):
        server.sql("SET GLOBAL time_zone = '+02:00'")
    cluster.db1.sql("CREATE TABLE shop.log (at DATETIME, n INT)")
    cluster.catch_up()
    split(cluster)
    cluster.db1.sql("INSERT INTO shop.log VALUES ('2023-11-15 00:13:19', 1), ('2023-11-15 00:13:20', 2),"
                    " ('2023-11-15 01:13:19', 3), ('2023-11-15 01:13:20', 4), (NULL, 5)")
    close(cluster.db1)
    done = cluster.run("merge", *LOST, "--since", "2023-11-14T22:13:20Z", "--until",
                       "2023-11-15T00:13:20+01:00", "--table", "shop.log:at")
    assert done.code == 1 and "2 rows of db1 added" in done.out, done.out
    assert {row["n"] for row in cluster.db2.sql("SELECT n FROM shop.log")} == {2, 3}
    cluster.db2.sql("SET GLOBAL time_zone = '+03:00'")
    refused = merge(cluster, "--table", "shop.log:at")
    assert refused.code == 2 and "time zones differ" in refused.out, refused.out
    for server in (cluster.db1, cluster.db2):
        server.sql("SET GLOBAL time_zone = 'SYSTEM'")


def test_bad_input_changes_nothing(cluster):
    split(cluster)
    insert(cluster.db1, "tagente_datos", [(1, 1, BEGIN)])
    cluster.db2.sql("SET SESSION sql_log_bin = 0", "ALTER TABLE pandora.tevento MODIFY evento LONGTEXT",
                    "CREATE VIEW shop.seen AS SELECT 1 AS at",
                    "CREATE TABLE shop.plain (at INT) ENGINE=MyISAM",
                    "CREATE TABLE shop.sorted (at INT, word VARCHAR(9) COLLATE utf8mb4_bin)")
    cluster.db1.sql("SET SESSION sql_log_bin = 0", "CREATE VIEW shop.seen AS SELECT 1 AS at",
                    "CREATE TABLE shop.plain (at INT) ENGINE=MyISAM",
                    "CREATE TABLE shop.sorted (at INT, word VARCHAR(9) COLLATE utf8mb4_general_ci)")
    good = ("--table", "pandora.tagente_datos:utimestamp")
    for words, code, text in (
            (("--since", f"@{END}", "--until", f"@{BEGIN}", *LOST, *good), 2, "is not after"),
            (("--since", "2023-11-14 22:00", "--until", "@9", *LOST, *good), 3, "with its zone"),
            ((*WINDOW, *LOST), 3, "needs --preset"),
            ((*WINDOW, *LOST, "--table", "tevento"), 3, "is not DB.TABLE"),
            ((*WINDOW, *LOST, *good, "--table", "pandora.nothing:at"), 2, "has no table pandora.nothing"),
            ((*WINDOW, *LOST, *good, "--table", "pandora.tevento:tomorrow"), 2, "no column tomorrow"),
            ((*WINDOW, *LOST, *good, "--table", "shop.seen:at"), 2, "no table but a view"),
            ((*WINDOW, *LOST, *good, "--table", "shop.sorted:at"), 2, "the types of shop.sorted.word"),
            ((*WINDOW, *LOST, *good, "--table", "shop.plain:at"), 2, "no transactions (engine MyISAM)"),
            ((*WINDOW, *LOST, *good, "--table", "shop.item:note"), 2, "is no time"),
            ((*WINDOW, *LOST, "--preset", "pandora"), 2, "the types of pandora.tevento.evento differ"),
            ((*WINDOW, "--from", "db2", "--to", "db1", *good), 2, "db3 follows db2"),
            ((*WINDOW, "--from", "db2", "--to", "db3", *good), 2, "db3 is a replica of db2"),
            ((*WINDOW, "--from", "db1", "--to", "db3", *good), 2, "db3 is read-only"),
            ((*WINDOW, "--from", "db1", "--to", "db9", *good), 2, "no node is called 'db9'")):
        outcome = cluster.run("merge", *words)
        assert outcome.code == code and text in outcome.out, (words, outcome.out)
    cluster.db2.sql("SET SESSION sql_log_bin = 0", "DROP TABLE pandora.tagente_datos_string")
    outcome = merge(cluster, "--preset", "pandora")
    assert outcome.code == 2 and "db2 has no table pandora.tagente_datos_string" in outcome.out
    assert not any(contents(cluster.db2, "tagente_datos", TABLES["tagente_datos"]).values())


def test_account_without_a_privilege(cluster):
    split(cluster)
    insert(cluster.db1, "tagente_datos", [(1, 1, BEGIN)])
    cluster.write_config()
    for server in (cluster.db1, cluster.db2):
        server.sql("SET SESSION sql_log_bin = 0",
                   f"GRANT SELECT ON pandora.tagente_datos TO '{MANAGER_USER}'@'%'")
    refused = merge(cluster, "--table", "pandora.tagente_datos:utimestamp")
    assert refused.code == 2 and "db2 lacks INSERT on pandora.tagente_datos" in refused.out, refused.out
    refused = merge(cluster, "--table", "pandora.tevento:utimestamp")
    assert refused.code == 2 and "may not read it" in refused.out, refused.out
    cluster.db2.sql("SET SESSION sql_log_bin = 0",
                    f"GRANT INSERT ON pandora.tagente_datos TO '{MANAGER_USER}'@'%'")
    done = merge(cluster, "--table", "pandora.tagente_datos:utimestamp")
    assert "1 rows of db1 added" in done.out and "lacks TRIGGER" in done.out, done.out


def test_trigger_that_changes_rows_is_found(cluster):
    split(cluster)
    insert(cluster.db1, "tagente_datos", [(1, 1, BEGIN)])
    close(cluster.db1)
    cluster.db2.sql("SET GLOBAL log_bin_trust_function_creators = 1",
                    "CREATE TRIGGER pandora.double_it BEFORE INSERT ON pandora.tagente_datos"
                    " FOR EACH ROW SET NEW.datos = NEW.datos * 2")
    failed = merge(cluster, "--table", "pandora.tagente_datos:utimestamp")
    assert failed.code == 2 and "runs triggers" in failed.out and "double_it" in failed.out, failed.out
    assert not any(contents(cluster.db2, "tagente_datos", TABLES["tagente_datos"]).values())


def test_server_that_goes_in_the_middle(cluster):
    wanted = write_apart(cluster, 3000, seed=5)
    for victim in (cluster.db2, cluster.db1):
        process = cluster.begin("merge", *LOST, *WINDOW, "--preset", "pandora")
        time.sleep(0.3)
        victim.kill()
        out, _ = process.communicate(timeout=60)
        assert process.returncode in (0, 2), out
        victim.start()
        close(cluster.db1)
    cluster.db2.sql("SET GLOBAL read_only = OFF")
    done = merge(cluster, "--preset", "pandora")
    assert done.code == 0, done.out
    assert pandora_rows(cluster.db2) == wanted
