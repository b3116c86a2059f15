# SPDX-License-Identifier: MIT
"""mysql_ha resync: a node whose data are of no use becomes a copy of another one and its replica."""

import contextlib
import signal
import time
from pathlib import Path

import pymysql
import pytest

import plugin
from cluster import GTID_KINDS, changes, rows
from copying import Machines, binlog_command, dump_command, supervised
from interruptions import Pause
from writer import ADMIN_PASSWORD, ADMIN_USER, Writer
from server import MANAGER_PASSWORD, MANAGER_USER
from servers import wait_until

MYSQL_KINDS = ("mysql-gtid", "mysql-position")
HALF = "mysql_ha_half_a_copy"
DUMPED = ("mariadb-gtid", "mariadb-position")


@pytest.fixture
def cluster(shared):
    """A cluster of each kind in turn, managed by an administrator."""
    shared.start_over()
    as_admin(shared)
    return shared


def as_admin(cluster, nodes=None):
    """Write the cluster file with an account that may copy servers."""
    cluster.write_config(f"dump-command={dump_command(cluster)}",
                         f"binlog-command={binlog_command(cluster)}", nodes=nodes, as_admin=True)


def resync(cluster, server, *words):
    """Run resync as an operator does whose servers systemd starts again."""
    with supervised(server):
        outcome = cluster.run("resync", server.name, *words)
    assert outcome.code == 0, outcome.out + server.log_tail()
    return outcome


def content(server):
    """Return everything that a server has, as text."""
    tables = server.sql("SELECT table_schema AS s, table_name AS t, table_type AS k FROM"
                        " information_schema.tables WHERE table_schema NOT IN ('mysql', 'sys',"
                        " 'information_schema', 'performance_schema') ORDER BY 1, 2")
    found = {}
    for row in tables:
        name = f"`{row['s']}`.`{row['t']}`"
        found[name] = (server.sql(f"SHOW CREATE TABLE {name}"),
                       sorted(map(str, server.sql(f"SELECT * FROM {name}"))))
    for kind, text in (("routine", "routine_definition"), ("trigger", "action_statement")):
        found[kind] = sorted(map(str, server.sql(
            f"SELECT {kind}_schema AS s, {kind}_name AS n, {text} AS b FROM"
            f" information_schema.{kind}s WHERE {kind}_schema <> 'sys'")))
    found["accounts"] = sorted(row["user"] + "@" + row["host"] for row in server.sql(
        "SELECT user AS user, host AS host FROM mysql.user"))
    return found


RICH = ("CREATE TABLE shop.`odd name;` (id INT PRIMARY KEY AUTO_INCREMENT, b BLOB, t TEXT CHARACTER SET utf8mb4, "
        "c VARCHAR(50) CHARACTER SET latin1 COMMENT 'a;\\nb')",
        "INSERT INTO shop.`odd name;` (b, t, c) VALUES (X'00ff27225c0a3b', 'line;\\nDELIMITER ;;\\n"
        "\\'quoted\\' \\\\ \U0001f40b', 'caf\u00e9'), (NULL, '', '--')",
        "CREATE VIEW shop.all_notes AS SELECT id, CONCAT(note, ';') AS note FROM shop.item",
        "CREATE PROCEDURE shop.add_one(IN n INT) BEGIN INSERT INTO shop.item VALUES (n, 'p;'); END",
        "CREATE TRIGGER shop.fill BEFORE INSERT ON shop.item FOR EACH ROW "
        "BEGIN IF NEW.note IS NULL THEN SET NEW.note = ';'; END IF; END",
        "CREATE USER 'late'@'%' IDENTIFIED BY 'x'",
        "CREATE DEFINER='late'@'%' EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO "
        "DELETE FROM shop.item WHERE id < 0",
        "CREATE DATABASE `second;one`", "CREATE TABLE `second;one`.t (id INT PRIMARY KEY)")


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_interrupted_while_it_clones(cluster):
    """What is left of the node is nobody's replica, until another copy is whole. The first on new
    servers: those that were copied before end now and then while they are copied again."""
    cluster.db1.sql("CREATE TABLE shop.big (id INT PRIMARY KEY AUTO_INCREMENT, b LONGTEXT)",
                    *(f"INSERT INTO shop.big (b) VALUES (REPEAT('{n}', 4000000))" for n in range(9)))
    cluster.catch_up()
    for server in cluster.servers:
        # A copy of before may have brought it.
        if not server.sql("SELECT 1 FROM information_schema.plugins WHERE plugin_name = 'clone'"):
            server.sql("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")
        server.sql("SET GLOBAL clone_max_data_bandwidth = 1",
                   "SET GLOBAL clone_autotune_concurrency = OFF", "SET GLOBAL clone_max_concurrency = 1")

    def copies():
        with contextlib.suppress(pymysql.err.OperationalError):  # It starts again after a whole copy.
            return cluster.db2.sql("SELECT 1 FROM performance_schema.clone_progress"
                                   " WHERE stage = 'FILE COPY' AND state = 'In Progress'")
        return None

    def outcome():
        with contextlib.suppress(pymysql.err.OperationalError):
            states = cluster.db2.sql("SELECT state AS state FROM performance_schema.clone_status")
            return next((row["state"] for row in states if row["state"] != "In Progress"), None)
        return None

    for _ in range(10):
        process = cluster.begin("resync", "db2")
        with supervised(cluster.db2):
            wait_until(lambda p=process: p.poll() is not None or copies())
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
            # A copy that was whole before it could be interrupted ends the server, perhaps only now.
            if wait_until(outcome, 60, "the end of the clone") == "Failed":
                break
    assert process.returncode == 2 and "asked to stop" in out and "no complete copy" in out, (
        out + cluster.db2.log_tail())
    refused = cluster.run("rejoin", "db2")
    assert refused.code == 2, refused.out + cluster.db2.log_tail()
    for server in cluster.servers:
        server.sql("SET GLOBAL clone_max_data_bandwidth = 0")
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)
    assert not persisted(cluster.db2)


