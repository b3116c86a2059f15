# SPDX-License-Identifier: MIT
"""mysql_ha repair, and the handler with --autofix: two writers, or a broken replica, become one primary with
a replica, and no row is lost."""

import contextlib
import http.server
import json
import threading
import time

import pytest

import plugin
from cluster import Cluster, rows
from copying import binlog_command, dump_command, supervised
from interruptions import run_and_kill
from server import REPLICATION_PASSWORD, REPLICATION_USER
from servers import Bench
from writer import ADMIN_PASSWORD, ADMIN_USER

PANDORA = (
    "CREATE DATABASE pandora", "USE pandora",
    "CREATE TABLE tagente (id_agente INT UNSIGNED NOT NULL PRIMARY KEY)",
    "CREATE TABLE tagente_modulo (id_agente_modulo INT UNSIGNED NOT NULL PRIMARY KEY)",
    "CREATE TABLE tagente_datos (id_agente_modulo INT UNSIGNED NOT NULL, datos DOUBLE, utimestamp BIGINT,"
    " KEY (utimestamp))",
    "CREATE TABLE tagente_datos_string (id_agente_modulo INT UNSIGNED NOT NULL, datos MEDIUMTEXT,"
    " utimestamp BIGINT NOT NULL, KEY (utimestamp))",
    "CREATE TABLE tevento (id_evento BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id_agente INT NOT NULL, evento TEXT, utimestamp BIGINT NOT NULL, id_agentmodule INT NOT NULL,"
    " estado TINYINT UNSIGNED NOT NULL DEFAULT 0, id_grupo INT NOT NULL DEFAULT 0, timestamp DATETIME,"
    " event_type VARCHAR(30), id_alert_am INT NOT NULL DEFAULT 0, criticity INT NOT NULL DEFAULT 0,"
    " tags TEXT, source TINYTEXT, id_extra TINYTEXT, id_usuario VARCHAR(255), critical_instructions TEXT,"
    " warning_instructions TEXT, unknown_instructions TEXT, ack_utimestamp BIGINT NOT NULL DEFAULT 0,"
    " custom_data TEXT, data TINYTEXT, module_status INT NOT NULL DEFAULT 0, event_custom_id TINYTEXT,"
    " KEY (utimestamp))",
    "INSERT INTO tagente VALUES (1)", "INSERT INTO tagente_modulo VALUES (1), (2)")
GTID = ["mariadb-gtid", "mysql-gtid"]


@pytest.fixture(scope="module", params=["mariadb-gtid", "mysql-gtid", "mariadb-position", "mysql-position"])
def made(request):
    with Bench() as bench:
        yield Cluster(bench, request.param, 2)


@pytest.fixture
def pair(made):
    """A pair of a primary, db1, and its replica, db2, with tables of Pandora FMS."""
    for server in made.servers:
        if not server.running:
            server.start()
        with contextlib.suppress(Exception):
            server.sql("SET GLOBAL super_read_only = OFF")
        server.sql("SET GLOBAL read_only = OFF", "SET SESSION sql_log_bin = 0",
                   "DROP DATABASE IF EXISTS pandora")
    made.start_over()
    made.write_config(f"dump-command={dump_command(made)}",
                      f"binlog-command={binlog_command(made)}", as_admin=True)
    made.db1.sql(*PANDORA)
    made.insert(1, 2)
    made.catch_up()
    return made


def write(server, value):
    """Write a row for each side: of Pandora's data, of its events, and one of no preset."""
    now = int(time.time())
    server.sql(f"INSERT INTO pandora.tagente_datos VALUES (1, {value}, {now})",
               "INSERT INTO pandora.tevento (id_agente, evento, utimestamp, id_agentmodule)"
               f" VALUES (1, 'event {value}', {now}, 1)",
               f"INSERT INTO shop.item VALUES ({value}, 'x')")


def values(server):
    """Return what Pandora's tables have, sorted: rows that are there twice, too."""
    return (sorted(row["datos"] for row in server.sql("SELECT datos FROM pandora.tagente_datos")),
            sorted(row["evento"] for row in server.sql(
                "SELECT evento FROM pandora.tevento WHERE source IS NULL")))


def split_by_failover(pair):
    """Promote db2 for a dead db1, which comes back and is written to; so is db2."""
    pair.lose(pair.db1)
    outcome = pair.run("failover")
    assert outcome.code == 0, outcome.out
    write(pair.db2, 20)
    pair.db1.start()
    pair.db1.sql("SET GLOBAL read_only = OFF")
    write(pair.db1, 10)
    assert sorted(pair.writers()) == ["db1", "db2"]


