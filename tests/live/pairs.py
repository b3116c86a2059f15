# SPDX-License-Identifier: MIT
"""What the live tests share: replicating pairs of each kind, and checks run against a server."""

import plugin
from servers import MONITOR_PASSWORD, MONITOR_USER

# name: (flavour, GTID)
KINDS = {"mariadb-position": ("mariadb", False),
         "mariadb-gtid": ("mariadb", True),
         "mysql-gtid": ("mysql", True)}
FLAVOURS = ("mariadb", "mysql")


class Pair:
    """A source and its read-only replica, with the monitoring account on both."""

    def __init__(self, bench, kind, **replication):
        self.flavour, gtid = KINDS[kind]
        self.source, self.replica = bench.pair(self.flavour, gtid=gtid, **replication)
        self.source.create_monitor()
        self.replica.create_monitor()
        self.source.sql("CREATE DATABASE shop",
                        "CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(80)) "
                        "CHARACTER SET utf8mb4")

    def insert(self, number, name=""):
        """Insert one row at the source."""
        self.source.sql(f"INSERT INTO shop.item VALUES ({number}, '{name}')")

    def caught_up(self):
        """Wait until the replica has everything; return the pair."""
        self.replica.wait_caught_up(self.source)
        return self


def login(server):
    """Return the options that reach a server over TCP with the monitoring account."""
    return ["-H", server.host, "-P", str(server.port), "-u", MONITOR_USER, "-p", MONITOR_PASSWORD]


def watch(server, check, *options, **arguments):
    """Run a check against a server."""
    return plugin.run(check, *login(server), *options, **arguments)