def test_diverged_old_primary_becomes_a_copy(cluster):
    cluster.db1.sql(*RICH)
    cluster.insert(1)
    cluster.catch_up()
    cluster.lose(cluster.db1)
    assert cluster.run("failover").code == 0
    new = next(server for server in cluster.servers[1:] if cluster.writers() == [server.name])
    cluster.insert(2, 3, server=new)
    cluster.db1.start()
    cluster.db1.sql("SET GLOBAL event_scheduler = ON")
    cluster.insert(77, server=cluster.db1)
    cluster.db1.sql("CREATE DATABASE only_here", "CREATE TABLE only_here.t (id INT)")
    refused = cluster.run("rejoin", "db1")
    assert refused.code == 2 and "run: mysql_ha resync db1" in refused.out, refused.out
    outcome = resync(cluster, cluster.db1)
    cluster.assert_one_primary(new)
    assert rows(cluster.db1) == {1, 2, 3}
    assert content(cluster.db1) == content(new)
    event, = cluster.db1.sql("SELECT event_name AS name, status AS state, definer AS definer FROM"
                             " information_schema.events")
    assert (event["name"], event["definer"]) == ("tick", "late@%") and event["state"] != "ENABLED"
    assert cluster.db1.value("@@GLOBAL.event_scheduler") == "ON"
    assert any("77" in path.read_text() for path in cluster.state_dir.glob("mysql/*.extra.sql"))
    assert not list(cluster.state_dir.glob("**/*.copy*"))
    assert cluster.run("status").code == 0
    number, _ = cluster.journals()[-2]  # before that of the return
    shown = cluster.run("journal", "show", number).out
    assert "its data are replaced by the copy" in shown and "db1 is a copy of" in shown, shown
    # It is a replica like any other.
    cluster.lose(new)
    assert cluster.run("journal", "ack").code == 0
    outcome = cluster.run("failover", "--prefer", "db1")
    assert outcome.code == 0 and cluster.writers() == ["db1"], outcome.out


def test_replica_whose_applier_has_failed(cluster):
    """With GTIDs the primary is spared: another replica is copied."""
    cluster.insert(1)
    cluster.catch_up()
    cluster.db2.sql("SET SESSION sql_log_bin = 0", "INSERT INTO shop.item VALUES (2, 'too early')")
    cluster.insert(2, 3)
    cluster.db2.wait_channel(sql="No")
    outcome = resync(cluster, cluster.db2)
    assert f"copying {'db3' if cluster.gtid else 'db1'} to db2" in outcome.out
    cluster.assert_one_primary(cluster.db1)
    assert cluster.run("status").code == 0


def test_primary_of_two_is_copied_under_writes(cluster):
    cluster.db3.kill()
    as_admin(cluster, nodes=2)
    with Writer(cluster) as writer:
        writer.wait_for(50)
        cluster.db2.stop_replication()
        writer.wait_for(50)
        resync(cluster, cluster.db2, "--from", "db1")
        writer.wait_for(50)
    cluster.assert_one_primary(cluster.db1)
    assert writer.numbers <= rows(cluster.db2)


def test_new_server_joins(cluster):
    """One that has never heard of the others, with nothing but the accounts."""
    cluster.insert(1)
    cluster.catch_up()
    cluster.db3.start_over()
    resync(cluster, cluster.db3)
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("shared", ["mysql-gtid", "mysql-position"], indirect=True)
def test_mysql_by_dump(cluster):
    cluster.db1.sql(*RICH)
    cluster.insert(1)
    cluster.catch_up()
    cluster.insert(77, server=cluster.db2)
    outcome = resync(cluster, cluster.db2, "--method", "dump")
    assert "by dump" in outcome.out
    cluster.assert_one_primary(cluster.db1)
    assert content(cluster.db2) == content(cluster.db1)


