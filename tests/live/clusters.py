# SPDX-License-Identifier: MIT
"""A writer and its replicas of each kind, and programs run over all of them."""

import plugin
from server import MANAGER_PASSWORD, MANAGER_USER
from servers import MONITOR_PASSWORD, MONITOR_USER

# name: (flavour, replicas, GTID, options of the servers)
KINDS = {"mariadb-gtid": ("mariadb", 2, True, []),
         "mysql-gtid": ("mysql", 2, True, []),
         "mariadb-position": ("mariadb", 1, False, []),
         "mariadb-position-quiet": ("mariadb", 1, False, ["--skip-log-slave-updates"])}
# Replicas that notice soon that their source is gone, as check_failover_ready wishes.
NET_TIMEOUT = {"mariadb": "--slave-net-timeout=10", "mysql": "--replica-net-timeout=10"}
TRIOS = ["mariadb-gtid", "mysql-gtid"]
LOGIN = ["-u", MONITOR_USER, "-p", MONITOR_PASSWORD]
MANAGER_LOGIN = ["-u", MANAGER_USER, "-p", MANAGER_PASSWORD]


def named(servers):
    """Return the options that name the servers; the n-th is db<n>."""
    return [f"--node=db{n}={server.host}:{server.port}" for n, server in enumerate(servers, 1)]


class Cluster:
    """A writer and its replicas; node names are db1 (the writer), db2, ..."""

    def __init__(self, bench, kind):
        self.bench = bench
        self.flavour, replicas, self.gtid, options = KINDS[kind] if isinstance(kind, str) else kind
        self.servers = bench.star(self.flavour, replicas, gtid=self.gtid,
                                  options=[*options, NET_TIMEOUT[self.flavour]])
        for server in self.servers:
            server.create_monitor()
            server.create_manager()
        self.writer, self.replica = self.servers[:2]
        # By SQL: nobody knows what a restart would make of it, so that no check warns of it.
        self.writer.sql("SET GLOBAL read_only = OFF", "CREATE DATABASE shop",
                        "CREATE TABLE shop.item (id INT PRIMARY KEY)")
        self.catch_up()

    def insert(self, number, server=None):
        """Insert a row, at the writer unless told otherwise; root may write where others may not."""
        (server or self.writer).sql(f"INSERT INTO shop.item VALUES ({number})")

    def catch_up(self):
        """Wait until every replica has everything."""
        for replica in self.servers[1:]:
            replica.wait_caught_up(self.writer)

    def break_applier(self, replica, number):
        """Let the SQL thread of a replica fail at a row that it has already; it is not errant."""
        replica.sql("SET sql_log_bin = 0", f"INSERT INTO shop.item VALUES ({number})")
        self.insert(number)
        replica.wait_channel(sql="No", sql_errno=1062)

    def run(self, check, *options, nodes=(), **arguments):
        """Run a check over all servers, and further nodes."""
        return plugin.run(check, *named([*self.servers, *nodes]), *LOGIN, *options, **arguments)

    def manage(self, command, *options, **arguments):
        """Run mysql_ha over all servers; a login among the options is used instead of ours."""
        return plugin.run_raw([plugin.path("mysql_ha"), command, *named(self.servers), *LOGIN,
                               *options], **arguments)
