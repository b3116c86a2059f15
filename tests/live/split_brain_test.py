# SPDX-License-Identifier: MIT
"""check_mysql_split_brain against real servers: every verdict with its exit code."""

import itertools
import threading

import pytest

import plugin
from cluster import LOGIN, WATCHED_KINDS, Cluster, named, watched
from network import BlackHole, Proxy, SilentListener
from servers import MONITOR_PASSWORD, MONITOR_USER, replicate, wait_until

SPLIT_BRAIN = "check_mysql_split_brain"


def check(servers, *options, **arguments):
    """Run the check over servers; the n-th is named db<n>."""
    return plugin.run(SPLIT_BRAIN, *named(servers), *LOGIN, *options, **arguments)


def numbers(outcome):
    """Return the metrics as {label: number}."""
    return {label: metric.value for label, metric in outcome.perfdata.items()}


@pytest.fixture(params=WATCHED_KINDS)
def cluster(request, bench):
    return watched(bench, request.param)


def test_healthy(cluster):
    outcome = cluster.check(SPLIT_BRAIN)
    count = len(cluster.servers)
    assert outcome.state == "OK", outcome.out
    assert numbers(outcome) == {"nodes": count, "reachable": count, "writable": 1,
                                "errant_transactions": 0, "diverged": 0}
    assert outcome.text.startswith("db1 is the only writer")
    assert len(outcome.lines) == 1 + count


def test_two_writers(cluster):
    cluster.db2.sql("SET GLOBAL read_only = OFF")
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "2 nodes accept writes: db1, db2" in outcome.text
    assert numbers(outcome)["writable"] == 2
    assert cluster.check(SPLIT_BRAIN, "--allow-writers", "2").state == "OK"


def test_no_writer(cluster):
    cluster.db1.sql("SET GLOBAL read_only = ON")
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no writable node" in outcome.text
    assert numbers(outcome)["writable"] == 0


def test_errant_transaction(cluster):
    cluster.insert(100, server=cluster.db2)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 has 1 errant transaction" in outcome.text
    assert numbers(outcome)["errant_transactions"] == 1
    assert numbers(outcome)["diverged"] == 0
    assert cluster.check(SPLIT_BRAIN, "-c", "0").state == "CRITICAL"


def test_errant_transaction_that_later_ones_buried(cluster):
    cluster.insert(100, server=cluster.db2)
    for number in range(5):
        cluster.insert(number)
    cluster.catch_up()
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 has" in outcome.text and "errant" in outcome.text
    assert numbers(outcome)["errant_transactions"] == 1


def test_a_replica_that_is_merely_behind_is_fine(cluster):
    cluster.db2.stop_replication()
    for number in range(3):
        cluster.insert(number)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out


def test_behind_and_errant_while_it_still_receives_is_errant(cluster):
    cluster.db2.stop_replication(thread="SQL")
    cluster.insert(1)
    cluster.insert(100, server=cluster.db2)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert numbers(outcome)["errant_transactions"] == 1


def test_true_divergence(cluster):
    cluster.db2.stop_replication()
    cluster.insert(1)
    cluster.insert(100, server=cluster.db2)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL", outcome.out
    assert "db1 and db2 have diverged" in outcome.text
    assert numbers(outcome)["diverged"] == 2


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid", "mysql-position"])
def test_a_primary_that_has_lost_what_it_wrote(bench, kind, tmp_path):
    cluster = Cluster(bench, kind, 2)
    cluster.insert(1)
    cluster.catch_up()
    cluster.db1.sql(
        "RESET MASTER" if cluster.flavour == "mariadb" else "RESET BINARY LOGS AND GTIDS")
    if cluster.gtid:
        outcome = cluster.check(SPLIT_BRAIN)
        assert outcome.state == "CRITICAL", outcome.out
        assert outcome.text.startswith("db1 has lost 3 transactions that it wrote itself")
        assert numbers(outcome)["errant_transactions"] == 0
    cluster.insert(2)  # MariaDB takes an empty binlog for that of a new primary
    cluster.db2.stop_replication()
    cluster.db2.start_replication()
    cluster.db2.wait_channel(io="No", io_errno=1236 if cluster.flavour == "mariadb" else 13114)
    for number in range(10, 20):  # the same numbers again, and more
        cluster.insert(number)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL", outcome.out
    if cluster.gtid:
        assert outcome.text.startswith("db1 has lost transactions that it had sent to db2")
        assert "db2 holds the only copy: do not rebuild it from db1" in outcome.text
    else:  # a position may be wrong as well
        assert outcome.text.startswith(
            "either db1 has lost transactions, or db2 was given a wrong position (")
        assert "; db2 may hold transactions that db1 lacks: save them before it is rebuilt" in outcome.text
    assert numbers(outcome)["errant_transactions"] == 0
    ready = cluster.check("check_failover_ready", "--fence", "none", "--state-dir", tmp_path)
    assert ready.state == "CRITICAL", ready.out
    assert ("holds the only copy" if cluster.gtid else "may hold transactions that db1 lacks") in ready.text
    assert "an unknown number of transactions would be lost" in ready.text
    status = cluster.manage("status")
    words = "db1 has lost transactions" if cluster.gtid else "either db1 has lost transactions"
    assert f"[CRITICAL] primary-lost: {words}" in status.out


