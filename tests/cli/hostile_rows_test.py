# SPDX-License-Identifier: MIT
"""A server whose answers do not end, are too large, or come a piece at a time. Neither its answers
nor our own want of memory may become more than one line, in time and in little memory."""

import itertools
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

import plugin
from mysql_packets import LARGEST_PACKET, WELCOME, frame, greeting, read_packet

MEBIBYTE = 1 << 20
MOST_MEMORY = 96 * MEBIBYTE
END = b"\xfe\0\0\x02\0"


def text(value):
    """Return a short text as the protocol has it."""
    return bytes([len(value)]) + value


COLUMN = (text(b"def") + 4 * text(b"") + text(b"")
          + struct.pack("<BHIBHBH", 12, 45, 99, 253, 0, 0, 0))


class Talker:
    """One connection of a client to the hostile server."""

    def __init__(self, connection):
        self._connection = connection
        self.number = 0

    def send(self, *payloads, copies=1):
        """Send packets, as one piece so many times over."""
        data = b"".join(self._frame(payload) for payload in payloads)
        for _ in range(copies):
            self._connection.sendall(data)

    def _frame(self, payload):
        self.number += 1
        return frame(self.number - 1, payload)

    def read(self):
        """Read one packet of the client."""
        number, payload = read_packet(self._connection)
        self.number = number + 1
        return payload

    def header(self, columns=1):
        """Begin a result."""
        self.send(b"\xfc" + struct.pack("<H", columns), *[COLUMN] * columns, END)


def endless_rows(talker):
    talker.header()
    talker.send(*[text(b"a")] * 1000, copies=10 ** 9)


def endless_empty_rows(talker):
    talker.header(1000)
    talker.send(*[b"\xfb" * 1000] * 100, copies=10 ** 9)


def endless_columns(talker):
    talker.send(b"\xfc\xff\xff")
    talker.send(*[COLUMN] * 1000, copies=10 ** 9)


def gibibyte_row(talker):
    talker.header()
    talker.send(b"\xfe" + struct.pack("<Q", 1 << 30) + bytes(LARGEST_PACKET - 9))
    talker.send(bytes(LARGEST_PACKET), copies=64)


def hub(talker):
    """A replica of many sources, each with long sets of GTIDs."""
    columns = ("Replica_IO_Running", "Replica_SQL_Running", "Source_Host", "Source_Port", "Channel_Name",
               "Executed_Gtid_Set")
    head = [text(b"def") + 3 * text(b"") + text(name.encode()) + text(b"")
            + struct.pack("<BHIBHBH", 12, 45, 99, 253, 0, 0, 0) for name in columns]
    talker.send(bytes([len(columns)]), *head, END)
    gtids = b"\xfd" + struct.pack("<I", 60_000)[:3] + b"x" * 60_000
    for number in range(256):
        talker.send(b"".join(text(value) for value in (
            b"Yes", b"Yes", b"db1", b"3306", str(number).encode())) + gtids)
    talker.send(END)


def trickling_rows(talker):
    talker.header()
    while True:
        talker.send(text(b"a"))
        time.sleep(0.1)


def trickling_columns(talker):
    talker.send(b"\xfc\xff\xff")
    while True:
        talker.send(COLUMN)
        time.sleep(0.1)


def error_without_text(talker):
    talker.send(b"\xff" + struct.pack("<H", 1064) + b"#42000")


def login_without_end(talker):
    talker.send(greeting())
    talker.read()
    talker.send(bytes(LARGEST_PACKET), copies=64)


class HostileServer:
    """Greets and lets everybody in; then gives `answer` to each statement, or `login` at once."""

    def __init__(self, answer=None, login=None):
        self._answer, self._login = answer, login
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        connection.settimeout(20)
        with connection:
            try:
                self._talk(Talker(connection))
            except (OSError, EOFError):
                pass  # the client has gone, as it should

    def _talk(self, talker):
        if self._login:
            self._login(talker)
            return
        talker.send(greeting())
        talker.read()
        talker.send(WELCOME)
        while talker.read()[:1] == b"\x03":
            self._answer(talker)