def test_tables_that_are_not_innodb(cluster):
    """Clone would leave them empty; a dump without a lock would not be of one moment."""
    cluster.db1.sql("CREATE TABLE shop.old (id INT PRIMARY KEY) ENGINE=MyISAM",
                    "INSERT INTO shop.old VALUES (1), (2)")
    cluster.catch_up()
    refused = cluster.run("resync", "db2", "--method", "clone")
    assert refused.code == 2, refused.out
    assert ("1 tables of" if cluster.flavour == "mysql" else "can be cloned") in refused.out
    # Nothing was touched but that it was closed.
    cluster.assert_one_primary(cluster.db1)
    outcome = resync(cluster, cluster.db2, "--from", "db1")
    assert "1 tables are not InnoDB tables: clients that write to db1 wait" in outcome.out
    cluster.assert_one_primary(cluster.db1)
    assert len(cluster.db2.sql("SELECT * FROM shop.old")) == 2


def test_what_only_a_replica_has_is_saved(cluster):
    cluster.insert(1)
    cluster.catch_up()
    cluster.insert(77, 78, server=cluster.db2)
    outcome = resync(cluster, cluster.db2)
    assert "save-extra db2: 2 transactions saved" in outcome.out
    cluster.assert_one_primary(cluster.db1)
    saved, = cluster.state_dir.glob("mysql/*.extra.sql")
    assert "77" in saved.read_text() and "78" in saved.read_text()


def test_discard(cluster):
    cluster.insert(77, server=cluster.db2)
    outcome = resync(cluster, cluster.db2, "--surplus", "discard", "--binlog-command", "false")
    assert "save-extra" not in outcome.out
    cluster.assert_one_primary(cluster.db1)


def test_nothing_is_copied_when_the_extra_transactions_cannot_be_saved(cluster):
    cluster.insert(77, server=cluster.db2)
    refused = cluster.run("resync", "db2", "--binlog-command", "false")
    assert refused.code == 2 and "save-extra db2: false exited with 1" in refused.out, refused.out
    assert 77 in rows(cluster.db2) and len(cluster.db2.channels()) == 1


@pytest.mark.parametrize("shared", ["mariadb-gtid", "mariadb-position"], indirect=True)
def test_mariabackup(cluster):
    cluster.db1.sql(*RICH)
    cluster.insert(1)
    cluster.catch_up()
    cluster.insert(77, server=cluster.db2)
    source = cluster.db3 if cluster.gtid else cluster.db1
    with Writer(cluster), Machines(cluster, source, cluster.db2) as machines:
        outcome = cluster.run("resync", "db2", "--copy-command", machines.command)
    assert outcome.code == 0 and "by command" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)
    assert content(cluster.db2) == content(cluster.db1)
    assert sorted(path.name for path in (cluster.directory / "bin").iterdir()) == [
        "mariabackup", "ssh", "systemctl"]
    assert not Path(f"{cluster.db2.datadir}.new").exists()


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_mariabackup_that_lacks_rows(cluster):
    cluster.insert(*range(1, 6))
    cluster.catch_up()
    with Machines(cluster, cluster.db3, cluster.db2) as machines:
        command = cluster.hook("lossy", f"end=$({machines.command}) || exit\n"
                               f"until mariadb --no-defaults -uroot --socket={cluster.db2.socket} -e "
                               "'SET sql_log_bin=0; DELETE FROM shop.item WHERE id > 3'; do sleep 0.1; done >&2\n"
                               'echo "$end"\n')
        outcome = cluster.run("resync", "db2", "--copy-command", command)
    assert outcome.code == 2, outcome.out
    assert "`shop`.`item` has 3 rows, db3 has 5 rows" in outcome.out, outcome.out
    assert half_copied(cluster, cluster.db2)
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("body, reason", [
    ("exit 3", "exited with 3"), ("echo done", "does not print FILE POSITION"),
    ("echo binlog.000001 4", "has not replaced the data of db2")])
@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_command_that_does_not_copy(cluster, body, reason):
    """How it replicated is not forgotten with what it had."""
    as_admin(cluster, nodes=2)
    cluster.db2.stop_replication()
    cluster.db2.sql("RESET SLAVE ALL")
    cluster.db2.change_source(cluster.db1.host, cluster.db1.port, "east")
    cluster.db2.start_replication("east")
    cluster.db2.wait_channel("east", io="Yes", sql="Yes")
    outcome = cluster.run("resync", "db2", "--copy-command", cluster.hook("copy", body))
    assert outcome.code == 2 and reason in outcome.out, outcome.out
    assert "db2 holds no complete copy" in outcome.out and half_copied(cluster, cluster.db2)
    resync(cluster, cluster.db2)
    cluster.db2.wait_channel("east", io="Yes", sql="Yes")
    assert [channel.name for channel in cluster.db2.channels()] == ["east"]
    cluster.db2.sql("STOP SLAVE 'east'", "RESET SLAVE 'east' ALL")


