# SPDX-License-Identifier: MIT
"""The packets of the MySQL protocol, from a server's side. Imports little: a test that measures memory
forks from the process that imports this."""

import struct

LARGEST_PACKET = (1 << 24) - 1
NONCE = b"abcdefghijklmnopqrst"
LONG_PASSWORD, PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH = 1, 0x200, 0x800, 0x8000, 1 << 19
WELCOME = bytes((0, 0, 0, 2, 0, 0, 0))


def greeting(plugin="mysql_native_password", tls=False, version="8.0.40"):
    """Return the first packet of a server; `plugin` is the way to log in that it names."""
    flags = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | (SSL if tls else 0)
    return b"".join((b"\x0a", version.encode(), b"\0", struct.pack("<I", 7), NONCE[:8], b"\0",
                     struct.pack("<HBHHB", flags & 0xffff, 45, 2, flags >> 16, 21), bytes(10),
                     NONCE[8:], b"\0", plugin.encode("latin1"), b"\0"))


def frame(number, payload):
    """Return a packet as it is sent."""
    return struct.pack("<I", len(payload))[:3] + bytes([number & 0xff]) + payload


def read_packet(connection, seen=None):
    """Read one packet; return its number and payload. What was read is added to `seen`. EOFError at the
    client's end."""
    head = _read_bytes(connection, 4, seen)
    return head[3], _read_bytes(connection, int.from_bytes(head[:3], "little"), seen)


def _read_bytes(connection, count, seen):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        if seen is not None:
            seen += piece
        data += piece
    return data
