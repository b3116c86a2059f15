# SPDX-License-Identifier: MIT
"""The tools that mysql_ha starts, dump and binlog readers, with a program between them and the server
who lets mysql_ha itself in and attacks only the tool."""

import contextlib
import shlex
import socket
import ssl
import threading

import pytest

import cache
from certificates import Authority
from cluster import Cluster, rows
from writer import ADMIN_PASSWORD, ADMIN_USER
from network import Proxy
from server import MANAGER_PASSWORD, MANAGER_USER
from servers import Bench

CLIENT_SSL = 0x0800
PROMPT = b"DROP DATABASE shop; -- "


# Another user of this machine comes to the tool's port first, and logs in without TLS.
STRANGER = """for word; do case $word in --port=*) port=${word#--port=} ;; esac; done
/usr/bin/python3 - "$port" <<'end' || true
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as end:
    end.settimeout(5)
    end.recv(4096)
    end.sendall(b"\\x24\\0\\0\\x01" + bytes(36))
    end.recv(1)
end"""


class ManInTheMiddle(Proxy):
    """Passes everything on until the file `begin` exists; then it does as `attack` says."""

    def __init__(self, target, begin, certificate):
        super().__init__(target)
        self.begin, self.attack, self.heard = begin, None, bytearray()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)

    def _serve(self, client):
        if not self.begin.exists():
            super()._serve(client)
            return
        # It ends as the tool or its guard ends it.
        with client, contextlib.suppress(OSError, ValueError):
            client.settimeout(10)
            self.attack(self, client)

    def listen(self, client):
        """Keep the packet that arrives next; return the number of the answer to it."""
        header = receive(client, 4)
        self.heard += header
        self.heard += receive(client, int.from_bytes(header[:3], "little"))
        return header[3] + 1

    def strip(self, client):
        """Pass on the greeting without TLS, and the rest as it is."""
        with socket.create_connection(self.target) as server:
            client.sendall(without_tls(server.recv(65536)))
            self.listen(client)

    def asking(plugin, data=b""):
        """Ask for another way to log in, with or without TLS, whose certificate is our own."""
        def attack(self, client):
            with socket.create_connection(self.target) as server:
                greeting = server.recv(65536)
            client.sendall(greeting if self.tls else without_tls(greeting))
            number = self.listen(client)
            if self.tls:
                client = self._context.wrap_socket(client, server_side=True)
                number = self.listen(client)
            answer = b"\xfe" + plugin + b"\0" + data
            with client:
                client.sendall(len(answer).to_bytes(3, "little") + bytes([number]) + answer)
                self.listen(client)
        return attack

    tls = False
    clear_text = asking(b"mysql_clear_password")
    dialog = asking(b"dialog", b"\x02" + PROMPT + b"\n")
    old_scramble = asking(b"mysql_old_password", b"AAAAAAAA\0")
    own_key = asking(b"sha256_password", b"A" * 20 + b"\0")


def receive(client, size):
    """Return so many bytes; it is an OSError when there are not."""
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def without_tls(greeting):
    """Return a server's first packet without the word that it can do TLS."""
    low = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
    can = int.from_bytes(greeting[low:low + 2], "little") & ~CLIENT_SSL
    return greeting[:low] + can.to_bytes(2, "little") + greeting[low + 2:]


class Attacked:
    """Two servers of one flavour that offer TLS; a program between us and db1 attacks the tools."""

    def __init__(self, bench, kind):
        self.authority = Authority(bench.directory)
        self.cluster = Cluster(bench, kind, nodes=2, tls=self.authority.issue("server"))
        self.begin = bench.directory / "begin"
        self.man = bench.add(ManInTheMiddle((self.cluster.db1.host, self.cluster.db1.port),
                                            self.begin, Authority(bench.directory, "other").issue(
                                                "man in the middle")))

    def configure(self, server, *lines, before=""):
        """A server is reached through the man in the middle, whose time comes when a tool starts.

        `before` is what a shell does first then."""
        cluster = self.cluster
        self.begin.unlink(missing_ok=True)
        self.man.heard.clear()
        self.man.target = (server.host, server.port)
        self.man.tls, self.man.attack = False, None
        tools = {purpose: cluster.hook(purpose, f"touch {self.begin}\n{before}\nexec " + shlex.join(
            cache.client_command(cluster.flavour, purpose)) + ' "$@"\n')
            for purpose in ("dump", "binlog")}
        cluster.write_config(*(f"{purpose}-command={tool}" for purpose, tool in tools.items()),
                             *lines)
        text = cluster.config.read_text()
        for old, new in ((f"username={MANAGER_USER}\n", f"username={ADMIN_USER}\n"),
                         (f"password={MANAGER_PASSWORD}\n", f"password={ADMIN_PASSWORD}\n"),
                         (f"node={server.name}=127.0.0.1:{server.port}",
                          f"node={server.name}=127.0.0.1:{self.man.port},"
                          f"alias=127.0.0.1:{server.port}")):
            assert old in text
            text = text.replace(old, new)
        cluster.config.write_text(text)

    def resync(self, method="dump"):
        return self.cluster.run("resync", "db2", "--from", "db1", "--method", method)

    def assert_nothing_given_away(self, outcome):
        assert self.begin.exists() and outcome.code == 2, outcome.out
        assert ADMIN_PASSWORD.encode() not in self.man.heard and ADMIN_PASSWORD not in outcome.out
        assert PROMPT.decode().strip() not in outcome.out
        assert not list(self.cluster.state_dir.glob("mysql/*.plugins"))
        assert not list(self.cluster.state_dir.glob("mysql/*.cnf"))
        assert 1 in rows(self.cluster.db2)