@pytest.mark.parametrize("flavour, option", [("mariadb", "--innodb-force-recovery=5"),
                                             ("mysql", "--innodb-read-only=ON")])
def test_a_server_that_refuses_all_writes_is_no_writer(bench, flavour, option):
    server = bench.new_server(flavour)
    server.start()
    server.create_monitor()
    server.stop()
    server.options = [option]
    server.start()
    outcome = check([server])
    assert outcome.state == "CRITICAL", outcome.out
    said = option.lstrip("-").replace("-", "_").replace("=", " is ")
    assert outcome.text == f"no writable node, db1 takes none: {said}"
    assert numbers(outcome)["writable"] == 0


def test_a_write_proves_what_no_variable_tells(bench):
    cluster = Cluster(bench, "mariadb-gtid", 2)
    table = "shop.beat"
    cluster.db1.sql(f"CREATE TABLE {table} (ts VARCHAR(26) NOT NULL,"
                    " server_id INT UNSIGNED NOT NULL PRIMARY KEY)")
    outcome = cluster.check(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "UNKNOWN", outcome.out
    assert f"run: GRANT SELECT, UPDATE ON `shop`.`beat` TO '{MONITOR_USER}'" in outcome.text
    cluster.db1.sql("SET SESSION sql_log_bin = 0",
                    f"GRANT SELECT, UPDATE ON {table} TO {MONITOR_USER}")
    outcome = cluster.check(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "UNKNOWN" and "has no row of the server; run: INSERT" in outcome.text
    cluster.db1.sql(f"INSERT INTO {table} VALUES ('', {cluster.db1.server_id})")
    outcome = cluster.check(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "OK", outcome.out
    assert cluster.db1.sql(f"SELECT ts FROM {table}")[0]["ts"].startswith("20")
    with cluster.db1.connect() as session, session.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        assert cluster.check(SPLIT_BRAIN).state == "OK", "without the probe nothing tells"
        for name in (SPLIT_BRAIN, "check_failover_ready"):
            outcome = cluster.check(name, "--write-probe", table, "-t", "10")
            assert outcome.state == "CRITICAL" and outcome.seconds < 10.5, outcome.out
            assert f"the write probe of {table} failed" in outcome.text
            assert "Lock wait timeout exceeded" in outcome.text


def test_a_member_that_has_left_its_group(bench):
    port = bench.free_port()
    member = bench.server("mysql", options=[
        "--plugin-load-add=group_replication.so",
        "--loose-group_replication_group_name=aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        f"--loose-group_replication_local_address=127.0.0.1:{port}",
        f"--loose-group_replication_group_seeds=127.0.0.1:{port}",
        "--loose-group_replication_start_on_boot=OFF"])
    member.create_monitor()
    member.sql("RESET BINARY LOGS AND GTIDS", "SET GLOBAL group_replication_bootstrap_group = ON",
               "START GROUP_REPLICATION", timeout=60)
    outcome = check([member])
    assert outcome.state == "OK", outcome.out
    member.sql("STOP GROUP_REPLICATION", timeout=60)
    outcome = check([member])
    assert outcome.state == "CRITICAL", outcome.out
    assert outcome.text == ("no writable node; db1 is not part of its group: its MEMBER_STATE is "
                            "OFFLINE")


def test_a_version_that_an_administrator_chose(bench):
    cluster = Cluster(bench, "mariadb-gtid", 2, options=["--version=8.0.36"])
    assert cluster.db1.value("VERSION()").startswith("8.0.36")
    for name in (SPLIT_BRAIN, "check_mysql_replication_threads"):
        outcome = (cluster.check(name) if name == SPLIT_BRAIN else
                   plugin.run(name, "-H", "127.0.0.1", "-P", cluster.db2.port, *LOGIN))
        assert outcome.state == "OK", outcome.out


def test_histories_are_not_torn_by_writes_between_two_readings(trio):
    # The replicas are read after the writer, which goes on writing: they seem to be ahead of it.
    slow = trio.bench.add(Proxy((trio.db2.host, trio.db2.port), delay_s=0.05))
    slow.name = "db2"
    stop = threading.Event()
    with trio.db1.connect() as session, session.cursor() as cursor:
        def write():
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count(1000)):
                cursor.execute(f"INSERT INTO shop.item (id) VALUES ({number})")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(5):
                outcome = check([trio.db1, slow, trio.servers[2]])
                assert outcome.state == "OK", outcome.out
        finally:
            stop.set()
            writer.join()


def test_ring_with_one_writer_is_a_note(cluster):
    replicate(cluster.db1, cluster.db2, gtid=cluster.gtid)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out
    assert "db1, db2 replicate in a ring" in outcome.text


def test_ring_with_two_writers(cluster):
    replicate(cluster.db1, cluster.db2, gtid=cluster.gtid)
    cluster.db2.sql("SET GLOBAL read_only = OFF")
    outcome = cluster.check(SPLIT_BRAIN, "--allow-writers", "2")
    assert outcome.state == "CRITICAL"
    assert "db1, db2 replicate in a ring and 2 of them accept writes" in outcome.text


def test_duplicate_server_id(cluster):
    *_, other, last = cluster.servers
    last.stop_replication()
    last.sql(f"SET GLOBAL server_id = {other.server_id}")
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    count = len(cluster.servers)
    assert f"db{count - 1}, db{count} share the server_id {other.server_id}" in outcome.text


def test_replica_of_a_server_outside(cluster):
    outcome = check(cluster.servers[1:])
    assert outcome.state == "CRITICAL", "no writer among them"
    assert f"db1 follows 127.0.0.1:{cluster.db1.port}, which is none of the nodes" in outcome.out
    outsider = cluster.bench.server(cluster.flavour)
    replicate(cluster.db2, outsider, "more", gtid=cluster.gtid)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert f"db2 follows 127.0.0.1:{outsider.port}, which is none of the nodes" in outcome.text


def test_green_but_stale(trio):
    # db3 follows db2, whose own replication is gone: Yes, Yes, 0 s behind, and nothing arrives.
    last = trio.servers[2]
    last.stop_replication()
    replicate(last, trio.db2)
    assert trio.check(SPLIT_BRAIN).state == "OK", "a chain is healthy"
    trio.db2.stop_replication()
    outcome = trio.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING"
    assert "db3 follows db2, which gets nothing from a writer" in outcome.text


def test_one_node_down(cluster):
    cluster.db2.kill()
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "WARNING"
    assert "db2 is unreachable" in outcome.text
    assert numbers(outcome)["reachable"] == len(cluster.servers) - 1
    assert cluster.check(SPLIT_BRAIN, "--unreachable", "critical").state == "CRITICAL"
    assert cluster.check(SPLIT_BRAIN, "--unreachable", "ok").state == "OK"


def test_writer_down(cluster):
    cluster.db1.kill()
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no writable node" in outcome.text and "db1 is unreachable" in outcome.text


def test_one_node_hung(cluster):
    cluster.db2.freeze()
    outcome = cluster.check(SPLIT_BRAIN, "-t", "3")
    assert outcome.state == "WARNING"
    assert "db2 does not answer" in outcome.text
    assert outcome.seconds < 3.5
    cluster.db2.thaw()


def test_node_that_hangs_on_the_first_query(cluster):
    proxy = cluster.bench.add(Proxy((cluster.db2.host, cluster.db2.port)))
    proxy.delay_s = 0.7  # greeting, login and answer: too slow for the budget
    outcome = check([cluster.db1, proxy], "-t", "2")
    assert outcome.state == "WARNING", outcome.out
    assert "db2 does not answer" in outcome.text


def test_no_node_reachable(cluster):
    for server in cluster.servers:
        server.kill()
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no node is reachable" in outcome.text
    assert numbers(outcome)["reachable"] == 0


def test_too_many_connections_is_alive(trio):
    trio.db2.sql("SET GLOBAL max_connections = 10")
    held = []
    try:
        with pytest.raises(Exception, match="1040"):
            while True:
                held.append(trio.db2.connect(unix_socket=None, host="127.0.0.1",
                                                 port=trio.db2.port, user=MONITOR_USER,
                                                 password=MONITOR_PASSWORD))
        outcome = trio.check(SPLIT_BRAIN)
    finally:
        for session in held:
            session.close()
    assert outcome.state == "WARNING"
    assert "db2 is alive but refuses connections" in outcome.text
    assert numbers(outcome)["reachable"] == 3


def test_wrong_password_on_one_node_is_never_healthy(trio):
    trio.db2.sql("SET sql_log_bin = 0",
                     f"ALTER USER {MONITOR_USER} IDENTIFIED BY 'another'")
    outcome = trio.check(SPLIT_BRAIN)
    assert outcome.state == "UNKNOWN"
    assert "db2 cannot be read" in outcome.text and "access denied" in outcome.text


def test_missing_privilege_on_one_node_is_never_healthy(trio):
    grant = ("REPLICA MONITOR" if trio.flavour == "mariadb" else "REPLICATION CLIENT") + " ON *.*"
    trio.db2.sql("SET sql_log_bin = 0", f"REVOKE {grant} FROM {MONITOR_USER}")
    outcome = trio.check(SPLIT_BRAIN)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "db2: replication status unknown" in outcome.text
    assert f"GRANT {grant} TO '{MONITOR_USER}'@'%'" in outcome.text


def test_black_holes_and_silence_end_within_the_budget(trio):
    lost = [trio.bench.add(BlackHole()) for _ in range(20)]
    lost += [trio.bench.add(SilentListener()) for _ in range(20)]
    outcome = trio.check(SPLIT_BRAIN, "-t", "3", nodes=lost)
    assert outcome.seconds < 3.5
    assert outcome.state == "WARNING", outcome.out
    assert numbers(outcome)["nodes"] == 43 and numbers(outcome)["reachable"] == 3
    assert numbers(outcome)["writable"] == 1


def test_flavours_may_be_mixed(bench):
    maria = watched(bench, "mariadb-position")
    mysql = bench.server("mysql")
    mysql.create_monitor()
    mysql.sql("SET GLOBAL super_read_only = ON")
    outcome = maria.check(SPLIT_BRAIN, nodes=[mysql])
    # Nothing else is wrong with it.
    assert outcome.state == "WARNING", outcome.out
    assert outcome.text.startswith("db3 follows no server and gets no changes; to make it a replica")
    assert numbers(outcome)["diverged"] == numbers(outcome)["errant_transactions"] == 0


@pytest.mark.parametrize("log_updates", [True, False])
def test_mysql_without_gtids(bench, log_updates):
    options = [] if log_updates else ["--skip-log-replica-updates"]
    cluster = Cluster(bench, "mysql-position", 2, options=options)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out
    assert ("cannot prove that db2 has no writes of its own" in outcome.text) == log_updates
    cluster.insert(100, server=cluster.db2)
    outcome = cluster.check(SPLIT_BRAIN)
    assert outcome.state == ("OK" if log_updates else "WARNING"), outcome.out
    if not log_updates:
        assert "db2 has written transactions of its own" in outcome.text


def test_facts_in_json(trio):
    outcome = plugin.run_raw(
        [plugin.path(SPLIT_BRAIN), *(f"--node={s.name}={s.host}:{s.port}" for s in trio.servers),
         "-u", MONITOR_USER, "-p", MONITOR_PASSWORD, "--output", "json"])
    items = {item["name"]: item["facts"] for item in outcome.json()["items"]}
    assert set(items) == {"db1", "db2", "db3"}
    assert items["db1"]["read_only"] is False and items["db2"]["read_only"] is True
    assert items["db2"]["follows"] == "db1"
    assert items["db1"]["server_id"] == trio.db1.server_id
    column = "gtid_binlog_state" if trio.flavour == "mariadb" else "gtid_executed"
    wait_until(lambda: items["db1"][column] == items["db3"][column])


def test_cluster_file(trio, tmp_path):
    file = tmp_path / "cluster.conf"
    file.write_text("# the cluster\n" + "".join(
        f"node = {s.name}={s.host}:{s.port}\n" for s in trio.servers) +
        f"username = {MONITOR_USER}\npassword = {MONITOR_PASSWORD}\nrepl-username = repl\n"
        "fence = none\n")
    outcome = plugin.run(SPLIT_BRAIN, "--cluster", file)
    assert outcome.state == "OK", outcome.out
    assert "repl-username" not in outcome.out
    assert "keys of no use here: repl-username, fence" in plugin.run(
        SPLIT_BRAIN, "--cluster", file, "-v").out
    # The command line wins.
    assert plugin.run(SPLIT_BRAIN, "--cluster", file, "-p", "wrong").state == "UNKNOWN"


def test_files_of_other_tools(trio, tmp_path):
    pandora = tmp_path / "pandora_server.conf"
    pandora.write_text("servername x\nha_hosts " + ",".join(
        f"{s.host}:{s.port}" for s in trio.servers) +
        f"\nha_dbuser {MONITOR_USER}\nha_dbpass {MONITOR_PASSWORD}\n")
    outcome = plugin.run(SPLIT_BRAIN, "--pandora-conf", pandora)
    assert outcome.state == "OK", outcome.out
    mha = tmp_path / "app1.cnf"
    mha.write_text(f"[server default]\nuser={MONITOR_USER}\npassword={MONITOR_PASSWORD}\n"
                   "log_level=debug\n" + "".join(
                       f"[server{n}]\nhostname={s.host}\nport={s.port}\n"
                       for n, s in enumerate(trio.servers, 1)))
    outcome = plugin.run(SPLIT_BRAIN, "--mha-conf", mha, "-v")
    assert outcome.state == "OK", outcome.out
    assert "keys of no use here: log_level" in outcome.out
