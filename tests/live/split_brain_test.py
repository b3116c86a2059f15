# SPDX-License-Identifier: MIT
"""check_mysql_split_brain against real servers: every verdict with its exit code."""

import itertools
import threading

import pytest

import plugin
from clusters import KINDS, LOGIN, TRIOS, Cluster, named
from network import BlackHole, Proxy, SilentListener
from servers import MONITOR_PASSWORD, MONITOR_USER, replicate, wait_until

SPLIT_BRAIN = "check_mysql_split_brain"
MYSQL_WITHOUT_GTID = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]


def check(servers, *options, **arguments):
    """Run the check over servers; the n-th is named db<n>."""
    return plugin.run(SPLIT_BRAIN, *named(servers), *LOGIN, *options, **arguments)


def numbers(outcome):
    """Return the metrics as {label: number}."""
    return {label: metric.value for label, metric in outcome.perfdata.items()}


@pytest.fixture(params=KINDS)
def cluster(request, bench):
    return Cluster(bench, request.param)


@pytest.fixture(params=TRIOS)
def trio(request, bench):
    return Cluster(bench, request.param)


def test_healthy(cluster):
    outcome = cluster.run(SPLIT_BRAIN)
    count = len(cluster.servers)
    assert outcome.state == "OK", outcome.out
    assert numbers(outcome) == {"nodes": count, "reachable": count, "writable": 1,
                                "errant_transactions": 0, "diverged": 0}
    assert outcome.text.startswith("db1 is the only writer")
    assert len(outcome.lines) == 1 + count


def test_two_writers(cluster):
    cluster.replica.sql("SET GLOBAL read_only = OFF")
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "2 nodes accept writes: db1, db2" in outcome.text
    assert numbers(outcome)["writable"] == 2
    assert cluster.run(SPLIT_BRAIN, "--allow-writers", "2").state == "OK"


def test_no_writer(cluster):
    cluster.writer.sql("SET GLOBAL read_only = ON")
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no writable node" in outcome.text
    assert numbers(outcome)["writable"] == 0


def test_errant_transaction(cluster):
    cluster.insert(100, cluster.replica)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 has 1 errant transaction" in outcome.text
    assert numbers(outcome)["errant_transactions"] == 1
    assert numbers(outcome)["diverged"] == 0
    assert cluster.run(SPLIT_BRAIN, "-c", "0").state == "CRITICAL"


def test_errant_transaction_that_later_ones_buried(cluster):
    cluster.insert(100, cluster.replica)
    for number in range(5):
        cluster.insert(number)
    cluster.catch_up()
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 has" in outcome.text and "errant" in outcome.text
    assert numbers(outcome)["errant_transactions"] >= 1


def test_a_replica_that_is_merely_behind_is_fine(cluster):
    cluster.replica.stop_replication()
    for number in range(3):
        cluster.insert(number)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out


def test_behind_and_errant_while_it_still_receives_is_errant(cluster):
    cluster.replica.stop_replication(thread="SQL")
    cluster.insert(1)
    cluster.insert(100, cluster.replica)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert numbers(outcome)["errant_transactions"] == 1


def test_true_divergence(cluster):
    cluster.replica.stop_replication()
    cluster.insert(1)
    cluster.insert(100, cluster.replica)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL", outcome.out
    assert "db1 and db2 have diverged" in outcome.text
    assert numbers(outcome)["diverged"] == 2


LOSSES = {"mariadb-gtid": ("mariadb", 1, True, []), "mysql-gtid": ("mysql", 1, True, []),
          "mysql-position": ("mysql", 1, False, MYSQL_WITHOUT_GTID)}