def promote_by_hand(pair):
    """Promote db2 as another tool does, while db1 goes on."""
    pair.db2.stop_replication()
    pair.db2.sql(f"RESET {'SLAVE' if pair.flavour == 'mariadb' else 'REPLICA'} ALL",
                 "SET GLOBAL read_only = OFF")


def split_by_hand(pair):
    """Promote db2 by hand, and write to both."""
    promote_by_hand(pair)
    write(pair.db1, 10)
    write(pair.db2, 20)


def repair(pair, *words):
    """Run repair, or what is named, as an operator does whose servers systemd starts again."""
    command = pair.command(*words) if words[:1] == ("handler",) else pair.command("repair", *words)
    with supervised(pair.db1), supervised(pair.db2):
        return plugin.run_raw(command, timeout=120, env=pair.environment)


def assert_repaired(pair, primary, merged=True):
    pair.assert_one_primary(primary)
    other = pair.db1 if primary is pair.db2 else pair.db2
    if merged:
        assert values(primary) == ([10, 20], ["event 10", "event 20"])
    assert values(other) == values(primary)
    saved = [path.read_text() for path in pair.state_dir.glob("mysql/*.extra.sql")]
    lost = 10 if primary is pair.db2 else 20
    assert any(f"event {lost}" in text or "BINLOG" in text for text in saved), saved
    assert lost not in rows(primary)
    assert pair.run("status").code == 0
    assert pair.check("check_mysql_split_brain").code in (0, 1)


def test_split_that_the_journal_tells_of(pair):
    split_by_failover(pair)
    status = pair.run("status")
    assert status.code == 2 and "db1, db2" in status.out, status.out
    before = pair.snapshot()
    planned = pair.run("repair", "--dry-run", "--preset", "pandora")
    assert planned.code == 0, planned.out
    for text in ("keep db2 as the primary", "for db2: journal: run ", "for none: ", "fence         db1",
                 "then resync db1: "):
        assert text in planned.out, planned.out
    assert pair.snapshot() == before
    shown = json.loads(pair.run("repair", "--dry-run", "--output", "json").out)
    assert (shown["winner"], shown["close"], shown["return"][0]["by"]) == ("db2", ["db1"], "resync"), shown
    done = repair(pair, "--preset", "pandora")
    assert done.code == 0, done.out
    for text in ("evidence for db2: journal: ", "close done: db1 is read-only now",
                 "becomes a copy now; its extra transactions are saved in ",
                 "merge done: 2 rows of db1 added to db2", "repair done: db2 is the primary, db1 follows it"):
        assert text in done.out, done.out
    assert_repaired(pair, pair.db2)
    journal = pair.run("journal").out
    for word in ("close", "resync", "rejoin", "merge"):
        assert word in journal, journal
    again = pair.run("repair", "--preset", "pandora")
    assert again.code == 0 and "nothing to repair: db2 is the primary" in again.out, again.out


def test_evidence_that_does_not_decide(pair):
    split_by_hand(pair)
    before = pair.snapshot()
    for words in ((), ("--preset", "pandora")):
        refused = pair.run("repair", *words)
        assert refused.code == 2, refused.out
        assert "db1, db2 accept writes, and no evidence shows which of them to keep" in refused.out
        assert "mysql_ha repair --winner NODE --cluster" in refused.out, refused.out
        assert "evidence for none: transactions: " in refused.out, refused.out
        assert "evidence for none: last write: db1 " in refused.out and "tell" not in refused.out
    handled = pair.run("handler", "--autofix")
    assert handled.code == 2 and "no evidence shows" in handled.out, handled.out
    for name, text in (("db9", "db9 is none of the nodes that accept writes: db1, db2"),):
        refused = pair.run("repair", "--winner", name)
        assert refused.code == 2 and text in refused.out, refused.out
    assert pair.snapshot() == before
    done = repair(pair, "--winner", "db1", "--preset", "pandora")
    assert done.code == 0, done.out
    assert_repaired(pair, pair.db1)


@pytest.mark.parametrize("made", GTID, indirect=True)
def test_containment_needs_no_copy(pair):
    """One that was opened and not written to is closed and follows again; what shows it is that the other
    one has all that it has."""
    promote_by_hand(pair)
    pair.insert(5)
    done = pair.run("repair")
    assert done.code == 0 and "evidence for db1: transactions: db1 has " in done.out, done.out
    assert "copying" not in done.out
    pair.assert_one_primary(pair.db1)


