# SPDX-License-Identifier: MIT
"""Loopback endpoints that misbehave: a proxy that delays or swallows, a server that never speaks, an
address that never answers. Close them, or give them to Bench.add()."""

import contextlib
import select
import socket
import threading
import time


class Proxy:
    """A TCP proxy on a loopback port, a free one by default, whose faults can be changed while it runs."""

    def __init__(self, target, delay_s=0.0, address=("127.0.0.1", 0)):
        self.target = target  # (host, port)
        self.delay_s = delay_s  # added to every piece of data, each way
        self.swallowing = False  # data are read and thrown away, connections stay open
        self.refusing = False  # new connections are closed at once
        self.from_clients = bytearray()  # what clients have sent
        self._pairs = []
        self._listener = _listen(address=address)
        self.host, self.port = self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Close every connection that exists, as a failing network device does."""
        for end in [end for pair in self._pairs for end in pair]:
            _shut(end)
        self._pairs.clear()

    def close(self):
        """Stop accepting and close everything."""
        _shut(self._listener)
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        pair = (client, server)
        self._pairs.append(pair)
        other = {client: server, server: client}
        with client, server, contextlib.suppress(OSError, ValueError):
            while True:
                for end in select.select(pair, [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is client:
                        self.from_clients += data
                    time.sleep(self.delay_s)
                    if not self.swallowing:
                        other[end].sendall(data)


class SilentListener:
    """Accepts connections and never sends a byte."""

    def __init__(self):
        self._listener = _listen()
        self.clients = []
        self.host, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Close the listener and what it accepted."""
        for end in [self._listener, *self.clients]:
            _shut(end)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.clients.append(self._listener.accept()[0])


class BlackHole:
    """A port whose connection requests get no answer at all, neither acceptance nor refusal.

    A listener whose queue is full makes the kernel drop them, as a firewall would."""

    def __init__(self):
        self._listener = _listen(backlog=0)
        self.host, self.port = address = self._listener.getsockname()
        self._fillers = []
        while self._fill(address):
            pass

    def close(self):
        """Close the listener and the connections that fill its queue."""
        for end in [self._listener, *self._fillers]:
            end.close()

    def _fill(self, address):
        """Add one connection to the queue; return False when it did not get in any more."""
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(address)
        self._fillers.append(filler)
        return bool(select.select([], [filler], [], 0.2)[1])


def _listen(backlog=128, address=("127.0.0.1", 0)):
    listener = socket.socket()
    listener.bind(address)
    listener.listen(backlog)
    return listener


def _shut(end):
    """Close a socket that another thread may be waiting on, and wake that thread."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