@pytest.mark.parametrize("shared", DUMPED, indirect=True)
def test_a_copy_is_copied(cluster):
    """Its binlog begins anew, so that it tells nothing of the transactions before."""
    cluster.db1.sql("SET SESSION gtid_domain_id = 7", "INSERT INTO shop.item VALUES (1, '')")
    cluster.catch_up()
    resync(cluster, cluster.db3)
    if not cluster.gtid:
        assert cluster.run("switchover", "--to", "db3").code == 0
    resync(cluster, cluster.db2, "--from", "db3")
    primary = cluster.db1 if cluster.gtid else cluster.db3
    copied, copy = (server.value("@@gtid_slave_pos") for server in (cluster.db3, cluster.db2))
    assert copy.startswith(copied[:3]) and "7-" in copy
    cluster.insert(2, server=primary)
    cluster.assert_one_primary(primary)


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_history_of_tables(cluster):
    cluster.db1.sql("CREATE TABLE shop.past (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
                    "INSERT INTO shop.past VALUES (1)", "UPDATE shop.past SET id = 2")
    cluster.catch_up()
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)
    query = "SELECT id, row_start, row_end FROM shop.past FOR SYSTEM_TIME ALL ORDER BY id"
    assert cluster.db2.sql(query) == cluster.db1.sql(query) and len(cluster.db2.sql(query)) == 2


# What goes wrong on the way

def half_copied(cluster, server):
    return bool(server.sql(f"SHOW DATABASES LIKE '{HALF}'"))


def broken_dump(cluster, body):
    """Write a program in place of mysqldump: `body` finds the true one's words in "$@"."""
    return cluster.hook("dump", f"set -- {dump_command(cluster)} \"$@\"\n{body}")


@pytest.mark.parametrize("body, words", [
    ("exit 2", "exited with 2"), ("echo kaputt >&2; exit 1", "kaputt"),
    ("echo 'SELECT 1;'", "the dump does not show the binlog position"), ("kill -9 $$", "signal 9")])
@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_dump_that_fails_changes_nothing(cluster, body, words):
    cluster.insert(1)
    cluster.catch_up()
    before = cluster.snapshot(strict=False)
    outcome = cluster.run("resync", "db2", "--dump-command", broken_dump(cluster, body))
    assert outcome.code == 2 and words in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot(strict=False))
    cluster.assert_one_primary(cluster.db1)
    assert not list(cluster.state_dir.glob("**/*.copy*"))


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_full_disk(cluster):
    cluster.insert(1)
    cluster.catch_up()
    # As dash has it, in blocks of 512 bytes.
    outcome = cluster.run("resync", "db2", "--dump-command",
                          broken_dump(cluster, 'trap "" XFSZ; ulimit -f 100; exec "$@"'))
    assert outcome.code == 2 and "dump" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("shared", DUMPED, indirect=True)
def test_ended_while_it_dumps(cluster, number):
    """The dump ends too, with what it has started, however it was ended; the next one cleans up."""
    cluster.insert(1)
    cluster.catch_up()
    pause = Pause(cluster, "sleep 1000 & echo $$ $! > $0.pids")
    process = cluster.begin("resync", "db2", "--dump-command", pause.command)
    pause.wait()
    pids = Path(f"{pause.command}.pids").read_text().split()
    process.send_signal(number)
    out, _ = process.communicate(timeout=10)
    if number != signal.SIGKILL:
        assert process.returncode == 2 and "asked to stop" in out, out
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="it to end")
    left = list(cluster.state_dir.glob("**/*.copy*"))
    assert any(ADMIN_PASSWORD in path.read_text() for path in left) == (number == signal.SIGKILL)
    cluster.assert_one_primary(cluster.db1)
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)
    assert not list(cluster.state_dir.glob("**/*.copy*"))


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_password_file_of_a_rejoin_that_was_killed(cluster):
    cluster.lose(cluster.db1)
    assert cluster.run("failover").code == 0
    cluster.db1.start()
    cluster.insert(77, server=cluster.db1)
    pause = Pause(cluster, "echo $$ > $0.pid")
    process = cluster.begin("rejoin", "db1", "--binlog-command", pause.command)
    pause.wait()
    process.kill()
    process.communicate()
    left, = cluster.state_dir.glob("mysql/*.cnf")
    assert ADMIN_PASSWORD in left.read_text()
    pid = Path(f"{pause.command}.pid").read_text().strip()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the program to end")
    refused = cluster.run("rejoin", "db1")
    assert refused.code == 2, refused.out
    assert not list(cluster.state_dir.glob("mysql/*.cnf"))