def measure(*command):
    """Run a command line; return its outcome and the most memory that it had, in bytes."""
    begin = time.monotonic()
    with subprocess.Popen([plugin.path(command[0]), *map(str, command[1:])], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return (plugin.Outcome(process.returncode, out, time.monotonic() - begin),
            usage.ru_maxrss * 1024)


TOO_LARGE = "is too large (read are at most 32 MiB and 10000 rows)"
WAYS = {
    plugin.THREADS: lambda port: ["-H", "127.0.0.1", "-P", port, "-u", "u", "-t", 3],
    "check_mysql_split_brain": lambda port: ["--node", f"127.0.0.1:{port}", "-u", "u", "-t", 3],
}


def test_the_status_of_a_hub_is_not_too_large():
    with HostileServer(hub) as server:
        outcome = plugin.run(plugin.THREADS, *WAYS[plugin.THREADS](server.port))
    assert "too large" not in outcome.out, outcome.out


@pytest.mark.parametrize("check", WAYS)
@pytest.mark.parametrize("answer", [endless_rows, endless_empty_rows, endless_columns, gibibyte_row])
def test_an_answer_that_is_too_large(check, answer):
    with HostileServer(answer) as server:
        outcome, memory = measure(check, *WAYS[check](server.port))
    assert TOO_LARGE in outcome.out, outcome.out
    assert f"127.0.0.1:{server.port}" in outcome.out and "the answer to 'SHOW " in outcome.out
    assert outcome.state in ("UNKNOWN", "CRITICAL"), outcome.out  # all nodes of a set are unread
    assert outcome.seconds < 2.5, "not the end of the budget"
    assert memory < MOST_MEMORY, memory / MEBIBYTE


def test_a_login_without_end():
    with HostileServer(login=login_without_end) as server:
        outcome, memory = measure(plugin.THREADS, *WAYS[plugin.THREADS](server.port))
    assert f"127.0.0.1:{server.port}: " in outcome.out and outcome.code >= 2, outcome.out
    assert outcome.seconds < 2.5 and memory < MOST_MEMORY


@pytest.mark.parametrize("answer", [trickling_rows, trickling_columns])
def test_an_answer_that_trickles_is_not_waited_for(answer):
    with HostileServer(answer) as server:
        outcome, _ = measure(plugin.THREADS, "-H", "127.0.0.1", "-P", server.port, "-t", 1)
        assert outcome.state == "CRITICAL" and 1 <= outcome.seconds < 1.5, outcome
        # A tool has no budget that ends it: each answer has its own.
        outcome, _ = measure("mysql_ha", "status", "--node", f"127.0.0.1:{server.port}",
                             "--probe-timeout", 1)
        assert outcome.code != 0 and outcome.seconds < 3.5, outcome


def test_an_error_without_a_text_names_server_and_statement():
    with HostileServer(error_without_text) as server:
        outcome, _ = measure(plugin.THREADS, *WAYS[plugin.THREADS](server.port))
    assert (f"127.0.0.1:{server.port}: error 1064 without a text, in answer to 'SHOW "
            in outcome.out), outcome.out
    assert outcome.state == "UNKNOWN"


@pytest.mark.parametrize("check", WAYS)
def test_want_of_memory_is_one_line_and_ours(check):
    """Wherever it comes: it is no crash, and nothing that the server has done."""
    seen = set()
    with HostileServer(error_without_text) as server:
        command = [plugin.path(check), *map(str, WAYS[check](server.port))]
        for calls in itertools.count(1, 19):
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={
                "LD_PRELOAD": str(plugin.BUILD / "tests/faults.so"), "MEMORY_ENDS_AT": str(calls)})
            if "error 1064" in done.stdout:
                break  # there was enough
            assert (done.returncode, done.stderr) == (3, ""), (calls, done)
            seen.add(done.stdout)
    assert all(line.count("\n") >= 1 for line in seen)
    assert all(re.search("machine|memory|internal error", line) for line in seen), seen
    assert any("out of memory" in line for line in seen)
