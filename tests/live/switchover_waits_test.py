# SPDX-License-Identifier: MIT
"""mysql_ha switchover on three nodes whose replicas all wait for one primary."""

import threading

import pytest

import plugin
from pairs import KINDS
from server import REPLICATION_PASSWORD, REPLICATION_USER

QUICK_S = 5  # A step that hangs takes longer.


def start(bench, kind, semi_sync=False):
    """Start a primary and two replicas; return (servers, options of mysql_ha)."""
    flavour, gtid = KINDS[kind]
    servers = bench.star(flavour, 2, gtid=gtid)
    options = ["--username", "root", "--state-dir", bench.directory / "state",
               "--repl-username", REPLICATION_USER, "--repl-password", REPLICATION_PASSWORD]
    for number, server in enumerate(servers, 1):
        server.create_user("root", "", ["ALL ON *.*"])
        if semi_sync:
            server.enable_semi_sync(timeout_ms=10)
        options += ["--node", f"db{number}={server.host}:{server.port}"]
    return servers, options


@pytest.mark.parametrize("kind, semi_sync", [
    ("mariadb-position", False), ("mariadb-gtid", True), ("mysql-gtid", True)])
def test_nobody_waits_for_what_the_tool_itself_holds(bench, kind, semi_sync):
    servers, options = start(bench, kind, semi_sync)
    old, new, _ = servers
    # A semi-sync replica has waited in vain for replicas of its own when it has applied this.
    old.sql("CREATE DATABASE shop")
    for replica in servers[1:]:
        replica.wait_caught_up(old)
    done = plugin.run_raw([plugin.path("mysql_ha"), "switchover", "--to", "db2", *options])
    assert done.code == 0, done.out
    assert done.seconds < QUICK_S, done.out
    assert [server.value("@@GLOBAL.read_only") for server in servers] == [1, 0, 1]
    for server in servers:
        if server is not new:
            server.wait_channel(io="Yes", sql="Yes", source_port=new.port)


def test_a_lock_of_a_run_that_has_just_ended_is_waited_for(bench):
    (_, new, _), options = start(bench, "mariadb-gtid")
    earlier = new.connect()
    with earlier.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('monitoring-plugins-ha:mysql', 0)")
    end = threading.Timer(0.3, earlier.close)
    end.start()
    done = plugin.run_raw([plugin.path("mysql_ha"), "switchover", "--to", "db2", *options])
    end.join()
    assert done.code == 0, done.out


@pytest.mark.parametrize("kind", ["mariadb-position"])
def test_an_account_that_may_not_read_positions_changes_nothing(bench, kind):
    servers, options = start(bench, kind)
    for server in servers:
        server.create_user("ha", "secret", [f"{grant} ON *.*" for grant in (
            "REPLICA MONITOR", "REPLICATION SLAVE ADMIN", "READ_ONLY ADMIN", "RELOAD")])
    account = ["--username", "ha", "--password", "secret"]
    done = plugin.run_raw([plugin.path("mysql_ha"), "switchover", *options, *account])
    assert done.code == 2 and "BINLOG MONITOR" in done.out, done.out
    assert done.seconds < QUICK_S
    assert [server.value("@@GLOBAL.read_only") for server in servers] == [0, 1, 1]
    servers[0].kill()
    done = plugin.run_raw([plugin.path("mysql_ha"), "failover", "--fence-command", "/bin/true",
                           *options, *account])
    assert done.code == 2 and "BINLOG MONITOR" in done.out, done.out
    assert [server.value("@@GLOBAL.read_only") for server in servers[1:]] == [1, 1]