# A copy that is none

# One flavour writes all rows into one line, the other one into many.
NO_ROWS = "\"$@\" | perl -0777 -pe 's/INSERT INTO .item. .*?;\\n//s'"


@pytest.mark.parametrize("body, reason", [
    (NO_ROWS, "`shop`.`item` has 0 rows, db3 has 500 rows"),
    ("\"$@\" | perl -0777 -pe 's/(INSERT INTO .item. .*?;\\n)/"
     "$_ = $1; s{,\\n?\\(1\\d*,[^)]*\\)}{}g; $_/se'", "`shop`.`item` has 389 rows"),
    ('"$@" --ignore-table=shop.item', "`shop`.`item` is missing, db3 has 500 rows")])
@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_dump_that_lacks_rows(cluster, body, reason):
    """It comes to its end, and the program says that all is well."""
    cluster.db1.sql("INSERT INTO shop.item VALUES " + ",".join(f"({n}, 'x')" for n in range(500)))
    cluster.catch_up()
    words = ("--method", "dump", "--from", "db3")
    outcome = cluster.run("resync", "db2", *words, "--dump-command", broken_dump(cluster, body))
    assert outcome.code == 2, outcome.out
    assert f"it is no complete copy of db3: {reason}" in outcome.out, outcome.out
    assert "db2 holds no complete copy; run this again" in outcome.out and half_copied(cluster, cluster.db2)
    refused = cluster.run("rejoin", "db2")
    assert refused.code == 2 and "no complete copy" in refused.out, refused.out
    resync(cluster, cluster.db2, *words)
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_dump_that_lacks_rows_under_writes(cluster):
    """And one that lacks none is a copy, though the source has other rows when it is compared."""
    with Writer(cluster) as writer:
        writer.wait_for(500)
        outcome = cluster.run("resync", "db2", "--method", "dump", "--from", "db1", "--dump-command",
                              broken_dump(cluster, NO_ROWS))
        assert outcome.code == 2 and "`shop`.`item` has 0 rows" in outcome.out, outcome.out
        writer.wait_for(100)
        outcome = resync(cluster, cluster.db2, "--method", "dump", "--from", "db1")
    assert "compared with db1: the rows of" in outcome.out, outcome.out
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_contents_that_differ(cluster):
    cluster.db1.sql("INSERT INTO shop.item VALUES (1, 'one'), (2, 'two')")
    cluster.catch_up()
    changed = broken_dump(cluster, "\"$@\" | sed \"s/'two'/'too'/\"")
    words = ("--method", "dump", "--from", "db3")
    # A table that was written in the last two seconds is not compared: it may have been meanwhile.
    wait_until(lambda: cluster.db3.sql(
        "SELECT 1 FROM information_schema.tables WHERE table_name = 'item' AND"
        " update_time < NOW() - INTERVAL 2 SECOND"), what="it to be still")
    for depth in ("full", "sample"):
        outcome = cluster.run("resync", "db2", *words, "--dump-command", changed, "--verify", depth)
        assert outcome.code == 2, outcome.out
        assert "`shop`.`item` has other contents than db3's" in outcome.out, outcome.out
    outcome = cluster.run("resync", "db2", *words, "--dump-command", changed, "--verify", "none")
    assert outcome.code == 0 and "compared" not in outcome.out, outcome.out
    outcome = resync(cluster, cluster.db2, *words, "--verify", "full")
    assert cluster.db2.sql("SELECT note FROM shop.item ORDER BY id") == [{"note": "one"}, {"note": "two"}]
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_dump_that_is_cut_off(cluster):
    """Nothing of the node is touched."""
    cluster.insert(*range(1, 50))
    cluster.catch_up()
    cut = broken_dump(cluster, '"$@" | head -c 20000')
    before = cluster.snapshot(strict=False)
    outcome = cluster.run("resync", "db2", "--dump-command", cut)
    assert outcome.code == 2 and "the dump is not complete" in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot(strict=False))


