# SPDX-License-Identifier: MIT
"""A primary and its replicas with the accounts that programs work with, and the state of servers to
compare."""

import concurrent.futures
import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pymysql

import plugin
from server import (MANAGER_PASSWORD, MANAGER_USER, MONITOR_PASSWORD, MONITOR_USER,
                    REPLICATION_PASSWORD, REPLICATION_USER)
from servers import replicate, wait_until
from writer import ADMIN_PASSWORD, ADMIN_USER, APP_PASSWORD, APP_USER

MYSQL_WITHOUT_GTID = ("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
# name: (flavour, GTID, options of the servers)
KINDS = {"mariadb-gtid": ("mariadb", True, ()),
         "mariadb-position": ("mariadb", False, ()),
         "mysql-gtid": ("mysql", True, ()),
         "mysql-position": ("mysql", False, MYSQL_WITHOUT_GTID)}
GTID_KINDS = ("mariadb-gtid", "mysql-gtid")
# What checks are tried with; name: (kind, nodes, options of the servers)
WATCHED_KINDS = {"mariadb-gtid": ("mariadb-gtid", 3, ()),
                 "mysql-gtid": ("mysql-gtid", 3, ()),
                 "mariadb-position": ("mariadb-position", 2, ()),
                 "mariadb-position-quiet": ("mariadb-position", 2, ("--skip-log-slave-updates",))}
# Replicas that notice soon that their source is gone, as check_failover_ready wishes.
NET_TIMEOUT = {"mariadb": "--slave-net-timeout=10", "mysql": "--replica-net-timeout=10"}
DAY_MS = 86400000
LOGIN = ["-u", MONITOR_USER, "-p", MONITOR_PASSWORD]
MANAGER_LOGIN = ["-u", MANAGER_USER, "-p", MANAGER_PASSWORD]


def named(servers):
    """Return the options that name the servers; the n-th is db<n>."""
    return [f"--node=db{n}={server.host}:{server.port}" for n, server in enumerate(servers, 1)]


def watched(bench, name):
    """Return a cluster of one of WATCHED_KINDS."""
    kind, nodes, options = WATCHED_KINDS[name]
    return Cluster(bench, kind, nodes, options=(*options, NET_TIMEOUT[KINDS[kind][0]]))


class Cluster:
    """A primary, db1, and its read-only replicas db2, db3, ...: of one of KINDS.

    `replication` are settings of replicate(), such as tls_ca."""

    # Lines of the cluster file that do not depend on the servers.
    settings = ("fence-command=true", "retries=1", "probe-timeout=2")
    environment = {"PATH": os.environ["PATH"]}

    def __init__(self, bench, kind, nodes=3, *, semi_sync=False, options=(), tls=None,
                 **replication):
        self.bench, self.kind, self.semi_sync = bench, kind, semi_sync
        self.flavour, self.gtid, needed = KINDS[kind]
        self._replication = replication
        self.servers = bench.start(self.flavour, nodes, options=(*needed, *options), tls=tls)
        for number, server in enumerate(self.servers, 1):
            server.name = f"db{number}"
            server.create_monitor()
            server.create_manager()
            server.create_user(APP_USER, APP_PASSWORD, ["ALL ON shop.*"])
            server.create_user(ADMIN_USER, ADMIN_PASSWORD, ["ALL ON *.*"])
        self._compose()

    def __getattr__(self, name):
        """db1, db2, ... are the servers."""
        for server in self.__dict__.get("servers", ()):
            if server.name == name:
                return server
        raise AttributeError(name)

    def start_over(self):
        """Make everything as it is in a new cluster, whatever state it is in; no run is known."""
        for server in self.servers:
            if server.running:
                server.thaw()
            else:
                server.start(wait=False)
        _each(self.servers, lambda server: server.wait_ready())
        if self.semi_sync:
            _each(self.servers, _end_waits)
        _each(self.servers, lambda server: server.start_over())
        self._compose()

    def _compose(self):
        """Make a cluster of servers that have no data and no binlog."""
        primary, *replicas = self.servers
        if self.semi_sync:
            # Nobody acknowledges the first transactions: they are waited for, but not for long.
            _each(self.servers, lambda server: server.enable_semi_sync(timeout_ms=10))
        begin = primary.position()
        # By SQL: no check can tell what a restart would make of it, so none warns of it.
        primary.sql("SET GLOBAL read_only = OFF", "CREATE DATABASE shop",
                    "CREATE TABLE shop.item (id INT PRIMARY KEY, note VARCHAR(200))")
        _each(replicas, lambda server: self._follow(server, primary, begin))
        if self.semi_sync:
            _each(self.servers, lambda server: server.set_semi_sync_timeout(60000))
            wait_until(primary.waits_for_replicas, what="db1 to wait for its replicas")
        self.directory = Path(tempfile.mkdtemp(dir=self.bench.directory))
        self.state_dir = self.directory / "state"
        self.state_dir.mkdir(mode=0o700)
        self.config = self.directory / "cluster.conf"
        self.write_config()
        self.watch()

    def watch(self):
        """Look at the cluster once, as its monitoring does all the time: what is seen is remembered."""
        wait_until(lambda: "last seen" not in self.run("status").out, what="all nodes to be seen")

    def memory(self):
        """Return what is remembered of the cluster."""
        return json.loads((self.state_dir / "mysql/memory.json").read_text())

    def _follow(self, replica, source, begin):
        """Make a server without data a read-only replica that has all that its source has."""
        replicate(replica, source, gtid=self.gtid, position=begin, **self._replication)
        replica.wait_caught_up(source)
        replica.sql("SET GLOBAL read_only = ON")

    def write_config(self, *lines, nodes=None, as_admin=False):
        """Write the cluster file, with further lines; of the first `nodes` servers; for the manager's
        account unless that of an administrator is wanted."""
        user, password = ((ADMIN_USER, ADMIN_PASSWORD) if as_admin
                          else (MANAGER_USER, MANAGER_PASSWORD))
        content = [f"username={user}", f"password={password}",
                   f"repl-username={REPLICATION_USER}", f"repl-password={REPLICATION_PASSWORD}",
                   f"state-dir={self.state_dir}", *self.settings, *self.node_lines(nodes), *lines]
        self.config.write_text("\n".join(content) + "\n")
        self.config.chmod(0o600)

    def node_lines(self, nodes=None):
        """Return the lines of a cluster file that name the first `nodes` servers."""
        return [f"node={server.name}={server.host}:{server.port}" for server in self.servers[:nodes]]

    def command(self, *words):
        """Return the command line of mysql_ha, or of handle_mysql_failover when it is `handler`."""
        if words[0] == "handler":
            words = ("--state", "CRITICAL", "--state-type", "HARD", *words[1:])
            return [plugin.path("handle_mysql_failover"), "--cluster", self.config, *words]
        return [plugin.path("mysql_ha"), *words, "--cluster", self.config]

    def run(self, *words, **faults):
        """Run mysql_ha (or the handler) to its end; e.g. run("failover", "--fence", "none").

        Faults are those of faults.cc: KILL_AT, KILL_WHEN, REFUSED_PORT,
        UNASKED_PORT, IPV6_OFF, CLOCK_AHEAD."""
        return plugin.run_raw(self.command(*words), env={**self.environment, **_with(faults)})

    def begin(self, *words, **faults):
        """Start mysql_ha and return the process, which the caller waits for."""
        return subprocess.Popen([str(word) for word in self.command(*words)],
                                env={**self.environment, **_with(faults)},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def hook(self, name, body):
        """Write a shell script and return its path, for options that take a command."""
        path = self.directory / name
        path.write_text("#!/bin/sh\n" + body)
        path.chmod(0o700)
        return str(path)

    def journals(self):
        """Return the ids and outcomes of all runs, as `mysql_ha journal` lists them."""
        listed = self.run("journal")
        assert listed.code == 0, listed.out
        return [(line.split()[0], line.rsplit("  ", 1)[-1].split(", kept for")[0].strip())
                for line in listed.out.splitlines()]

    def begun_at(self, action):
        """Return when the last run first did an action, in seconds since the epoch."""
        path = sorted(self.state_dir.glob("mysql/*.journal"))[-1]
        begin, *records = [json.loads(line) for line in path.read_text().splitlines()]
        number = next(str(step["number"]) for step in json.loads(begin["plan"])["steps"]
                      if step["action"] == action)
        return next(float(record["time"]) for record in records
                    if (record["event"], record.get("number")) == ("step-begins", number))

    def check(self, name, *options, nodes=(), **arguments):
        """Run a check over all servers, and further nodes, with the account for monitoring."""
        return plugin.run(name, *named([*self.servers, *nodes]), *LOGIN, *options, **arguments)

    def manage(self, command, *options, **arguments):
        """Run mysql_ha without a cluster file and with the account for monitoring; a login among the
        options is used instead."""
        return plugin.run_raw([plugin.path("mysql_ha"), command, *named(self.servers), *LOGIN,
                               *options], **arguments)

    # What the servers say

    def alive(self):
        """Return the servers that run."""
        return [server for server in self.servers if server.running]

    def writers(self, servers=None):
        """Return the names of the servers that accept writes, among those that run."""
        return [s.name for s in servers or self.alive() if s.value("@@GLOBAL.read_only") == 0]

    def insert(self, *numbers, server=None, size=0):
        """Insert rows at the primary, or at another server with an administrator's rights."""
        (server or self.db1).sql(*(f"INSERT INTO shop.item VALUES ({n}, REPEAT('x', {size}))"
                                   for n in numbers))

    def break_applier(self, replica, number):
        """Let the SQL thread of a replica fail at a row that it has already; it is not errant."""
        replica.sql("SET sql_log_bin = 0", f"INSERT INTO shop.item (id) VALUES ({number})")
        self.insert(number)
        replica.wait_channel(sql="No", sql_errno=1062)

    def catch_up(self):
        """Wait until every replica of db1 has applied everything."""
        for replica in self.servers[1:]:
            replica.wait_caught_up(self.db1)

    def lose(self, primary, *replicas):
        """End a primary as a crash would, and wait until all its replicas, or these, have noticed."""
        primary.kill()
        for replica in replicas or self.alive():
            wait_until(lambda r=replica: all(c.io != "Yes" for c in r.channels()
                                             if c.source_port == primary.port),
                       what=f"{replica.name} to miss {primary.name}")

    def wait_received(self, replica):
        """Wait until a replica has received, applied or not, everything that db1 has written."""
        end = self.db1.position()
        wait_until(lambda: received(replica.channels()[0]) >= end,
                   what=f"{replica.name} to receive")

    def lose_contact(self, *replicas):
        """Stop what replicas receive, so that they lack what is written from now on."""
        for replica in replicas:
            replica.stop_replication(thread="IO")

    def wait_until_all_follow(self, primary, servers=None):
        """Wait until all servers that run replicate from `primary` and have what it has."""
        for replica in servers or [s for s in self.alive() if s is not primary]:
            channels = replica.channels()
            assert [c.source_port for c in channels] == [primary.port], (replica.name, channels)
            replica.wait_channel(channels[0].name, io="Yes", sql="Yes", source_port=primary.port)
            replica.wait_caught_up(primary, channels[0].name)
            assert rows(replica) == rows(primary), replica.name

    def primary(self):
        """Return the only server that accepts writes."""
        name, = self.writers()
        return getattr(self, name)

    def assert_one_primary(self, primary, servers=None):
        """Assert that `primary` alone accepts writes and that everybody follows it."""
        assert self.writers() == [primary.name]
        assert primary.channels() == []
        self.wait_until_all_follow(primary, servers)

    def snapshot(self, strict=True):
        """Return all settings and the replication of all servers that run, to be compared; strict:
        with the threads of replication, which have other ids when they were started again."""
        return {server.name: _snapshot(server, strict) for server in self.alive()}


def make_lossless(cluster):
    """Let the primary of a semi-sync cluster acknowledge nothing that exists once; its replicas wait for
    none of their own."""
    source, replica = {"mariadb": ("master", "slave"), "mysql": ("source", "replica")}[cluster.flavour]
    for server in cluster.servers:
        server.sql(f"SET GLOBAL rpl_semi_sync_{source}_wait_point = AFTER_SYNC",
                   f"SET GLOBAL rpl_semi_sync_{source}_wait_no_{replica} = ON")
        server.set_semi_sync_timeout(DAY_MS)
    for server in cluster.servers[1:]:
        server.sql(f"SET GLOBAL rpl_semi_sync_{source}_enabled = OFF")
    cluster.watch()


def wait_for_no_absent_replica(cluster):
    """Let a semi-sync primary that has no replica acknowledge at once, as the README's lines do."""
    setting = {"mariadb": "master_wait_no_slave", "mysql": "source_wait_no_replica"}[cluster.flavour]
    for server in cluster.servers:
        server.sql(f"SET GLOBAL rpl_semi_sync_{setting} = OFF")


def fail_over_twice(cluster, primary, binlog_tool):
    """Kill a primary and then its successor, and let both return: the first is a replica then, the
    second has a row that nobody else has, which is saved."""
    cluster.lose(primary)
    outcome = cluster.run("handler")
    assert outcome.code == 0, outcome.out
    new = cluster.primary()
    primary.start()
    outcome = cluster.run("rejoin", primary.name)
    assert outcome.code == 0, outcome.out
    cluster.assert_one_primary(new)
    assert cluster.run("journal", "ack").code == 0
    cluster.lose(new)
    outcome = cluster.run("handler")
    assert outcome.code == 0, outcome.out
    new.start()
    cluster.insert(77, server=new)
    outcome = cluster.run("rejoin", new.name, "--binlog-command", binlog_tool)
    assert outcome.code == 2 and "1 transaction " in outcome.out, outcome.out
    saved, = cluster.state_dir.glob("*/*.extra.sql")
    assert "77" in saved.read_text()


def _with(faults):
    """Return the environment in which a program has these faults."""
    if not faults:
        return {}
    return {"LD_PRELOAD": str(plugin.BUILD / "tests/faults.so"),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
            **{name: str(value) for name, value in faults.items()}}


def received(channel):
    """Return (file, position) in the source's binary log up to where a channel has received it."""
    row = channel.row
    return (row.get("Source_Log_File", row.get("Master_Log_File")),
            row.get("Read_Source_Log_Pos", row.get("Read_Master_Log_Pos")))


def rows(server):
    """Return the ids of the rows that a server has."""
    return {row["id"] for row in server.sql("SELECT id FROM shop.item")}


def _end_waits(server):
    """End semi-sync: what still waits for replicas could not be stopped."""
    try:
        server.disable_semi_sync()
    except pymysql.err.OperationalError:
        # MariaDB was once seen not to end its thread that reads acknowledgements, in a minute.
        server.kill()
        server.start()


def _each(servers, action):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(action, servers))


# These move in a server that nobody touches: clocks, heartbeats, attempts to reach a dead source.
_RESTLESS = ("seconds_behind", "last_io_err", "_state", "heartbeat", "io_running", "timestamp",
             "relay_log", "executed_log", "event_time", "time_diff")


def _snapshot(server, strict):
    facts = {row["Variable_name"]: row["Value"] for row in server.sql("SHOW GLOBAL VARIABLES")}
    for channel in server.channels():
        for name, value in channel.row.items():
            if not any(word in name.lower() for word in _RESTLESS):
                facts[f"channel {channel.name} {name}"] = value
        facts[f"channel {channel.name} receives"] = channel.io != "No"
    facts["rows"] = rows(server)
    facts["binlog"] = server.position()
    if strict:
        facts["threads"] = [row["ID"] for row in server.sql(
            "SELECT ID FROM information_schema.processlist WHERE USER = 'system user' ORDER BY ID")]
    return facts


def changes(before, after):
    """Return what differs between two snapshots."""
    return {(name, key): (before.get(name, {}).get(key), after.get(name, {}).get(key))
            for name in {*before, *after}
            for key in {*before.get(name, {}), *after.get(name, {})}
            if before.get(name, {}).get(key) != after.get(name, {}).get(key)}


@contextlib.contextmanager
def full(server):
    """Let a server accept no more connections."""
    normal = server.value("@@GLOBAL.max_connections")
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(server.connect(60))
        first.query("SET GLOBAL max_connections = 10")
        with contextlib.suppress(Exception):
            for _ in range(20):
                stack.enter_context(server.connect())
        try:
            yield
        finally:  # By a session that is there: a new one may still be refused.
            first.query(f"SET GLOBAL max_connections = {normal}")