@pytest.mark.parametrize("kind", LOSSES)
def test_a_primary_that_has_lost_what_it_wrote(bench, kind, tmp_path):
    cluster = Cluster(bench, LOSSES[kind])
    cluster.insert(1)
    cluster.catch_up()
    cluster.writer.sql(
        "RESET MASTER" if cluster.flavour == "mariadb" else "RESET BINARY LOGS AND GTIDS")
    if cluster.gtid:
        outcome = cluster.run(SPLIT_BRAIN)
        assert outcome.state == "CRITICAL", outcome.out
        assert outcome.text.startswith("db1 has lost 3 transactions that it wrote itself")
        assert numbers(outcome)["errant_transactions"] == 0
    cluster.insert(2)  # MariaDB takes an empty binlog for that of a new primary
    cluster.replica.stop_replication()
    cluster.replica.start_replication()
    cluster.replica.wait_channel(io="No", io_errno=1236 if cluster.flavour == "mariadb" else 13114)
    for number in range(10, 20):  # the same numbers again, and more
        cluster.insert(number)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL", outcome.out
    if cluster.gtid:
        assert outcome.text.startswith("db1 has lost transactions that it had sent to db2")
        assert "db2 holds the only copy: do not rebuild it from db1" in outcome.text
    else:  # a position may be wrong as well
        assert outcome.text.startswith(
            "either db1 has lost transactions, or db2 was given a wrong position (")
        assert "; db2 may hold what db1 lacks: save it before it is rebuilt" in outcome.text
    assert numbers(outcome)["errant_transactions"] == 0
    ready = cluster.run("check_failover_ready", "--fence", "none", "--state-dir", tmp_path)
    assert ready.state == "CRITICAL", ready.out
    assert ("holds the only copy" if cluster.gtid else "may hold what db1 lacks") in ready.text
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
    cluster = Cluster(bench, ("mariadb", 1, True, []))
    table = "shop.beat"
    cluster.writer.sql(f"CREATE TABLE {table} (ts VARCHAR(26) NOT NULL,"
                    " server_id INT UNSIGNED NOT NULL PRIMARY KEY)")
    outcome = cluster.run(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "UNKNOWN", outcome.out
    assert f"run: GRANT SELECT, UPDATE ON `shop`.`beat` TO '{MONITOR_USER}'" in outcome.text
    cluster.writer.sql("SET SESSION sql_log_bin = 0",
                    f"GRANT SELECT, UPDATE ON {table} TO {MONITOR_USER}")
    outcome = cluster.run(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "UNKNOWN" and "has no row of the server; run: INSERT" in outcome.text
    cluster.writer.sql(f"INSERT INTO {table} VALUES ('', {cluster.writer.server_id})")
    outcome = cluster.run(SPLIT_BRAIN, "--write-probe", table)
    assert outcome.state == "OK", outcome.out
    assert cluster.writer.sql(f"SELECT ts FROM {table}")[0]["ts"].startswith("20")
    with cluster.writer.connect() as session, session.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        assert cluster.run(SPLIT_BRAIN).state == "OK", "without the probe nothing tells"
        for name in (SPLIT_BRAIN, "check_failover_ready"):
            outcome = cluster.run(name, "--write-probe", table, "-t", "10")
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
    cluster = Cluster(bench, ("mariadb", 1, True, ["--version=8.0.36"]))
    assert cluster.writer.value("VERSION()").startswith("8.0.36")
    for name in (SPLIT_BRAIN, "check_mysql_replication_threads"):
        outcome = (cluster.run(name) if name == SPLIT_BRAIN else
                   plugin.run(name, "-H", "127.0.0.1", "-P", cluster.replica.port, *LOGIN))
        assert outcome.state == "OK", outcome.out


def test_histories_are_not_torn_by_writes_between_two_readings(trio):
    # The replicas are read after the writer, which goes on writing: they seem to be ahead of it.
    slow = trio.bench.add(Proxy((trio.replica.host, trio.replica.port), delay_s=0.05))
    slow.name = "db2"
    stop = threading.Event()
    with trio.writer.connect() as session, session.cursor() as cursor:
        def write():
            for number in itertools.takewhile(lambda _: not stop.is_set(), itertools.count(1000)):
                cursor.execute(f"INSERT INTO shop.item VALUES ({number})")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(5):
                outcome = check([trio.writer, slow, trio.servers[2]])
                assert outcome.state == "OK", outcome.out
        finally:
            stop.set()
            writer.join()


def test_ring_with_one_writer_is_a_note(cluster):
    replicate(cluster.writer, cluster.replica, gtid=cluster.gtid)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out
    assert "db1, db2 replicate in a ring" in outcome.text


def test_ring_with_two_writers(cluster):
    replicate(cluster.writer, cluster.replica, gtid=cluster.gtid)
    cluster.replica.sql("SET GLOBAL read_only = OFF")
    outcome = cluster.run(SPLIT_BRAIN, "--allow-writers", "2")
    assert outcome.state == "CRITICAL"
    assert "db1, db2 replicate in a ring and 2 of them accept writes" in outcome.text


def test_duplicate_server_id(cluster):
    *_, other, last = cluster.servers
    last.stop_replication()
    last.sql(f"SET GLOBAL server_id = {other.server_id}")
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    count = len(cluster.servers)
    assert f"db{count - 1}, db{count} share the server_id {other.server_id}" in outcome.text


def test_replica_of_a_server_outside(cluster):
    outcome = check(cluster.servers[1:])
    assert outcome.state == "CRITICAL", "no writer among them"
    assert f"db1 follows 127.0.0.1:{cluster.writer.port}, which is none of the nodes" in outcome.out
    outsider = cluster.bench.server(cluster.flavour)
    replicate(cluster.replica, outsider, "more", gtid=cluster.gtid)
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING", outcome.out
    assert f"db2 follows 127.0.0.1:{outsider.port}, which is none of the nodes" in outcome.text


def test_green_but_stale(trio):
    # db3 follows db2, whose own replication is gone: Yes, Yes, 0 s behind, and nothing arrives.
    last = trio.servers[2]
    last.stop_replication()
    replicate(last, trio.replica)
    assert trio.run(SPLIT_BRAIN).state == "OK", "a chain is healthy"
    trio.replica.stop_replication()
    outcome = trio.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING"
    assert "db3 follows db2, which gets nothing from a writer" in outcome.text


def test_one_node_down(cluster):
    cluster.replica.kill()
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "WARNING"
    assert "db2 is unreachable" in outcome.text
    assert numbers(outcome)["reachable"] == len(cluster.servers) - 1
    assert cluster.run(SPLIT_BRAIN, "--unreachable", "critical").state == "CRITICAL"
    assert cluster.run(SPLIT_BRAIN, "--unreachable", "ok").state == "OK"


def test_writer_down(cluster):
    cluster.writer.kill()
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no writable node" in outcome.text and "db1 is unreachable" in outcome.text


def test_one_node_hung(cluster):
    cluster.replica.freeze()
    outcome = cluster.run(SPLIT_BRAIN, "-t", "3")
    assert outcome.state == "WARNING"
    assert "db2 does not answer" in outcome.text
    assert outcome.seconds < 3.5
    cluster.replica.thaw()


def test_node_that_hangs_on_the_first_query(cluster):
    proxy = cluster.bench.add(Proxy((cluster.replica.host, cluster.replica.port)))
    proxy.delay_s = 0.7  # greeting, login and answer: too slow for the budget
    outcome = check([cluster.writer, proxy], "-t", "2")
    assert outcome.state == "WARNING", outcome.out
    assert "db2 does not answer" in outcome.text


def test_no_node_reachable(cluster):
    for server in cluster.servers:
        server.kill()
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "CRITICAL"
    assert "no node is reachable" in outcome.text
    assert numbers(outcome)["reachable"] == 0


def test_too_many_connections_is_alive(trio):
    trio.replica.sql("SET GLOBAL max_connections = 10")
    held = []
    try:
        with pytest.raises(Exception, match="1040"):
            while True:
                held.append(trio.replica.connect(unix_socket=None, host="127.0.0.1",
                                                 port=trio.replica.port, user=MONITOR_USER,
                                                 password=MONITOR_PASSWORD))
        outcome = trio.run(SPLIT_BRAIN)
    finally:
        for session in held:
            session.close()
    assert outcome.state == "WARNING"
    assert "db2 is alive but refuses connections" in outcome.text
    assert numbers(outcome)["reachable"] == 3


def test_wrong_password_on_one_node_is_never_healthy(trio):
    trio.replica.sql("SET sql_log_bin = 0",
                     f"ALTER USER {MONITOR_USER} IDENTIFIED BY 'another'")
    outcome = trio.run(SPLIT_BRAIN)
    assert outcome.state == "UNKNOWN"
    assert "db2 cannot be read" in outcome.text and "access denied" in outcome.text


def test_missing_privilege_on_one_node_is_never_healthy(trio):
    grant = ("REPLICA MONITOR" if trio.flavour == "mariadb" else "REPLICATION CLIENT") + " ON *.*"
    trio.replica.sql("SET sql_log_bin = 0", f"REVOKE {grant} FROM {MONITOR_USER}")
    outcome = trio.run(SPLIT_BRAIN)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "db2: replication status unknown" in outcome.text
    assert f"GRANT {grant} TO '{MONITOR_USER}'@'%'" in outcome.text


def test_black_holes_and_silence_end_within_the_budget(trio):
    lost = [trio.bench.add(BlackHole()) for _ in range(20)]
    lost += [trio.bench.add(SilentListener()) for _ in range(20)]
    outcome = trio.run(SPLIT_BRAIN, "-t", "3", nodes=lost)
    assert outcome.seconds < 3.5
    assert outcome.state == "WARNING", outcome.out
    assert numbers(outcome)["nodes"] == 43 and numbers(outcome)["reachable"] == 3
    assert numbers(outcome)["writable"] == 1


def test_flavours_may_be_mixed(bench):
    maria = Cluster(bench, "mariadb-position")
    mysql = bench.server("mysql")
    mysql.create_monitor()
    mysql.sql("SET GLOBAL super_read_only = ON")
    outcome = maria.run(SPLIT_BRAIN, nodes=[mysql])
    # Nothing else is wrong with it.
    assert outcome.state == "WARNING", outcome.out
    assert outcome.text.startswith("db3 follows no server and gets no changes; to make it a replica")
    assert numbers(outcome)["diverged"] == numbers(outcome)["errant_transactions"] == 0


@pytest.mark.parametrize("log_updates", [True, False])
def test_mysql_without_gtids(bench, log_updates):
    options = MYSQL_WITHOUT_GTID + ([] if log_updates else ["--skip-log-replica-updates"])
    cluster = Cluster(bench, ("mysql", 1, False, options))
    outcome = cluster.run(SPLIT_BRAIN)
    assert outcome.state == "OK", outcome.out
    assert ("cannot prove that db2 has no writes of its own" in outcome.text) == log_updates
    cluster.insert(100, cluster.replica)
    outcome = cluster.run(SPLIT_BRAIN)
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
    assert items["db1"]["server_id"] == trio.writer.server_id
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
                   "ping_interval=3\n" + "".join(
                       f"[server{n}]\nhostname={s.host}\nport={s.port}\n"
                       for n, s in enumerate(trio.servers, 1)))
    outcome = plugin.run(SPLIT_BRAIN, "--mha-conf", mha, "-v")
    assert outcome.state == "OK", outcome.out
    assert "keys of no use here: ping_interval" in outcome.out