@pytest.mark.parametrize("method", ["dump", "clone"])
@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_account_that_may_not_copy(cluster, method):
    """It would copy what it sees. The GRANTs that the refusals name are enough."""
    if method == "clone" and cluster.flavour == "mariadb":
        return
    cluster.insert(1, 2)
    cluster.db1.sql("CREATE EVENT shop.tick ON SCHEDULE EVERY 1 DAY DO DELETE FROM shop.item WHERE id < 0",
                    "CREATE USER 'copier'@'%' IDENTIFIED BY 'copier-secret'", *(
                        f"GRANT {grant} TO 'copier'@'%'" for grant in cluster.db1.manager_grants),
                    "GRANT ALL ON shop.* TO 'copier'@'%'")
    cluster.catch_up()
    before = cluster.snapshot()
    words = ("db2", "--method", method, "--username", "copier", "--password", "copier-secret",
             "--fence", "none")
    granted = []
    with supervised(cluster.db2):
        while (outcome := cluster.run("resync", *words)).code == 2 and len(granted) < 3:
            assert "does not see everything" in outcome.out, outcome.out
            assert not changes(before, cluster.snapshot())
            granted.append(outcome.out.split("run there: ")[1].split("\n")[0])
            cluster.db1.sql(granted[-1])
            cluster.catch_up()
            before = cluster.snapshot()
    assert outcome.code == 0 and granted and "SELECT" in granted[0], outcome.out
    cluster.assert_one_primary(cluster.db1)
    assert rows(cluster.db2) == {1, 2}
    cluster.db1.sql("DROP USER 'copier'@'%'")
    cluster.catch_up()


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_account_that_may_copy_by_a_role(cluster):
    cluster.insert(1)
    mysql = cluster.flavour == "mysql"
    cluster.db1.sql("CREATE ROLE copying", "GRANT ALL ON *.* TO copying",
                    "CREATE USER 'copier'@'%' IDENTIFIED BY 'copier-secret'",
                    "GRANT copying TO 'copier'@'%'", "SET DEFAULT ROLE copying " +
                    ("TO" if mysql else "FOR") + " 'copier'@'%'")
    cluster.catch_up()
    resync(cluster, cluster.db2, "--username", "copier", "--password", "copier-secret", "--method", "dump")
    cluster.assert_one_primary(cluster.db1)
    cluster.db1.sql("DROP USER 'copier'@'%'", "DROP ROLE copying")
    cluster.catch_up()


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_account_from_which_a_database_is_taken(cluster):
    for server in cluster.servers:
        server.sql("SET GLOBAL partial_revokes = ON")
    cluster.db1.sql(f"REVOKE SELECT ON shop.* FROM '{ADMIN_USER}'@'%'")
    cluster.catch_up()
    before = cluster.snapshot()
    outcome = cluster.run("resync", "db2")
    assert outcome.code == 2 and "partial_revokes: REVOKE SELECT ON `shop`.*" in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot())
    cluster.db1.sql(f"GRANT SELECT ON shop.* TO '{ADMIN_USER}'@'%'")
    cluster.catch_up()
    for server in cluster.servers:
        server.sql("SET GLOBAL partial_revokes = OFF")


@pytest.mark.parametrize("shared", DUMPED, indirect=True)
def test_a_copy_knows_all_who_have_written(cluster):
    """Its binlog begins anew, but a former primary has nothing that it lacks."""
    cluster.insert(1)
    cluster.catch_up()
    assert cluster.run("switchover", "--to", "db2").code == 0
    cluster.insert(2, server=cluster.db2)
    resync(cluster, cluster.db3)
    assert cluster.run("switchover", "--to", "db3").code == 0
    cluster.insert(3, server=cluster.db3)
    cluster.wait_until_all_follow(cluster.db3)
    outcome = cluster.run("status")
    assert outcome.code == 0 and "errant" not in outcome.out, outcome.out
    outcome = plugin.run_raw([plugin.path("check_mysql_split_brain"), "--cluster", cluster.config])
    assert outcome.code == 0, outcome.out
    states = {server.value("@@gtid_binlog_state").count("-") for server in cluster.servers}
    assert states == {6}
    assert cluster.run("switchover", "--to", "db1").code == 0
    cluster.insert(4)
    cluster.assert_one_primary(cluster.db1)


def sleepers(server):
    """Return the ids of the connections that sleep for long."""
    with contextlib.suppress(pymysql.err.OperationalError):  # The node's clients are turned away.
        return [row["Id"] for row in server.sql("SHOW PROCESSLIST")
                if "SLEEP(1000)" in str(row["Info"])]
    return []


