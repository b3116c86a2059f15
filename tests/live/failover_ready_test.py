# SPDX-License-Identifier: MIT
"""check_failover_ready against real servers of each kind: what it says is what a failover would
do."""

import fcntl
import os
import resource
import subprocess
from pathlib import Path

import pytest

import plugin
from cluster import (GTID_KINDS, LOGIN, MANAGER_LOGIN, WATCHED_KINDS, named, received,
                     watched)
from network import BlackHole, Proxy, SilentListener
from server import MANAGER_PASSWORD, MANAGER_USER, REPLICATION_PASSWORD, REPLICATION_USER
from servers import MONITOR_PASSWORD, MONITOR_USER, Bench, replicate, wait_until

READY = "check_failover_ready"
REPLICATION = ["--repl-username", REPLICATION_USER, "--repl-password", REPLICATION_PASSWORD]
EXAMPLES = Path(__file__).resolve().parents[2] / "conf-examples/mysql-failover"


@pytest.fixture(params=WATCHED_KINDS)
def cluster(request, bench, ready):
    return seen_well(watched(bench, request.param), ready)


@pytest.fixture(params=GTID_KINDS)
def trio(request, bench, ready):
    return seen_well(watched(bench, request.param), ready)


def seen_well(cluster, ready):
    """Let the check see a cluster while all is well, as it does all the time; return the cluster."""
    assert ready(cluster).code in (0, 1)
    return cluster


@pytest.fixture
def ready(tmp_path):
    """Return a function that runs the check with all that a failover needs, unless told otherwise."""
    def run(cluster, *options, **arguments):
        return cluster.check(READY, *MANAGER_LOGIN, "--state-dir", tmp_path, "--fence-command", "/bin/true",
                           "--repl-username", REPLICATION_USER,
                           "--repl-password", REPLICATION_PASSWORD, *options, **arguments)
    return run


def numbers(outcome):
    """Return the metrics as {label: number}."""
    return {label: metric.value for label, metric in outcome.perfdata.items()}


def test_healthy(cluster, ready):
    outcome = ready(cluster)
    assert outcome.state == "OK", outcome.out
    assert outcome.text == "db2 would replace db1, nothing would be lost"
    others = len(cluster.servers) - 1
    assert numbers(outcome) == {"candidates": others, "lost_transactions": 0, "drain_time": 0}
    assert len(outcome.lines) == 1 + 1 + others


def test_only_replica_broken(cluster, ready):
    for replica in cluster.servers[2:]:
        replica.kill()
    cluster.break_applier(cluster.db2, 7)
    outcome = ready(cluster)
    assert outcome.state == "CRITICAL", outcome.out
    assert "no failover is possible: no node can be promoted in place of db1" in outcome.text
    assert "not db2: its SQL thread has failed with error 1062" in outcome.text
    assert numbers(outcome)["candidates"] == 0


def test_one_of_two_replicas_broken(trio, ready):
    trio.break_applier(trio.db2, 7)
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "db3 would replace db1" in outcome.text
    assert "db2 needs a resync: its SQL thread has failed" in outcome.text


def test_errant_only(cluster, ready):
    for replica in cluster.servers[2:]:
        replica.kill()
    cluster.insert(100, server=cluster.db2)
    outcome = ready(cluster)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 has 1 errant transaction that db1 lacks" in outcome.text


def test_two_errant_histories_cannot_be_chosen_between(trio, ready):
    for number, replica in enumerate(trio.servers[1:], 100):
        trio.insert(number, server=replica)
    outcome = ready(trio)
    assert outcome.state == "CRITICAL", outcome.out
    assert "db2 and db3 each have transactions that the other lacks" in outcome.text


def test_loss_and_limits(trio, ready):
    for replica in trio.servers[1:]:
        replica.stop_replication()
    for number in range(5):
        trio.insert(number)
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "5 transactions would be lost" in outcome.text
    assert numbers(outcome)["lost_transactions"] == 5
    outcome = ready(trio, "--max-lost-transactions", "4")
    assert outcome.state == "CRITICAL"
    assert "5 transactions would be lost, more than 4" in outcome.text


