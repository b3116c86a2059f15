# SPDX-License-Identifier: MIT
"""A client that goes on writing while the role of the primary moves."""

import contextlib
import dataclasses
import itertools
import threading
import time

import pymysql

from servers import wait_until

APP_USER, APP_PASSWORD = "app", "app-secret"
ADMIN_USER, ADMIN_PASSWORD = "admin", "admin-secret"  # may do anything


@dataclasses.dataclass
class Write:
    """A row that a server acknowledged, and when it was asked and answered (monotonic seconds)."""
    number: int
    server: str
    asked: float
    answered: float


class Writer:
    """Inserts rows, `rate` a second, into whichever server accepts writes, and notes what was
    acknowledged. Each row is tried once: one without an answer may be there or not, and it is waited
    for `patience_s`. A session to each server stays open.

    `as_admin` uses an account that read_only does not stop. `machine` of a Lan is where it runs, and
    `poll_s` how long it waits when no server accepts writes."""

    _numbers = itertools.count(1000)  # no two writers ever use the same

    def __init__(self, cluster, rate=200, as_admin=False, patience_s=30.0, machine=None,
                 poll_s=0.0005):
        self._cluster, self._rate, self._patience_s = cluster, rate, patience_s
        self._machine, self._poll_s = machine, poll_s
        user, password = (ADMIN_USER, ADMIN_PASSWORD) if as_admin else (APP_USER, APP_PASSWORD)
        self._account = {"user": user, "password": password}
        self.writes = []
        self.errors = []
        self._sessions, self._server = {}, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.start()
        self.wait_for(5)
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        """Begin, whether or not a server accepts writes yet."""
        self._thread.start()

    def end(self):
        """Stop, when the row that was asked last is answered or given up."""
        self._stop.set()
        self._thread.join(self._patience_s + 10)
        assert not self._thread.is_alive()
        for name in list(self._sessions):
            self._forget(name)

    @property
    def numbers(self):
        """Return the numbers of the rows that were acknowledged."""
        return {write.number for write in list(self.writes)}

    def lost(self, rows):
        """Return the acknowledged numbers that are not among `rows`."""
        return self.numbers - rows

    def by(self, server):
        """Return what a server has acknowledged."""
        return [write for write in list(self.writes) if write.server == server]

    def wait_for(self, count, server=None):
        """Wait until `count` more rows were acknowledged, by `server` if one is given."""
        def of_server():
            return len(self.by(server) if server else self.writes)
        wanted = of_server() + count
        wait_until(lambda: of_server() >= wanted, 60, f"{count} writes; last {self.errors[-3:]}")

    def first_at(self, server):
        """Return the first write that a server acknowledged."""
        return self.by(server)[0]

    def gap(self, since=0.0):
        """Return the longest time between two acknowledgements after `since`, in seconds."""
        times = [write.answered for write in list(self.writes) if write.answered >= since]
        return max(after - before for before, after in zip(times, times[1:]))

    def _run(self):
        if self._machine is not None:
            self._machine.enter()
        due = time.monotonic()
        while not self._stop.is_set():
            if self._server is None:
                self._find()
                continue
            due = max(due + 1 / self._rate, time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self._insert()
            except (pymysql.err.MySQLError, OSError) as error:
                self.errors.append((time.monotonic(), self._server.name, error))
                self._forget(self._server.name)
                self._server = None

    def _find(self):
        """Find the server that accepts writes, as a client behind a proxy or a virtual IP does."""
        for server in self._cluster.alive():
            try:
                if self._accepts_writes(server):
                    self._server = server
                    return
            except (pymysql.err.MySQLError, OSError):
                self._forget(server.name)
        time.sleep(self._poll_s)

    def _accepts_writes(self, server):
        if server.name not in self._sessions:
            self._sessions[server.name] = server.connect(1.0, unix_socket=None, host=server.host,
                                                         port=server.port, **self._account)
        session = self._sessions[server.name]
        session._read_timeout = 1.0
        with session.cursor() as cursor:
            cursor.execute("SELECT @@GLOBAL.read_only AS closed")
            return cursor.fetchone()["closed"] == 0

    def _insert(self):
        session, number = self._sessions[self._server.name], next(self._numbers)
        session._read_timeout = self._patience_s  # An insert may wait for a replica.
        asked = time.monotonic()
        with session.cursor() as cursor:
            cursor.execute(f"INSERT INTO shop.item VALUES ({number}, '')")
        self.writes.append(Write(number, self._server.name, asked, time.monotonic()))

    def _forget(self, name):
        session = self._sessions.pop(name, None)
        if session is not None:
            with contextlib.suppress(pymysql.err.MySQLError, OSError):
                session._force_close()  # close() would say goodbye to one that does not listen
