# SPDX-License-Identifier: MIT
"""A bench of throwaway database servers in any topology, on loopback, gone when the bench is.

    with Bench() as bench:
        source, replica = bench.pair("mariadb")
        replica.stop_replication(thread="SQL")
        replica.wait_channel(sql="No")

The bench ends exactly the processes that it started, by their ids: at the end of the block, on an
exception, on Ctrl-C and on SIGTERM; when it is killed itself, the kernel kills its servers and the
next bench removes what it left in the file system.

Server (server.py) says what one server can do. Proxy, SilentListener and BlackHole (network.py) and
Authority (certificates.py) belong to the same instrument.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path

from server import (MONITOR_PASSWORD, MONITOR_USER, Channel, MariaDb, MySql, Server,  # noqa: F401
                    wait_until)

FLAVOURS = {"mariadb": MariaDb, "mysql": MySql}
_PREFIX = "ha-bench-"
# Below the ephemeral range: no outgoing connection takes the port of a server that restarts.
_PORTS = range(20000, 30000)


class Bench:
    """A context manager that owns servers, their ports and one directory."""

    def __init__(self):
        self.servers = []
        self._port_claims = []
        self._closers = contextlib.ExitStack()

    def __enter__(self):
        parent = _parent_directory()
        _remove_abandoned(parent)
        self.directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._claim = _lock(self.directory)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                previous = signal.signal(number, _exit_by_signal)
                self._closers.callback(signal.signal, number, previous)
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()
        self._closers.close()
        shutil.rmtree(self.directory)
        os.close(self._claim)
        for claim in self._port_claims:
            claim.close()

    def free_port(self):
        """Return a loopback port that no other bench uses while this one exists."""
        for port in random.sample(_PORTS, len(_PORTS)):
            claim = socket.socket(socket.AF_UNIX)
            try:
                # An abstract socket is a lock that the kernel releases, whatever ends us.
                claim.bind(f"\0monitoring-plugins-ha:port:{port}")
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
            self._port_claims.append(claim)
            return port
        raise RuntimeError("no free port")

    def new_server(self, flavour, *, name=None, options=(), tls=None):
        """Return a server of flavour mariadb or mysql that is not started yet."""
        name = name or f"db{len(self.servers) + 1}"
        server = FLAVOURS[flavour](name, str(self.directory / name), self.free_port(), options, tls)
        self.servers.append(server)
        return server

    def start(self, flavour, count=1, **arguments):
        """Start `count` servers at the same time and return them as a list."""
        return start_all([self.new_server(flavour, **arguments) for _ in range(count)])

    def server(self, flavour, **arguments):
        """Start and return one server."""
        return self.start(flavour, **arguments)[0]

    def pair(self, flavour, *, options=(), **replication):
        """Return [source, replica], replicating; keywords as of replicate()."""
        return self.chain(flavour, 2, options=options, **replication)

    def chain(self, flavour, length, *, options=(), **replication):
        """Return servers each of which replicates from the one before it; all but the first are
        read-only."""
        servers = self.start(flavour, length, options=options)
        for source, replica in zip(servers, servers[1:]):
            replica.sql("SET GLOBAL read_only = ON")
            replicate(replica, source, **replication)
        return servers

    def star(self, flavour, replicas, *, options=(), **replication):
        """Return [source, replica, ...], all replicas read-only and attached to the one source."""
        source, *others = self.start(flavour, replicas + 1, options=options)
        for replica in others:
            replica.sql("SET GLOBAL read_only = ON")
            replicate(replica, source, **replication)
        return [source, *others]

    def two_sources(self, flavour, names=("east", "west"), **replication):
        """Return [source, source, replica]; the replica has one named channel for each source."""
        *sources, replica = self.start(flavour, 3)
        replica.sql("SET GLOBAL read_only = ON")
        if flavour == "mariadb":  # GTIDs of two independent sources need a domain each.
            for domain, source in enumerate(sources, 1):
                source.sql(f"SET GLOBAL gtid_domain_id = {domain}")
        for name, source in zip(names, sources):
            replicate(replica, source, channel=name, **replication)
        return [*sources, replica]

    def add(self, closeable):
        """Close `closeable` (a proxy, a listener) with the bench; return it."""
        self._closers.callback(closeable.close)
        return closeable


def start_all(servers):
    """Start servers at the same time; return them when all answer."""
    for server in servers:
        server.start(wait=False)
    for server in servers:
        server.wait_ready()
    return servers


def replicate(replica, source, channel="", *, gtid=True, position=None, through=None, wait=True,
              **settings):
    """Make `replica` follow `source` and start both threads.

    With GTIDs the replica fetches whatever it lacks; gtid=False uses file and position and begins at
    the source's present end, or at `position`. `through` is a (host, port) to connect to instead of the
    source's own, e.g. a proxy's address. Settings: delay (s), heartbeat_period (s), tls_ca (file),
    user, password.
    """
    host, port = through or (source.host, source.port)
    replica.change_source(host, port, channel, gtid=gtid, position=position or source.position(),
                          **settings)
    replica.start_replication(channel)
    if wait:
        replica.wait_channel(channel, io="Yes", sql="Yes")


def _exit_by_signal(number, _frame):
    raise SystemExit(128 + number)


def _parent_directory():
    """Return a directory in memory where there is one with room, else the usual temporary one."""
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30:
        return memory
    return Path(tempfile.gettempdir())


def _lock(directory):
    """Lock a directory for as long as we live; return the descriptor, or None if another process has it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor
    except BlockingIOError:
        os.close(descriptor)
        return None


def _remove_abandoned(parent):
    """Remove the directories of benches that were killed."""
    for directory in parent.glob(_PREFIX + "*"):
        with contextlib.suppress(FileNotFoundError):
            # One that is seconds old may belong to a bench that has not locked it yet.
            if time.time() - directory.stat().st_mtime < 60:
                continue
            descriptor = _lock(directory)
            if descriptor is not None:
                shutil.rmtree(directory, ignore_errors=True)
                os.close(descriptor)