@pytest.mark.parametrize("shared", DUMPED, indirect=True)
def test_half_a_copy_never_replicates(cluster):
    """The tool is killed while it loads: the node is marked until it is whole."""
    cluster.insert(*range(1, 6))
    cluster.catch_up()
    cut = broken_dump(cluster, '"$@" >$0.sql\nsed "/^INSERT INTO .item./q" $0.sql | head -n -1\n'
                               "printf 'SELECT SLEEP(1000);\n-- Dump completed\n'")
    process = cluster.begin("resync", "db2", "--dump-command", cut)
    wait_until(lambda: sleepers(cluster.db2), what="the load to be half done")
    process.kill()
    process.communicate()
    assert half_copied(cluster, cluster.db2)
    cluster.db2.sql(*(f"KILL {number}" for number in sleepers(cluster.db2)))
    refused = cluster.run("rejoin", "db2")
    assert refused.code == 2, refused.out
    assert "db2 holds no complete copy; run: mysql_ha resync db2" in refused.out
    # With an account that sees no databases, too.
    refused = cluster.run("rejoin", "db2", "--username", MANAGER_USER, "--password",
                          MANAGER_PASSWORD)
    assert refused.code == 2 and "holds no complete copy" in refused.out, refused.out
    # Another manager, which knows no more than what the server shows.
    refused = cluster.run("rejoin", "db2", "--state-dir", cluster.directory / "other")
    assert refused.code == 2 and "holds no complete copy" in refused.out, refused.out
    # The others go on without it, whatever happens.
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover", "--prefer", "db2")
    assert outcome.code in (0, 1) and cluster.writers() == ["db3"], outcome.out
    cluster.db1.start()
    assert cluster.run("rejoin", "db1").code == 0
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db3)
    assert not half_copied(cluster, cluster.db2)


def begin_and_pause(cluster, server, *words):
    """Begin to copy by a dump, and stop when that is written; return (process, the pause)."""
    pause = Pause(cluster, dump_command(cluster) + ' "$@" || exit')
    process = cluster.begin("resync", server.name, "--method", "dump", *words, "--dump-command",
                            pause.command)
    pause.wait()
    return process, pause


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_primary_dies_while_it_is_copied(cluster):
    """Nobody waits for the copy with the failover, and the copy follows the new primary."""
    cluster.insert(1, 2)
    cluster.catch_up()
    servers = (cluster.db2, cluster.db3)
    for server in servers:
        server.sql("SET GLOBAL wait_timeout = 1")
    process, pause = begin_and_pause(cluster, cluster.db2)
    for server in servers:
        server.sql("SET GLOBAL wait_timeout = 28800")
    cluster.lose(cluster.db1)
    time.sleep(1.5)  # A session of ours that is idle for so long is ended, unless it says otherwise.
    outcome = cluster.run("failover", "--never", "db2")
    assert outcome.code == 0 and cluster.writers() == ["db3"], outcome.out
    cluster.insert(3, server=cluster.db3)
    pause.release()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    cluster.assert_one_primary(cluster.db3)


def test_node_is_promoted_while_it_waits_for_its_copy(cluster):
    """Until the dump is written it is a replica like the others."""
    cluster.insert(1, 2)
    cluster.catch_up()
    process, pause = begin_and_pause(cluster, cluster.db2)
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    cluster.insert(3, server=cluster.db2)
    pause.release()
    out, _ = process.communicate(timeout=60)
    # A program that copies the former primary loses contact when its clients are turned away.
    reason = "Lost connection" if cluster.kind == "mariadb-position" else "accepts writes again"
    assert process.returncode == 2 and reason in out, out
    cluster.assert_one_primary(cluster.db2)
    assert rows(cluster.db2) == {1, 2, 3}


def test_node_is_written_to_while_it_waits_for_its_copy(cluster):
    """By an administrator, whom read_only does not stop: what was saved before is not all any more."""
    cluster.insert(1)
    cluster.catch_up()
    cluster.db2.stop_replication(thread="SQL")
    process, pause = begin_and_pause(cluster, cluster.db2)
    cluster.db2.sql("SET GLOBAL super_read_only = OFF" if cluster.flavour == "mysql" else "DO 0",
                    "INSERT INTO shop.item VALUES (77, '')")
    pause.release()
    out, _ = process.communicate(timeout=60)
    numbered = cluster.kind != "mysql-position"  # It cannot tell.
    assert process.returncode == (2 if numbered else 0), out
    assert ("has written since it was probed" in out) == numbered, out
    if numbered:
        cluster.db2.wait_channel(io="Yes", sql="No")  # as it was
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)
    if numbered:
        assert any("77" in path.read_text() for path in cluster.state_dir.glob("mysql/*.extra.sql"))


@pytest.mark.parametrize("method", ["dump", "clone"])
@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_what_fails_before_anything_is_lost_is_put_back(cluster, method):
    cluster.insert(1)
    cluster.catch_up()
    cluster.db2.sql("SET GLOBAL event_scheduler = ON")
    Path(cluster.db2.datadir, HALF).mkdir()  # so that there can be no mark
    before = cluster.snapshot(strict=False)
    outcome = cluster.run("resync", "db2", "--method", method)
    assert outcome.code == 2 and "no complete copy" not in outcome.out, outcome.out
    cluster.db2.wait_channel(io="Yes", sql="Yes")
    after = cluster.snapshot(strict=False)
    # It was closed first, and the plugin installed.
    assert not [key for _, key in changes(before, after)
                if key != "super_read_only" and not key.startswith("clone_")]
    assert not list(cluster.state_dir.glob("**/*.copying"))
    Path(cluster.db2.datadir, HALF).rmdir()
    cluster.insert(2)
    cluster.assert_one_primary(cluster.db1)
    assert "follows db1 already" in cluster.run("rejoin", "db2").out


