# SPDX-License-Identifier: MIT
"""mysql_ha status and plan against real servers of each kind; neither changes anything."""

import json
import os
import pty
import re
import signal
import subprocess
import threading

import pytest

import plugin
from cluster import LOGIN, MANAGER_LOGIN, WATCHED_KINDS, named, watched
from servers import MONITOR_USER, replicate, wait_until

# What a server counts by itself.
COUNTED = re.compile(r"heartbeat|Transactional_Groups|^(Last_IO_Error_Timestamp|Seconds_Behind.*)$",
                     re.IGNORECASE)


@pytest.fixture(params=WATCHED_KINDS)
def cluster(request, bench):
    return watched(bench, request.param)


def state_of(server):
    """Return everything that a planner could have changed: all variables and channels."""
    variables = {row["Variable_name"]: row["Value"] for row in server.sql("SHOW GLOBAL VARIABLES")}
    channels = [{name: value for name, value in channel.row.items() if not COUNTED.search(name)}
                for channel in server.channels()]
    return variables, channels, server.sql("SHOW DATABASES"), server.position()


def healthy_tree(cluster):
    """Return the text of `status` for the cluster as it was made."""
    last = len(cluster.servers)
    return ("NODE    ROLE     WRITES      LAG  GTIDS\n"
            "db1     primary  read-write  -    -\n" +
            "".join(f"+- db{n}  replica  read-only   0s   equal\n" for n in range(2, last + 1)) +
            "\nhealthy\n")


def test_status_of_a_healthy_cluster(cluster):
    outcome = cluster.manage("status")
    assert outcome.out == healthy_tree(cluster)
    assert outcome.code == 0