def test_broken_replica_becomes_a_copy(pair):
    pair.break_applier(pair.db2, 7)
    handled = pair.run("handler")
    assert handled.code == 2 and "primary-alive" in handled.out, handled.out
    done = repair(pair)
    assert done.code == 0 and "db2: SQL thread stopped, error 1062" in done.out, done.out
    pair.assert_one_primary(pair.db1)
    assert pair.run("status").code == 0


def test_killed_anywhere_and_repeated(pair):
    """Each run does what the one before has left; rows that were merged are not doubled."""
    split_by_failover(pair)
    with supervised(pair.db1), supervised(pair.db2):
        number = 2
        while run_and_kill(pair, ["repair", "--preset", "pandora"], number, "after"):
            number += 9
    assert number > 9
    done = repair(pair, "--preset", "pandora")
    assert done.code == 0, done.out
    assert_repaired(pair, pair.db2)


def test_loser_that_goes(pair):
    split_by_failover(pair)
    pair.db1.kill()
    refused = pair.run("repair")
    assert refused.code == 2 and "when it answers, run: mysql_ha repair" in refused.out, refused.out
    assert pair.writers() == ["db2"]
    pair.db1.start()
    pair.db1.sql("SET GLOBAL read_only = OFF")
    # It goes when its rows are to be merged.
    command = pair.hook("dying", f"kill -9 {pair.db1.process.pid}\n"
                                 f"exec {binlog_command(pair)} \"$@\"\n")
    failed = pair.run("repair", "--preset", "pandora", "--binlog-command", command)
    assert failed.code == 2 and "repair failed: db2 is the primary, db1 is no replica yet" in failed.out, (
        failed.out)
    assert "to do the rest, run: " in failed.out
    pair.db1.start()
    done = repair(pair, "--preset", "pandora")
    assert done.code == 0, done.out
    assert_repaired(pair, pair.db2)


@contextlib.contextmanager
def webhook():
    """Serve a webhook; yields its URL and the list of the texts that were posted to it."""
    texts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            texts.append(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", texts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_handler_repairs_where_pandora_asks_for_it(pair):
    split_by_failover(pair)
    hosts = ",".join(f"{server.name}={server.host}:{server.port}" for server in pair.servers)
    conf = pair.directory / "pandora_server.conf"
    conf.write_text(f"ha_hosts {hosts}\nha_dbuser {ADMIN_USER}\nha_dbpass {ADMIN_PASSWORD}\n"
                    f"repl_dbuser {REPLICATION_USER}\nrepl_dbpass {REPLICATION_PASSWORD}\n"
                    f"incomingdir {pair.directory}\nsplitbrain_autofix 0\n")
    conf.chmod(0o600)
    (pair.directory / "conf").mkdir()
    pair.config.write_text("\n".join([
        line for line in pair.config.read_text().splitlines()
        if not line.startswith(("node=", "username=", "password=", "repl-"))]
        + [f"pandora-conf={conf}", "preset=pandora", ""]))
    closed = pair.run("handler")
    assert closed.code == 1 and "close done: db1 is read-only now" in closed.out, closed.out
    pair.db1.sql("SET GLOBAL read_only = OFF")
    conf.write_text(conf.read_text().replace("autofix 0", "autofix 1"))
    with webhook() as (url, texts):
        handled = repair(pair, "handler", "--notify-webhook", url, "-t", "120")
    assert handled.code == 0, handled.out
    assert "repair done: db2 is the primary, db1 follows it" in handled.out, handled.out
    assert_repaired(pair, pair.db2)
    assert (pair.directory / "conf/pandora_ha_hosts.conf").read_text() == pair.db2.host
    for text, wanted in zip(texts, ("close done: ", "repair: db1 is read-only and becomes a copy now",
                                    "merge done: ", "db1 is a copy of db2", "repair done: "), strict=True):
        assert text.startswith(wanted), texts


def test_account_that_may_not_copy(pair):
    """The second writer is closed all the same."""
    split_by_failover(pair)
    pair.write_config()
    refused = pair.run("repair")
    assert refused.code == 2 and "lacks privileges" in refused.out, refused.out
    assert pair.writers() == ["db2"]
    assert len(values(pair.db1)[0]) == 1
