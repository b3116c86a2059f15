# SPDX-License-Identifier: MIT
"""The TLS modes, against servers with a good certificate and with each kind of bad one."""

import os

import pytest

from certificates import Authority
from network import Proxy
from pairs import login, watch
from plugin import LAG, THREADS, run
from servers import Bench, start_all

# A server that is reached and let us in says this; TLS troubles never do.
REACHED = "not a replica"
NO_TLS, GOOD, WRONG_HOST, EXPIRED, CLIENT_WANTED = (
    "no TLS", "good", "wrong host", "expired", "client certificate wanted")


class Tls:
    """Servers of one flavour, one for each kind of certificate, and two authorities."""

    def __init__(self, bench, flavour):
        self.flavour = flavour
        self.authority = Authority(bench.directory)
        self.other = Authority(bench.directory, "other")
        issue = self.authority.issue
        self.client = issue("client")
        certificates = {NO_TLS: False, GOOD: issue("good"),
                        WRONG_HOST: issue("elsewhere", hosts=("db9.example",)),
                        EXPIRED: issue("expired", days=-2)}
        self.servers = {kind: bench.new_server(flavour, tls=certificate)
                        for kind, certificate in certificates.items()}
        start_all(self.servers.values())
        for server in self.servers.values():
            server.create_monitor()
        if flavour == "mysql":
            # Over its socket alone a server without TLS gets the password itself, once.
            run(THREADS, "-H", str(self.servers[NO_TLS].socket), *login(self.servers[NO_TLS])[4:])
        self.servers[GOOD].create_user("strict", "monitor-secret", self.servers[GOOD].monitor_grants,
                                       require="REQUIRE X509")

    def check(self, kind, *options, check=THREADS):
        return watch(self.servers[kind], check, *options)

    def assert_reached(self, kind, *options):
        outcome = self.check(kind, *options)
        assert REACHED in outcome.text and outcome.state == "WARNING", outcome.out

    def assert_refused(self, kind, *options):
        outcome = self.check(kind, *options)
        assert outcome.state == "CRITICAL", outcome.out
        assert f"127.0.0.1:{self.servers[kind].port}" in outcome.text
        assert "TLS" in outcome.text or "SSL" in outcome.text or "certificate" in outcome.text
        return outcome.text


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def tls(request):
    with Bench() as bench:
        yield Tls(bench, request.param)


def test_disabled_and_preferred_reach_every_server(tls):
    for kind in tls.servers:
        tls.assert_reached(kind)
        tls.assert_reached(kind, "--ssl-mode", "disabled")
        tls.assert_reached(kind, "--ssl-mode", "preferred")


def test_disabled_does_not_encrypt_and_preferred_does(tls):
    """An account that must use TLS tells the two apart."""
    server = tls.servers[GOOD]
    server.create_user("encrypted", "monitor-secret", server.monitor_grants, require="REQUIRE SSL")
    assert tls.check(GOOD, "-u", "encrypted", "--ssl-mode", "disabled").state == "UNKNOWN"
    for options in (["--ssl-mode", "preferred"], ["--ssl-mode", "required"], ["--ssl"], ["-l"]):
        tls.assert_reached(GOOD, "-u", "encrypted", *options)


@pytest.mark.parametrize("options", [["--ssl-mode", "required"], ["--ssl"], ["-l"]], ids=" ".join)
def test_required(tls, options):
    for kind in (GOOD, WRONG_HOST, EXPIRED):
        tls.assert_reached(kind, *options)
    assert "TLS" in tls.assert_refused(NO_TLS, *options)


def test_verify_ca(tls):
    options = ["--ssl-mode", "verify-ca", "-C", str(tls.authority.cert)]
    tls.assert_reached(GOOD, *options)
    tls.assert_reached(WRONG_HOST, *options)
    tls.assert_refused(EXPIRED, *options)
    tls.assert_refused(NO_TLS, *options)
    tls.assert_refused(GOOD, "--ssl-mode", "verify-ca", "-C", str(tls.other.cert))