def test_plan_of_a_healthy_cluster(cluster, tmp_path):
    options = [*MANAGER_LOGIN, "--assume-dead", "db1", "--state-dir", tmp_path]
    outcome = cluster.manage("plan", *options, "--fence-command", "true")
    assert outcome.code == 0, outcome.out
    assert outcome.out.startswith("promote db2 in place of db1\nexpected loss: 0 transactions")
    assert re.search(r"^plan hash: [0-9a-f]{16}$", outcome.lines[-1])
    numbers = [int(number) for number in re.findall(r"^ *(\d+)\. ", outcome.out, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    forget = "RESET SLAVE ALL" if cluster.flavour == "mariadb" else "RESET REPLICA ALL"
    assert forget in outcome.out
    assert not re.search(r"^ *\d+\. lock +db1", outcome.out, re.MULTILINE), "it is dead"
    again = cluster.manage("plan", *options, "--fence-command", "true")
    assert again.out == outcome.out, "the same world, the same plan"
    refused = cluster.manage("plan", *options)
    assert refused.code == 2
    assert refused.lines[0].startswith("no failover (cannot-fence): fencing db1 is required and there "
                                       "is no fence command; db1 cannot be closed without its answer; ")
    assert "run there: " in refused.lines[0]


def test_without_assuming_a_death_there_is_no_plan(cluster, tmp_path):
    outcome = cluster.manage("plan", *MANAGER_LOGIN, "--state-dir", tmp_path)
    assert outcome.code == 2
    assert outcome.lines[0].startswith("no failover (primary-alive): db1 answers; to promote a replica "
                                       "in its place, run: mysql_ha switchover ")


def test_looking_changes_nothing(cluster, tmp_path):
    before = [state_of(server) for server in cluster.servers]
    cluster.manage("status")
    cluster.manage("plan", *MANAGER_LOGIN, "--state-dir", tmp_path)
    assert cluster.manage("plan", *MANAGER_LOGIN, "--assume-dead", "db1", "--state-dir", tmp_path,
                          "--fence-command", "true").code == 0
    repl = ["--repl-username", "replication", "--repl-password", "replication-secret"]
    cluster.check("check_failover_ready", *MANAGER_LOGIN, "--state-dir", tmp_path, *repl)
    assert [state_of(server) for server in cluster.servers] == before


def test_status_shows_what_stopped(cluster):
    cluster.break_applier(cluster.db2, 7)
    outcome = cluster.manage("status")
    assert outcome.code == 1
    assert re.search(r"^\+- db2  replica  read-only   unknown  1 behind +SQL thread stopped, "
                     r"error 1062: ", outcome.out, re.MULTILINE), outcome.out
    assert "\n[WARNING] stopped: db2: SQL thread stopped, error 1062: " in outcome.out


def test_status_of_a_node_that_follows_no_server(cluster):
    last = cluster.servers[-1]
    last.stop_replication()
    last.sql("RESET SLAVE ALL" if cluster.flavour == "mariadb" else "RESET REPLICA ALL")
    outcome = cluster.manage("status")
    name = f"db{len(cluster.servers)}"
    assert outcome.code == 1
    assert (f"\n[WARNING] follows-no-server: {name} follows no server and gets no changes; to make it a "
            f"replica: mysql_ha rejoin {name}\n") in outcome.out, outcome.out
    brain = cluster.check("check_mysql_split_brain")
    assert (brain.state, brain.text.split(";")[0]) == (
        "WARNING", f"{name} follows no server and gets no changes"), brain.out


def test_status_counts_what_a_replica_has_not_applied(trio):
    trio.db2.stop_replication(thread="SQL")
    for number in range(3):
        trio.insert(number)
    trio.servers[2].wait_caught_up(trio.db1)
    outcome = trio.manage("status")
    assert outcome.code == 1
    assert re.search(r"^\+- db2  replica  read-only +unknown  3 behind +SQL thread stopped$",
                     outcome.out, re.MULTILINE), outcome.out


def test_status_of_troubles(cluster):
    cluster.insert(100, server=cluster.db2)
    outcome = cluster.manage("status")
    assert outcome.code == 1
    assert re.search(r"^\+- db2  replica  read-only   0s   1 errant$", outcome.out, re.MULTILINE)
    assert "\n[WARNING] errant: db2 has 1 errant transaction" in outcome.out
    cluster.db2.sql("SET GLOBAL read_only = OFF")
    outcome = cluster.manage("status")
    assert outcome.code == 2
    assert "\n[CRITICAL] several-writers: 2 nodes accept writes: db1, db2\n" in outcome.out
    cluster.db2.sql("SET GLOBAL read_only = ON")
    cluster.db1.sql("SET GLOBAL read_only = ON")
    outcome = cluster.manage("status")
    assert outcome.code == 2
    assert "\n[CRITICAL] no-writer: no writable node\n" in outcome.out


def test_status_of_a_chain_and_a_ring(trio):
    last = trio.servers[2]
    last.stop_replication()
    replicate(last, trio.db2)
    outcome = trio.manage("status")
    assert outcome.code == 0
    assert outcome.out.endswith("db1        primary  read-write  -    -\n"
                                "+- db2     replica  read-only   0s   equal\n"
                                "   +- db3  replica  read-only   0s   equal\n\nhealthy\n")
    replicate(trio.db1, trio.db2)
    outcome = trio.manage("status")
    assert outcome.code == 0, "a ring with one writer is no trouble"
    assert re.search(r"^db1 +primary  read-write  -    - +follows db2$", outcome.out, re.MULTILINE)
    assert "\n[OK] ring: db1, db2 replicate in a ring\n" in outcome.out


def test_status_when_the_primary_is_gone(cluster):
    cluster.db1.kill()
    cluster.db2.wait_channel(io="Connecting")
    outcome = cluster.manage("status")
    assert outcome.code == 2
    assert re.search(r"^db1     unreachable  - +- ", outcome.out, re.MULTILINE)
    assert re.search(r"^\+- db2  replica .* IO thread connecting", outcome.out, re.MULTILINE)


def test_status_of_a_hung_node_ends_in_time(cluster):
    cluster.db2.freeze()
    outcome = cluster.manage("status", "--probe-timeout", "2")
    cluster.db2.thaw()
    assert outcome.seconds < 2.5
    assert outcome.code == 1
    assert re.search(r"^db2 +hung ", outcome.out, re.MULTILINE)


def test_status_is_not_healthy_where_a_node_may_not_be_read(trio):
    trio.db2.sql("SET sql_log_bin = 0", f"ALTER USER {MONITOR_USER} IDENTIFIED BY 'another'")
    outcome = trio.manage("status")
    assert outcome.code == 1
    assert re.search(r"^db2 +unreadable ", outcome.out, re.MULTILINE)
    assert "\n[UNKNOWN] unreadable: db2 cannot be read: " in outcome.out


def test_status_in_json(trio):
    trio.servers[2].stop_replication()
    outcome = trio.manage("status", "--output", "json")
    status = outcome.json()
    assert outcome.code == 1 and status["state"] == "WARNING"
    nodes = {node["name"]: node for node in status["nodes"]}
    assert [nodes[name]["role"] for name in ("db1", "db2", "db3")] == ["primary", "replica", "replica"]
    assert nodes["db2"]["follows"] == ["db1"] and nodes["db2"]["port"] == trio.db2.port
    assert nodes["db2"]["transactions_behind"] == 0 and nodes["db2"]["errant_transactions"] == 0
    assert nodes["db3"]["notes"] == ["IO thread stopped", "SQL thread stopped"]
    assert status["findings"] == []


def test_status_tells_where_the_virtual_address_leads(trio):
    vip = ["--vip", "127.0.0.1/8", "--interface", "lo"]
    outcome = trio.manage("status", *vip, "-P", str(trio.db1.port))
    assert outcome.code == 0
    assert outcome.lines[-1] == "virtual IP 127.0.0.1: leads to db1, held here on lo"
    outcome = trio.manage("status", *vip, "-P", str(trio.db2.port))
    assert outcome.code == 2
    assert outcome.lines[-1].startswith("virtual IP 127.0.0.1: leads to db2, which accepts no writes")
    outcome = trio.manage("status", *vip, "-P", "1", "--output", "json")
    assert outcome.code == 2
    assert outcome.json()["vip"]["leads_to"] == []


# Watching

def command(cluster, *options):
    return [plugin.path("mysql_ha"), "status", *named(cluster.servers), *LOGIN, "--watch",
            "--interval", "0.2", *options]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_goes_on_until_it_is_told_to_end(bench, number):
    cluster = watched(bench, "mariadb-position")
    watcher = subprocess.Popen(command(cluster, "--output", "json"), stdout=subprocess.PIPE, text=True)
    states = []

    def read():
        for line in watcher.stdout:
            states.append(json.loads(line)["state"])
    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: states[-2:] == ["OK", "OK"])
    cluster.db1.sql("SET GLOBAL read_only = ON")
    wait_until(lambda: states[-1] == "CRITICAL")
    watcher.send_signal(number)
    assert watcher.wait(2) == 2, "that of what was shown last"
    reader.join()


def test_watch_ends_at_once_while_a_node_hangs(bench):
    cluster = watched(bench, "mariadb-position")
    with subprocess.Popen(command(cluster, "--probe-timeout", "30"), stdout=subprocess.PIPE,
                          text=True) as watcher:
        assert watcher.stdout.readline().startswith("mysql  ")
        cluster.db2.freeze()
        wait_until(lambda: established(cluster.db2.port))
        watcher.send_signal(signal.SIGTERM)
        watcher.wait(2)
        cluster.db2.thaw()


def established(port):
    """Tell whether a client has a connection to a loopback port."""
    lines = open("/proc/net/tcp", encoding="ascii").read().splitlines()[1:]
    return any(line.split()[2] == f"0100007F:{port:04X}" and line.split()[3] == "01"
               for line in lines)


def test_watch_ends_when_nobody_reads(bench):
    cluster = watched(bench, "mariadb-position")
    watcher = subprocess.Popen(command(cluster), stdout=subprocess.PIPE)
    watcher.stdout.readline()
    watcher.stdout.close()
    assert watcher.wait(5) == 0


def on_terminal(arguments, frames, **environment):
    """Run a program on a terminal of 8 lines until it has drawn some frames; return its output."""
    ours, its = pty.openpty()
    os.set_blocking(ours, False)
    subprocess.run(["stty", "rows", "8", "cols", "40"], stdin=its, check=True)
    runner = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=its, stderr=its,
                              env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment})
    os.close(its)
    output = bytearray()

    def enough():
        try:
            output.extend(os.read(ours, 65536))
        except BlockingIOError:
            pass
        except OSError:  # the program has closed its end
            return True
        return frames and output.count(b"\033[?25h") >= frames
    wait_until(enough)
    if frames:
        runner.send_signal(signal.SIGINT)
    runner.wait(5)
    os.close(ours)
    return output.decode()


def test_colour_is_for_terminals_that_want_it(bench):
    cluster = watched(bench, "mariadb-position")
    cluster.db1.sql("SET GLOBAL read_only = ON")
    once = [word for word in command(cluster) if word not in ("--watch", "--interval", "0.2")]
    assert "\033[1;31m[CRITICAL]" in on_terminal(once, 0)
    assert "\033" not in on_terminal(once, 0, NO_COLOR="1")
    assert "\033" not in on_terminal(once, 0, TERM="dumb")
    assert "\033" not in plugin.run_raw(once).out


def test_watch_draws_over_the_last_frame(bench):
    cluster = watched(bench, "mariadb-position")
    frames = on_terminal(command(cluster, "--never", "db1"), 3).split("\033[?25h")
    assert frames[0].startswith("\033[2J") and "\033[2J" not in "".join(frames[1:]), "one clearing"
    for frame in frames[:3]:
        assert frame.count("\033[H") == 1
        lines = frame.split("\r\n")
        assert len(lines) <= 8 and all(line.endswith("\033[K") for line in lines[:-1])