@pytest.mark.parametrize("shared", MYSQL_KINDS, indirect=True)
def test_nothing_starts_a_cloned_server_again(cluster):
    cluster.insert(1)
    cluster.catch_up()
    process = cluster.begin("resync", "db2")
    wait_until(lambda: not cluster.db2.running, what="db2 to stop")
    time.sleep(1)
    assert process.poll() is None
    cluster.db2.start()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "if no other program starts it, start it by hand" in out, out
    cluster.assert_one_primary(cluster.db1)
    assert not persisted(cluster.db2)


def persisted(server):
    return server.sql("SELECT * FROM performance_schema.persisted_variables")


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_clone_that_fails(cluster):
    """An earlier clone was completed: that one does not count."""
    cluster.insert(1)
    cluster.catch_up()
    resync(cluster, cluster.db2)
    cluster.db3.sql("SET GLOBAL max_allowed_packet = 1048576")
    outcome = cluster.run("resync", "db2", "--from", "db3")
    assert outcome.code == 2 and "max_allowed_packet" in outcome.out, outcome.out
    assert "super_read_only" in str(persisted(cluster.db2))
    refused = cluster.run("rejoin", "db2")
    assert refused.code == 2 and "no complete copy" in refused.out, refused.out
    resync(cluster, cluster.db2, "--from", "db1")
    cluster.assert_one_primary(cluster.db1)
    assert not persisted(cluster.db2)
    cluster.db3.sql("SET GLOBAL max_allowed_packet = DEFAULT")


@pytest.mark.parametrize("shared", ["mysql-gtid"], indirect=True)
def test_donor_that_may_not_be_cloned(cluster):
    cluster.db3.sql("SET SESSION sql_log_bin = 0", f"REVOKE BACKUP_ADMIN ON *.* FROM '{ADMIN_USER}'@'%'")
    before = cluster.snapshot()
    outcome = cluster.run("resync", "db2", "--from", "db3")
    assert outcome.code == 2 and "GRANT BACKUP_ADMIN ON *.*" in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot())
    cluster.db3.sql("SET SESSION sql_log_bin = 0", f"GRANT BACKUP_ADMIN ON *.* TO '{ADMIN_USER}'@'%'")


@pytest.mark.parametrize("words, reason", [
    (["db1"], "no other node accepts writes"),
    (["db9"], "no node is called 'db9'"),
    (["db2", "--from", "db2"], "cannot be a copy of itself"),
    (["db2", "--from", "db9"], "no node is called 'db9'"),
    (["db2", "--from", "db3"], "does not replicate from db1"),
    (["db2", "--method", "clone"], "can be cloned"),
    (["db2", "--method", "command"], "give --copy-command")])
@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_refused(cluster, words, reason):
    cluster.db3.stop_replication(thread="SQL")
    before = cluster.snapshot()
    outcome = cluster.run("resync", *words)
    assert outcome.code == 2 and reason in outcome.out, outcome.out
    assert not changes(before, cluster.snapshot())


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_one_at_a_time(cluster):
    """Of one state directory, and of two managers that copy to one node."""
    process, pause = begin_and_pause(cluster, cluster.db2)
    for node, words, reason in (("db3", (), "another one is at work"),
                                ("db2", ("--state-dir", cluster.directory / "other"),
                                 "another client or run copies to it"),
                                ("db2", ("--state-dir", cluster.directory / "other",
                                         "--cluster-name", "other"), "another client or run copies to it")):
        refused = cluster.run("resync", node, *words)
        assert refused.code == 2 and reason in refused.out, refused.out
    pause.release()
    process.communicate(timeout=60)
    cluster.assert_one_primary(cluster.db1)


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_one_at_a_time_while_the_node_restarts(cluster):
    """The server has forgotten who copies to it; the primary has not."""
    pause = Pause(cluster)
    process = cluster.begin("resync", "db2", "--copy-command", pause.command)
    pause.wait()
    cluster.db2.kill()
    cluster.db2.start()
    cluster.db2.sql("SET GLOBAL read_only = ON")
    before = cluster.snapshot(strict=False)
    for command in ("resync", "rejoin"):
        refused = cluster.run(command, "db2", "--state-dir", cluster.directory / "other",
                              "--cluster-name", "other")
        assert refused.code == 2 and "another client or run copies to it" in refused.out, refused.out
    assert not changes(before, cluster.snapshot(strict=False))
    pause.release()
    process.communicate(timeout=60)
    resync(cluster, cluster.db2)
    cluster.assert_one_primary(cluster.db1)