def test_what_is_received_has_to_be_drained(trio, ready):
    trio.servers[2].kill()
    trio.db2.stop_replication(thread="SQL")
    for number in range(5):
        trio.insert(number)
    trio.db2.wait_channel(io="Yes")
    outcome = ready(trio)
    assert numbers(outcome)["drain_time"] is None, "the applier does not run"
    trio.db2.start_replication(thread="SQL")
    trio.db2.wait_caught_up(trio.db1)
    assert numbers(ready(trio))["drain_time"] == 0
    # With a delay it takes its time.
    trio.db2.stop_replication()
    trio.db2.change_source(trio.db1.host, trio.db1.port, delay=1000)
    trio.db2.start_replication()
    trio.insert(10)
    wait_until(lambda: numbers(ready(trio))["drain_time"])
    outcome = ready(trio, "-w", "10000", "-c", "20000")
    assert "db2 applies with a delay of" in outcome.text
    wait_until(lambda: numbers(ready(trio))["drain_time"] >= 1)
    outcome = ready(trio, "-w", "0.5", "-c", "0.8")
    assert outcome.state == "CRITICAL"
    assert "to apply what it has received" in outcome.text


# What a failover needs beside the nodes

@pytest.fixture(scope="module")
def untouched():
    """A trio that is only looked at."""
    with Bench() as bench:
        yield watched(bench, "mariadb-gtid")