def test_verify_ca_without_a_ca_uses_the_systems(tls):
    tls.assert_refused(GOOD, "--ssl-mode", "verify-ca")


def test_the_systems_cas_are_read_only_where_they_matter(tls, tmp_path):
    """They cost ten times the rest of a login. A process that opens this file waits for a writer."""
    cas = tmp_path / "cas"
    os.mkfifo(cas)
    file = tmp_path / "my.cnf"
    file.write_text("[client]\n")
    file.chmod(0o600)
    for options in ([], ["--ssl"], ["--ssl-mode", "required"], ["-f", str(file)]):
        outcome = watch(tls.servers[GOOD], THREADS, *options, env={"SSL_CERT_FILE": str(cas)})
        assert REACHED in outcome.text, outcome.out
    outcome = watch(tls.servers[GOOD], THREADS, "--ssl-mode", "verify-ca", "-t", "1",
                    env={"SSL_CERT_FILE": str(cas)})
    assert REACHED not in outcome.text, outcome.out


def test_the_configuration_of_openssl_is_obeyed(tls, tmp_path):
    file = tmp_path / "openssl.cnf"
    file.write_text("openssl_conf = all\n[all]\nssl_conf = programs\n[programs]\n"
                    "system_default = tls\n[tls]\nMaxProtocol = TLSv1\n")
    for options in ([], ["--ssl"], ["--ssl-mode", "verify-ca", "-C", str(tls.authority.cert)]):
        outcome = watch(tls.servers[GOOD], THREADS, *options, env={"OPENSSL_CONF": str(file)})
        assert outcome.state == "CRITICAL" and "protocol version" in outcome.text, outcome.out


def test_openssl_is_left_alone_without_tls(bench, tmp_path):
    """It costs a sixth of a run. A process that opens this file waits for a writer."""
    configuration = tmp_path / "openssl.cnf"
    os.mkfifo(configuration)
    server = bench.server("mariadb")
    server.create_monitor()
    outcome = watch(server, THREADS, "--ssl-mode", "disabled", "-t", "5",
                    env={"OPENSSL_CONF": str(configuration)})
    assert REACHED in outcome.text, outcome.out


def test_verify_identity(tls):
    options = ["--ssl-mode", "verify-identity", "-C", str(tls.authority.cert)]
    tls.assert_reached(GOOD, *options)
    tls.assert_refused(WRONG_HOST, *options)
    tls.assert_refused(EXPIRED, *options)
    tls.assert_refused(NO_TLS, *options)
    tls.assert_refused(GOOD, "--ssl-mode", "verify-identity", "-C", str(tls.other.cert))


def test_a_ca_alone_is_not_ignored(tls):
    tls.assert_reached(GOOD, "-C", str(tls.authority.cert))
    tls.assert_refused(GOOD, "-C", str(tls.other.cert))


def test_ca_file_that_is_missing_is_not_passed_over(tls):
    outcome = tls.check(GOOD, "--ssl-mode", "verify-ca", "-C", "/nonexistent/ca.pem")
    assert outcome.state in ("CRITICAL", "UNKNOWN")
    assert REACHED not in outcome.text


def test_client_certificate(tls):
    files = ["-a", str(tls.client.cert), "-k", str(tls.client.key)]
    ca = ["-C", str(tls.authority.cert)]
    tls.assert_reached(GOOD, "-u", "strict", *ca, *files)
    tls.assert_reached(GOOD, "-u", "strict", *ca, *files, "--ssl-mode", "verify-identity")
    outcome = tls.check(GOOD, "-u", "strict", *ca)
    assert outcome.state == "UNKNOWN" and "access denied" in outcome.text.lower()


def test_tls_from_a_defaults_file(tls, tmp_path):
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nssl-ca={tls.other.cert}\n")
    file.chmod(0o600)
    tls.assert_refused(GOOD, "-f", str(file), "--ssl-mode", "verify-ca")
    file.write_text(f"[client]\nssl-ca={tls.authority.cert}\n")
    tls.assert_reached(GOOD, "-f", str(file), "--ssl-mode", "verify-ca")