@pytest.fixture(scope="module", params=["mariadb-gtid", "mysql-gtid"])
def attacked(request):
    """Shared: an attack that fails changes nothing."""
    with Bench() as bench:
        servers = Attacked(bench, request.param)
        servers.cluster.insert(1)
        servers.cluster.catch_up()
        yield servers


REFUSED = "db1: TLS is required but the server does not offer it"


@pytest.mark.parametrize("mode", ["required", "verify-ca", "verify-identity"])
def test_nothing_is_sent_where_tls_is_stripped(attacked, mode):
    attacked.configure(attacked.cluster.db1, f"ssl-mode={mode}", f"ca-cert={attacked.authority.cert}")
    attacked.man.attack = ManInTheMiddle.strip
    outcome = attacked.resync()
    attacked.assert_nothing_given_away(outcome)
    # At most the wish for TLS.
    assert len(attacked.man.heard) <= 36, attacked.man.heard
    assert ADMIN_USER.encode() not in attacked.man.heard
    if mode != "verify-identity" and attacked.cluster.flavour == "mariadb":
        assert REFUSED in outcome.out, outcome.out


@pytest.mark.parametrize("attack", ["clear_text", "dialog", "old_scramble", "own_key"])
def test_a_tool_is_not_asked_for_the_password_in_clear(attacked, attack):
    attacked.configure(attacked.cluster.db1)
    attacked.man.attack = getattr(ManInTheMiddle, attack)
    outcome = attacked.resync()
    attacked.assert_nothing_given_away(outcome)
    assert "asks for a login method that reveals the password" in outcome.out, outcome.out


@pytest.mark.parametrize("attack", ["clear_text", "dialog"])
def test_nor_inside_a_tls_that_nobody_verified(attacked, attack):
    attacked.configure(attacked.cluster.db1, "ssl-mode=required")
    attacked.man.attack, attacked.man.tls = getattr(ManInTheMiddle, attack), True
    attacked.assert_nothing_given_away(attacked.resync())


def test_verify_ca_checks_without_a_ca_of_ours_too(attacked, monkeypatch):
    """By the system's, which is ours here; MySQL's tools refuse to be without one."""
    monkeypatch.setitem(attacked.cluster.environment, "SSL_CERT_FILE", str(attacked.authority.cert))
    attacked.configure(attacked.cluster.db1, "ssl-mode=verify-ca")
    attacked.man.attack, attacked.man.tls = ManInTheMiddle.clear_text, True
    outcome = attacked.resync()
    attacked.assert_nothing_given_away(outcome)
    # At most the wish for TLS: what is within one with that certificate would be read there.
    assert len(attacked.man.heard) <= 36, attacked.man.heard


def test_a_clone_checks_its_donor_or_is_refused(attacked):
    """With the recipient's own CA, and our password."""
    cluster, db2 = attacked.cluster, attacked.cluster.db2
    if cluster.flavour == "mariadb":
        return
    attacked.configure(cluster.db1, "ssl-mode=verify-identity", f"ca-cert={attacked.authority.cert}")
    assert "CLONE does not check the server's name" in attacked.resync("clone").out
    attacked.configure(cluster.db1, "ssl-mode=verify-ca", f"ca-cert={attacked.authority.cert}")
    outcome = attacked.resync("clone")
    assert outcome.code == 2, outcome.out
    assert "set clone_ssl_ca on db2, or give --method dump" in outcome.out, outcome.out
    assert 1 in rows(db2)


@pytest.mark.parametrize("mode", ["required", "verify-identity"])
def test_without_an_attack_the_tools_do_their_work(attacked, mode):
    """Also where another user finds the tool's port, and is refused there."""
    attacked.configure(attacked.cluster.db1, f"ssl-mode={mode}", f"ca-cert={attacked.authority.cert}",
                       before=STRANGER if mode == "required" else "")
    attacked.man.attack = Proxy._serve
    attacked.man.from_clients.clear()
    outcome = attacked.resync()
    assert outcome.code == 0, outcome.out
    assert rows(attacked.cluster.db2) == {1}
    assert b"SHOW CREATE TABLE" not in attacked.man.from_clients


@pytest.mark.parametrize("attack", ["strip", "dialog"])
def test_the_same_holds_for_binlogs(attacked, attack):
    """What db2 alone has is read from it before it is replaced."""
    cluster = attacked.cluster
    if cluster.flavour == "mysql":
        cluster.db2.sql("SET GLOBAL super_read_only = OFF")
    cluster.db2.sql("CREATE DATABASE IF NOT EXISTS alone")
    mode = "required" if attack == "strip" else "preferred"
    attacked.configure(cluster.db2, f"ssl-mode={mode}")
    attacked.man.attack = getattr(ManInTheMiddle, attack)
    outcome = attacked.resync()
    attacked.assert_nothing_given_away(outcome)
    assert "save-extra db2: " in outcome.out, outcome.out
    if attack == "strip":
        assert len(attacked.man.heard) <= 36, attacked.man.heard
    else:
        assert "asks for a login method that reveals the password" in outcome.out
    assert not list(cluster.state_dir.glob("mysql/*.extra.sql"))