@pytest.mark.parametrize("options, state, words", [
    (["--fence-command", "/nonexistent/fence now"], "CRITICAL",
     "fence: cannot run /nonexistent/fence: No such file or directory"),
    (["--fence-command", "no-such-program"], "CRITICAL", "fence: cannot run no-such-program"),
    (["--fence-command", "/etc/passwd"], "CRITICAL", "cannot run /etc/passwd: Permission denied"),
    (["--fence-command", "true", "--fence", "best-effort"], "WARNING",
     "if the network between db1 and db2 breaks, both take writes"),
    (["--fence-command", "/nonexistent/fence", "--fence", "best-effort"], "WARNING", "fence: cannot"),
    (["--fence", "none"], "WARNING", "nothing keeps db1 from taking writes"),
    (["--pre-failover", "/nonexistent/hook"], "CRITICAL", "hook: cannot run /nonexistent/hook"),
    (["--post-failover", "/nonexistent/hook"], "WARNING", "hook: cannot run /nonexistent/hook"),
    (["--start-services", "/nonexistent/start"], "WARNING", "start-service: cannot run"),
    (["--rescue-command", "/nonexistent/rescue"], "WARNING", "rescue: cannot run"),
    (["--flag-file", "/nonexistent/flag"], "WARNING", "cannot write /nonexistent/flag"),
    (["--state-dir", "/nonexistent/state"], "CRITICAL",
     "--state-dir: /nonexistent/state does not exist and cannot be created"),
    (["--vip", "192.0.2.77", "--interface", "lo"], "OK", "nothing would be lost"),
    (["--never", "db2"], "OK", "db3 would replace db1"),
    (["--never", "db2", "--never", "db3"], "CRITICAL", "not db2: must not be promoted (policy)"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_missing_pieces(untouched, ready, options, state, words):
    outcome = ready(untouched, *options)
    assert outcome.state == state, outcome.out
    assert words in outcome.text


def test_each_session_is_closed(untouched, ready):
    """One that the end of the program cuts off is an aborted client to its server."""
    def aborted():
        return [server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'") for server in untouched.servers]

    before = aborted()
    for _ in range(20):
        assert ready(untouched).state == "OK"
    assert aborted() == before


@pytest.mark.parametrize("check", [READY, "check_mysql_split_brain", plugin.THREADS])
def test_our_own_want_is_no_fault_of_a_server(check, untouched, ready):
    """Neither descriptors nor threads that this machine lacks; runs with few may have enough."""
    def run(**arguments):
        if check == READY:
            return ready(untouched, **arguments)
        if check == plugin.THREADS:
            return plugin.run(check, *LOGIN, "-H", untouched.db2.host, "-P", untouched.db2.port,
                              **arguments)
        return untouched.check(check, **arguments)

    def few(number):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))

    def assert_ours(outcome):
        assert outcome.state == "UNKNOWN", outcome.out
        assert "an error of this machine" in outcome.out or "Too many open files" in outcome.out

    state = run().state
    wanting = [outcome for outcome in (run(preexec_fn=few(number)) for number in range(4, 15))
               if outcome.state != state]
    faults = {"LD_PRELOAD": str(plugin.BUILD / "tests/faults.so")}
    wanting.append(run(env={**faults, "NO_SOCKETS": "1"}))
    wanting.append(run(env={**faults, "UNASKED_PORT": str(untouched.db2.port)}))
    if check in (READY, "check_mysql_split_brain"):
        wanting.append(run(env={**faults, "NO_CHILDREN": "1"}))
    for outcome in wanting:
        assert_ours(outcome)


def test_no_state_directory_yet(untouched, ready, tmp_path):
    outcome = ready(untouched, "--state-dir", tmp_path / "none")
    assert outcome.state == "WARNING" and "install -d -o " in outcome.text, outcome.out


def test_a_dead_primary_cannot_be_fenced_by_sql(untouched, tmp_path):
    outcome = untouched.check(READY, "--state-dir", tmp_path)
    assert outcome.state == "CRITICAL", outcome.out
    assert "fencing db1 is required and there is no fence command" in outcome.text
    assert "there is no replication account" in outcome.text


def test_the_path_counts(untouched, ready, tmp_path):
    script = tmp_path / "my-fence"
    script.write_text("#!/bin/sh\n")
    options = ["--fence-command", "my-fence db1"]
    assert "cannot run my-fence: No such file" in ready(untouched, *options).text
    path = {"env": {"PATH": f"/nonexistent:{tmp_path}:{os.environ['PATH']}"}}
    assert "cannot run my-fence: Permission denied" in ready(untouched, *options, **path).text
    script.chmod(0o755)
    assert ready(untouched, *options, **path).state == "OK"


def test_lock_on_a_node(cluster, ready):
    with cluster.db2.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('monitoring-plugins-ha:mysql', 0), CONNECTION_ID() AS id")
        holder = cursor.fetchone()["id"]
        outcome = ready(cluster)
        assert outcome.state == "CRITICAL", outcome.out
        assert f"another run holds the lock: connection {holder} on db2" in outcome.text
        assert ready(cluster, "--cluster-name", "other").state == "OK"
    wait_until(lambda: ready(cluster).state == "OK")


def test_lock_on_this_host(untouched, ready, tmp_path):
    ready(untouched)
    assert [path.name for path in tmp_path.rglob("*")] == ["mysql", "memory.json"]
    with open(tmp_path / "mysql/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711\n")
        lock.flush()
        outcome = ready(untouched)
        assert outcome.state == "CRITICAL", outcome.out
        assert "another run holds the lock: process 4711 of this host" in outcome.text
    assert ready(untouched).state == "OK"
    assert {path.name for path in (tmp_path / "mysql").iterdir()} == {"lock", "memory.json"}


def test_after_a_failover(trio, ready, tmp_path):
    trio.db1.kill()
    login = [*MANAGER_LOGIN, "--state-dir", tmp_path]
    fence = ["--fence-command", "/bin/true", "--retries", "1"]
    done = trio.manage("failover", *login, *fence)
    assert done.code in (0, 1), done.out
    outcome = ready(trio)
    assert outcome.state == "CRITICAL", outcome.out
    assert "db3 could not replace db2: the last failover was" in outcome.text
    assert "less than 60m 00s, and is not acknowledged" in outcome.text
    assert numbers(outcome)["candidates"] == 1
    assert ready(trio, "--min-interval", "0.001").state == "WARNING"
    assert trio.manage("journal", "ack", *login).code == 0
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "db1 is unreachable" in outcome.text


def test_the_documented_account_suffices(cluster, ready, tmp_path):
    options = [*MANAGER_LOGIN, "--state-dir", tmp_path, "--retries", "1", "--fence-command", "true",
               "--repl-username", REPLICATION_USER, "--repl-password", REPLICATION_PASSWORD]
    assert "our account" not in ready(cluster).text
    cluster.db1.kill()
    cluster.db2.wait_channel(io="Connecting")
    outcomes = [cluster.manage("failover", *options)]
    cluster.db1.start()
    outcomes += [cluster.manage("rejoin", "db1", *options)]
    cluster.db1.wait_channel(io="Yes", sql="Yes")
    outcomes += [cluster.manage("switchover", "--to", "db1", *options)]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert not any("denied" in outcome.out for outcome in outcomes)


def test_wrong_replication_password(cluster, ready):
    outcome = ready(cluster, "--repl-password", "wrong")
    assert outcome.state == "WARNING", outcome.out
    for number in range(1, len(cluster.servers) + 1):
        assert f"db{number}: the replication account cannot be used: 127.0.0.1:" in outcome.text
    assert "access denied for user 'replication'" in outcome.text
    assert "wrong" not in outcome.out.replace("wrong password", "")


def test_replication_password_on_one_node(trio, ready):
    trio.db2.sql("SET sql_log_bin = 0", f"ALTER USER {REPLICATION_USER} IDENTIFIED BY 'another'")
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert outcome.text.count("the replication account cannot be used") == 1
    assert "db2: the replication account cannot be used: " in outcome.text


def test_replication_account_that_may_not_replicate(trio, ready):
    trio.db2.sql("SET sql_log_bin = 0",
                     f"REVOKE REPLICATION SLAVE ON *.* FROM {REPLICATION_USER}")
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert ("db2: the replication account cannot be used: it lacks the privilege to replicate; run: GRANT "
            f"REPLICATION SLAVE ON *.* TO '{REPLICATION_USER}'@'%'") in outcome.text


def test_replication_account_of_a_file(untouched, tmp_path):
    account = tmp_path / "replication.cnf"
    account.write_text(f"[client]\nuser={REPLICATION_USER}\npassword={REPLICATION_PASSWORD}\n")
    options = ["--state-dir", tmp_path, "--fence-command", "true", "--repl-defaults-file", account]
    assert untouched.check(READY, *options).state == "OK"
    account.write_text(f"[client]\nuser={REPLICATION_USER}\n")
    outcome = untouched.check(READY, *options)
    assert outcome.state == "WARNING"
    assert "the password of the replication account is not known" in outcome.text


def test_missing_privilege_on_one_node(cluster, ready):
    for replica in cluster.servers[2:]:
        replica.kill()
    grant = ("REPLICA MONITOR" if cluster.flavour == "mariadb" else "REPLICATION CLIENT") + " ON *.*"
    cluster.db2.sql("SET sql_log_bin = 0", f"REVOKE {grant} FROM {MANAGER_USER}")
    outcome = ready(cluster)
    assert outcome.state == "CRITICAL", outcome.out
    assert ("no node can be promoted in place of db1; not db2: its replication could not be read; "
            in outcome.text), outcome.out
    assert f"GRANT {grant} TO '{MANAGER_USER}'@'%'" in outcome.text


def test_missing_privilege_on_a_node_beside(trio, ready):
    grant = ("REPLICA MONITOR" if trio.flavour == "mariadb" else "REPLICATION CLIENT") + " ON *.*"
    trio.servers[2].sql("SET sql_log_bin = 0", f"REVOKE {grant} FROM {MANAGER_USER}")
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 would replace db1" in outcome.text
    assert "db3: replication status unknown" in outcome.text


def test_wrong_password_of_our_own(trio, ready):
    trio.servers[2].sql("SET sql_log_bin = 0", f"ALTER USER {MANAGER_USER} IDENTIFIED BY 'another'")
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "db3 cannot be read" in outcome.text and "access denied" in outcome.text


def test_account_that_may_only_look(trio, ready):
    monitor = ["-u", MONITOR_USER, "-p", MONITOR_PASSWORD]
    outcome = ready(trio, *monitor)
    assert outcome.state == "OK", outcome.out
    assert "our account cannot carry it out on db1, db2, db3; run: GRANT " in outcome.text
    assert ready(trio, *monitor, "--unprivileged", "critical").state == "CRITICAL"


def test_account_that_lacks_a_privilege(cluster, ready):
    cluster.db2.sql("SET sql_log_bin = 0", f"REVOKE RELOAD ON *.* FROM {MANAGER_USER}")
    outcome = ready(cluster, "--unprivileged", "warning")
    assert outcome.state == "WARNING", outcome.out
    assert ("our account cannot carry it out on db2; run: GRANT RELOAD ON *.* TO "
            f"'{MANAGER_USER}'@'%'") in outcome.text


def test_witnesses(untouched, ready, bench):
    there, gone = bench.add(SilentListener()), bench.add(BlackHole())
    closed = f"127.0.0.1:{bench.free_port()}"
    silent = f"127.0.0.1:{gone.port}"
    assert ready(untouched, "--witness", f"127.0.0.1:{there.port}", "--witness", closed).state == "OK"
    outcome = ready(untouched, "--witness", silent, "--witness", closed)
    assert outcome.state == "WARNING", outcome.out
    assert f"witness {silent} cannot be reached" in outcome.text
    outcome = ready(untouched, "--witness", silent)
    assert outcome.state == "CRITICAL", outcome.out
    assert "no witness is reachable" in outcome.text


# Nodes that are not there

def test_primary_down(cluster, ready):
    cluster.db1.kill()
    cluster.db2.wait_channel(io="Connecting")
    outcome = ready(cluster)
    assert outcome.state == "CRITICAL", outcome.out
    assert outcome.text.startswith("db2 would replace db1, no known transaction would be lost: no server "
                                   "takes writes; db1 is unreachable")


def test_hung_replica(cluster, ready):
    cluster.servers[-1].freeze()
    outcome = ready(cluster, "-t", "3")
    cluster.servers[-1].thaw()
    assert outcome.seconds < 3.5
    last = f"db{len(cluster.servers)}"
    assert outcome.state == ("CRITICAL" if last == "db2" else "WARNING"), outcome.out
    assert f"{last} does not answer" in outcome.text


def test_hung_primary(trio, ready):
    trio.db1.freeze()
    outcome = ready(trio, "-t", "3")
    trio.db1.thaw()
    assert outcome.seconds < 3.5
    assert outcome.state == "CRITICAL", outcome.out
    assert "no server takes writes" in outcome.text
    assert "db2 would replace db1" in outcome.text and "db1 does not answer" in outcome.text


def test_node_that_hangs_after_the_login(trio, ready):
    proxy = trio.bench.add(Proxy((trio.servers[2].host, trio.servers[2].port), delay_s=0.5))
    servers = [*trio.servers[:2], proxy]
    outcome = plugin.run(READY, *named(servers), *LOGIN, "-t", "2", "--fence-command", "true",
                         "--state-dir", trio.bench.directory / "state")
    assert outcome.seconds < 2.5
    assert outcome.state != "OK" and "db3 does not answer" in outcome.text, outcome.out


def test_nobody_there(cluster, ready):
    for server in cluster.servers:
        server.kill()
    outcome = ready(cluster)
    assert outcome.state == "CRITICAL", outcome.out
    assert "no failover is possible" in outcome.text


# Voices and files

def test_voices(untouched, ready):
    def raw(*options):
        return plugin.run_raw([plugin.path(READY), *named(untouched.servers), *LOGIN,
                               "--fence", "none", "--state-dir", "/tmp", *options])
    items = {item["name"]: item for item in raw("--output", "json").json()["items"]}
    assert [items[name]["facts"]["role"] for name in ("db1", "db2", "db3")] == [
        "primary", "candidate", "other"]
    assert raw("--value", "candidates").out == "2\n"
    rows = raw("--discovery").json()
    assert [row["{#NODE}"] for row in rows] == ["db1", "db2", "db3"]
    assert ready(untouched).state == "OK"


def test_cluster_file(untouched, tmp_path):
    file = tmp_path / "cluster.conf"
    file.write_text("".join(f"node = {s.name}={s.host}:{s.port}\n" for s in untouched.servers) +
                    f"username = {MANAGER_USER}\npassword = {MANAGER_PASSWORD}\n"
                    f"repl-username = {REPLICATION_USER}\nrepl-password = {REPLICATION_PASSWORD}\n"
                    f"fence-command = /bin/true\nstate-dir = {tmp_path}\n"
                    "notify-mail = root@localhost\nallow-writers = 1\n")
    assert plugin.run(READY, "--cluster", file).state == "OK"
    assert "keys of no use here: notify-mail, allow-writers" in plugin.run(
        READY, "--cluster", file, "-v").out
    assert REPLICATION_PASSWORD not in plugin.run(READY, "--cluster", file, "-vvv").out


def test_it_does_not_load_curl():
    libraries = subprocess.run(["ldd", plugin.path(READY)], check=True, text=True,
                               capture_output=True).stdout
    assert "libmariadb" in libraries or "libmysqlclient" in libraries
    assert "libcurl" not in libraries


# What is bad enough to be told before the disaster

def forget_replication(server):
    """Let a server follow nobody any more."""
    server.stop_replication()
    server.sql("RESET SLAVE ALL" if server.flavour == "mariadb" else "RESET REPLICA ALL")


def net_timeout(server):
    """Return the variable's name."""
    return "slave_net_timeout" if server.flavour == "mariadb" else "replica_net_timeout"


def test_stopped_appliers(cluster, ready):
    for replica in cluster.servers[1:]:
        replica.stop_replication(thread="SQL")
    for number in range(15):
        cluster.insert(number)
    end = cluster.db1.position()
    wait_until(lambda: all(received(server.channels()[0]) >= end for server in cluster.servers[1:]))
    outcome = ready(cluster)
    assert outcome.state == "WARNING", outcome.out
    assert "db2 applies nothing, " in outcome.text and "; run there: START " in outcome.text
    if cluster.gtid:
        assert "15 transactions are received and not applied" in outcome.text
    else:
        assert "it has received binlog." in outcome.text
    assert numbers(outcome)["lost_transactions"] == 0


def test_no_replica_receives(cluster, ready):
    for replica in cluster.servers[1:]:
        replica.stop_replication(thread="IO")
    outcome = ready(cluster)
    assert outcome.state == "WARNING", outcome.out
    assert "no replica receives: only db1 has what db1 writes now" in outcome.text
    assert "db2 receives nothing from db1: IO thread stopped; run there: START " in outcome.text
    cluster.insert(1)
    outcome = ready(cluster)
    assert outcome.state == "WARNING", outcome.out
    assert "1 transaction would be lost" in outcome.text


def test_no_server_takes_writes(cluster, ready):
    cluster.db1.sql("SET GLOBAL read_only = ON")
    outcome = ready(cluster)
    assert outcome.state == "CRITICAL", outcome.out
    assert ("no server takes writes: db1 answers and is read-only; to open it: mysql_ha "
            "failover") in outcome.text


def test_a_node_that_follows_no_server(trio, ready):
    forget_replication(trio.servers[2])
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "db3 follows no server and gets no changes" in outcome.text


def test_a_delayed_node(trio, ready):
    delayed = trio.servers[2]
    delayed.stop_replication()
    delayed.change_source(trio.db1.host, trio.db1.port, delay=1000)
    delayed.start_replication()
    outcome = ready(trio)
    assert outcome.state == "WARNING", outcome.out
    assert "to prevent that, set never = db3" in outcome.text
    assert "applies with a delay" not in ready(trio, "--never", "db3").text


def test_a_timeout_that_is_longer_than_hung_after(cluster, ready):
    assert ready(cluster).state == "OK"
    variable = net_timeout(cluster.db2)
    cluster.db2.sql(f"SET GLOBAL {variable} = 60")
    outcome = ready(cluster)
    assert outcome.state == "WARNING", outcome.out
    assert f"db2: {variable} is 60s, longer than --hung-after (30s)" in outcome.text
    advice = outcome.text.split("; run there: ")[1].split("; and in the option file: ")[0]
    assert "HEARTBEAT_PERIOD=5" in advice
    cluster.db2.sql(*advice.split("; "))
    cluster.db2.wait_channel(io="Yes", sql="Yes")
    assert ready(cluster).state == "OK"


def test_a_ring_is_no_obstacle(trio, ready, bench):
    db1, db2, db3 = trio.servers
    forget_replication(db3)
    replicate(db1, db2)
    outcome = trio.check(READY, *MANAGER_LOGIN, "--state-dir", bench.directory / "ring",
                       "--fence-command", "true", *REPLICATION)
    assert "no replica shows" not in outcome.text and outcome.state == "WARNING", outcome.out
    assert outcome.text.startswith("db2 would replace db1, nothing would be lost")


@pytest.mark.parametrize("kind", GTID_KINDS)
def test_the_words_are_the_same_before_and_after_the_death(kind, bench, tmp_path):
    cluster = watched(bench, kind)
    witness = f"127.0.0.1:{bench.add(BlackHole()).port}"
    options = [*MANAGER_LOGIN, "--state-dir", tmp_path, "--witness", witness]
    words = ("no witness is reachable: this machine may be the one that is cut off (isolated)",
             "fencing db1 is required and there is no fence command")

    def refusals(outcome):
        assert outcome.code == 2, outcome.out
        named = [line.split(": ", 1)
                 for line in outcome.lines if line.startswith(("no failover (", "and ("))]
        return [f"{reason} ({head.split('(')[1]}" for head, reason in named]
    told = refusals(cluster.manage("plan", *options, "--assume-dead", "db1"))
    assert told[0] == words[0], told
    # The last one says what is missing for each evidence, and what to type.
    assert told[1].startswith(f"{words[1]}; db1 cannot be closed without its answer; ")
    assert "run there: " in told[1] and told[1].endswith(" (cannot-fence)"), told
    before = ready_words(cluster, options)
    cluster.db1.kill()
    for replica in cluster.servers[1:]:
        replica.wait_channel(io="Connecting")
    assert refusals(cluster.manage("plan", *options)) == told
    assert refusals(cluster.manage("plan", *options, "--assume-dead", "db1")) == told
    assert f"failover refused: {'; '.join(told)}" in cluster.manage(
        "failover", *options, "--retries", "1").out
    assert before == [words[0].rsplit(" (", 1)[0], words[1]]
    assert ready_words(cluster, options) == before


def ready_words(cluster, options):
    """Return what check_failover_ready says of refusals."""
    text = cluster.check(READY, *options, *REPLICATION).text
    return [part for part in text.split(": ", 1)[1].split("; ")
            if part.startswith(("no witness", "fencing"))]


# The fence

def script(directory, body):
    """Write a fence command."""
    path = directory / "fence"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("body, state, words", [
    ('echo "$HA_FENCE_ACTION $HA_FAILED_NODE $HA_FAILED_PORT $HA_SUCCESSOR_NODE"; exit 1', "CRITICAL",
     "status db1 {port} db2"),
    ('[ "$HA_FENCE_ACTION" = status ]', "OK", "nothing would be lost"),
    ('# HA_FENCE_ACTION\nexit 10', "WARNING", "if the network between db1 and db2 breaks, both"),
    ('# HA_FENCE_ACTION\nsleep 100', "CRITICAL", "did not end within"),
    ("touch {directory}/fenced", "OK", "the fence command was not tried"),
], ids=["refuses", "usable", "accepts", "hangs", "of-old"])
def test_the_fence_is_asked(untouched, ready, tmp_path, body, state, words):
    fence = script(tmp_path, body.format(directory=tmp_path) if "{d" in body else body)
    outcome = ready(untouched, "--fence-command", fence, "-t", "4")
    assert outcome.state == state, outcome.out
    assert words.format(port=untouched.db1.port) in outcome.text
    assert not (tmp_path / "fenced").exists(), "it is not run"


def test_the_shipped_fence_is_not_ready_before_an_operator_has_edited_it(untouched, ready):
    fence = EXAMPLES / "fence"
    outcome = ready(untouched, "--fence-command", fence)
    assert outcome.state == "CRITICAL", outcome.out
    assert f"no method is chosen in {fence}" in outcome.text
    outcome = ready(untouched, "--fence-command", fence, "--fence", "best-effort")
    assert outcome.state == "WARNING", outcome.out


def test_a_fence_is_told_that_it_is_meant(cluster, tmp_path):
    fence = script(tmp_path, f'echo "$HA_FENCE_ACTION" >> {tmp_path}/asked')
    cluster.db1.kill()
    cluster.db2.wait_channel(io="Connecting")
    outcome = cluster.manage("failover", *MANAGER_LOGIN, "--state-dir", tmp_path / "state",
                             "--fence-command", fence, "--retries", "1")
    assert outcome.code == 0, outcome.out
    assert (tmp_path / "asked").read_text() == "off\n"