def test_command_line_wins_over_a_defaults_file(tls, tmp_path):
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nssl-ca={tls.other.cert}\n")
    file.chmod(0o600)
    tls.assert_reached(GOOD, "-f", str(file), "-C", str(tls.authority.cert))
    tls.assert_reached(GOOD, "-f", str(file), "--ssl-mode", "disabled")
    tls.assert_reached(NO_TLS, "-f", str(file), "--ssl-mode", "preferred")


def test_a_ca_in_a_defaults_file_requires_tls(tls, tmp_path):
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nssl-ca={tls.authority.cert}\n")
    file.chmod(0o600)
    tls.assert_reached(GOOD, "-f", str(file))
    tls.assert_refused(NO_TLS, "-f", str(file))


def test_the_tls_settings_of_a_defaults_file_are_honoured(tls, tmp_path):
    """As both flavours' own clients write them."""
    file = tmp_path / "my.cnf"

    def settings(text):
        file.touch(mode=0o600)
        file.write_text(f"[client]\n{text}\n")
        return ["-f", str(file)]
    ca = f"ssl-ca={tls.authority.cert}\n"
    for text in ("ssl-mode=REQUIRED", "ssl_mode=required", "loose-ssl-mode=REQUIRED", "ssl",
                 "loose-ssl=1"):
        tls.assert_reached(GOOD, *settings(text))
        tls.assert_refused(NO_TLS, *settings(text))
    for text in ("ssl-mode=VERIFY_IDENTITY", "ssl-verify-server-cert", "ssl_verify_server_cert=ON",
                 "ssl\nloose-ssl-verify-server-cert=1"):
        tls.assert_reached(GOOD, *settings(ca + text))
        tls.assert_refused(WRONG_HOST, *settings(ca + text))
        tls.assert_reached(WRONG_HOST, *settings(ca + text), "--ssl-mode", "verify-ca")
    tls.assert_reached(WRONG_HOST, *settings(ca + "ssl-mode=VERIFY_CA"))
    tls.assert_reached(NO_TLS, *settings(ca + "ssl-mode=DISABLED"))
    for text in ("skip-ssl", "ssl=0", "ssl-mode=DISABLED"):
        outcome = tls.check(GOOD, "-u", "strict", *settings(text))
        assert outcome.state == "UNKNOWN" and "access denied" in outcome.text, outcome.out
    tls.assert_refused(GOOD, *settings("ssl\ntls-version=TLSv1.1"))


@pytest.mark.parametrize("mode", ["disabled", "preferred", "required", "verify-ca",
                                  "verify-identity"])
def test_password_never_travels_in_clear_text(tls, bench, mode):
    """Nor wrapped with a key that comes from the server."""
    server = tls.servers[NO_TLS]
    proxy = bench.add(Proxy((server.host, server.port)))
    # A new account: the server remembers those that have logged in, and asks them for less.
    user = f"new-{mode}"
    server.create_user(user, "in-clear-text", server.monitor_grants)
    outcome = run(THREADS, "-H", proxy.host, "-P", str(proxy.port), "-u", user, "-p",
                  "in-clear-text", "--ssl-mode", mode, "-C", str(tls.authority.cert))
    assert b"in-clear-text" not in proxy.from_clients
    if mode in ("disabled", "preferred"):
        if tls.flavour == "mysql":
            assert outcome.state == "UNKNOWN" and "wants the password itself" in outcome.text
        else:
            assert REACHED in outcome.text
        assert user.encode() in proxy.from_clients
    else:
        assert outcome.state == "CRITICAL" and "TLS" in outcome.text
        assert proxy.from_clients == b""


def test_both_checks_use_the_same_rules(tls):
    for check in (LAG, THREADS):
        outcome = tls.check(NO_TLS, "--ssl-mode", "required", check=check)
        assert outcome.state == "CRITICAL" and "TLS" in outcome.text
