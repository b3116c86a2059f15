# SPDX-License-Identifier: MIT
"""A MySQL server that says what a test wants it to say, and remembers all that it was given."""

import dataclasses
import socket
import ssl
import struct
import threading

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mysql_packets import NONCE, frame, greeting, read_packet

DENIED = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user"
KNOWN_ALREADY, PASSWORD_WANTED = b"\x01\x03", b"\x01\x04"


def switch(plugin, data=NONCE + b"\0"):
    """Return the packet that asks for another way to log in; `data` is its first word."""
    return b"\xfe" + plugin.encode("latin1") + b"\0" + data


class RsaKey:
    """The key of a server that lets passwords be wrapped with it."""

    def __init__(self):
        self._key = rsa.generate_private_key(65537, 1024)
        self.packet = b"\x01" + self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def unwrap(self, packet):
        """Return the password that a client wrapped, None when it did not."""
        try:
            text = self._key.decrypt(packet, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(),
                                                          None))
        except ValueError:
            return None
        return bytes(byte ^ NONCE[i % len(NONCE)] for i, byte in enumerate(text))


@dataclasses.dataclass
class Client:
    """What one client sent: the bytes outside of TLS, and the packets, within TLS or not."""
    clear: bytearray = dataclasses.field(default_factory=bytearray)
    packets: list = dataclasses.field(default_factory=list)


class HostileMysql:
    """Greets, then answers each packet of a client with the next of `steps`; at last denies access.
    A step is a packet, or several in a tuple.
    `certificate` is what it shows when a client wants TLS. Listens on `path`, else on a free port."""

    def __init__(self, first=None, steps=(), certificate=None, path=None, bytewise=False):
        self.first = first or greeting(tls=certificate is not None)
        self.steps = [*steps, DENIED]
        self.clients = []
        self._bytewise = bytewise  # each byte of the greeting comes alone
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.cert, certificate.key)
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
            self.login = ["-H", str(path)]
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.login = ["-H", "127.0.0.1", "-P", str(self._listener.getsockname()[1])]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    @property
    def sent(self):
        """Return all packets of all clients."""
        return [packet for client in self.clients for packet in client.packets]

    @property
    def clear(self):
        """Return all that clients sent outside of TLS."""
        return b"".join(bytes(client.clear) for client in self.clients)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            client = Client()
            self.clients.append(client)
            thread = threading.Thread(target=self._serve, args=(connection, client), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection, client):
        connection.settimeout(10)
        try:
            self._talk(connection, client)
        except (OSError, EOFError):
            pass  # the client has gone, as it should
        finally:
            connection.close()

    def _talk(self, connection, client):
        clear = client.clear
        pieces = [frame(0, self.first)]
        if self._bytewise:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pieces = [bytes([byte]) for byte in pieces[0]]
        for piece in pieces:
            connection.sendall(piece)
        number, packet = read_packet(connection, clear)
        if len(packet) == 32 and self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
            clear = bytearray()
            number, packet = read_packet(connection, clear)
        for step in self.steps:
            client.packets.append(packet)
            for packet in step if isinstance(step, tuple) else (step,):
                number += 1
                connection.sendall(frame(number, packet))
            if step is DENIED:
                return
            number, packet = read_packet(connection, clear)
