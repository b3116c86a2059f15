# SPDX-License-Identifier: MIT
"""A server, or a program in its place, names the way to log in. None may get the password from us."""

import hashlib
import os
import pty
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import plugin
from certificates import Authority
from hostile_mysql import KNOWN_ALREADY, PASSWORD_WANTED, HostileMysql, RsaKey, switch
from mysql_packets import NONCE, WELCOME, greeting

USER, PASSWORD = "watcher", "pass-in-clear-text"
ACCOUNT = ["-u", USER, "-p", PASSWORD]
PROMPT = b"\x05OK - all is well | 'lag'=0s\n\x1b[31m[sudo] password: "
# name: (how the server greets, what it answers to the login, the words of the refusal)
CLEAR, ITSELF, OTHER = ("the server wants the password in clear text",
                        "the server wants the password itself",
                        "the server names a way to log in that is not allowed")
WAYS = {
    "clear text": ("mysql_clear_password", (), CLEAR),
    "switch to clear text": ("mysql_native_password", (switch("mysql_clear_password"),), CLEAR),
    "dialog": ("dialog", (PROMPT,), CLEAR),
    "switch to dialog": ("mysql_native_password", (switch("dialog", PROMPT), PROMPT), CLEAR),
    "scramble of old": ("mysql_native_password", (b"\xfe",), None),
    "switch to old": ("mysql_native_password", (switch("mysql_old_password"),), None),
    "switch twice": ("mysql_native_password", (switch("caching_sha2_password"), switch("dialog", PROMPT)),
                     CLEAR),
    "unknown": ("auth_gssapi_client", (), OTHER),
    "bytes": ("\x1b[31m\xffOK - fine | 'lag'=0s", (), OTHER),
    "switch to bytes": ("mysql_native_password", (switch("\x1b[2J\xffOK - fine"),), OTHER),
}
# Those that send the password itself where nobody can listen.
SHA2 = {
    "sha256": ("sha256_password", ()),
    "caching_sha2": ("caching_sha2_password", (PASSWORD_WANTED,)),
    "switch to sha256": ("mysql_native_password", (switch("sha256_password"),)),
    "switch to caching_sha2": ("mysql_native_password", (switch("caching_sha2_password"),
                                                         PASSWORD_WANTED)),
}
ASKING = ["", "preferred", "disabled"]
REQUIRING = ["-l", "--ssl-mode=required", "--ssl-mode=verify-ca", "--ssl-mode=verify-identity", "CA"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue("good")


@pytest.fixture(scope="module")
def key():
    return RsaKey()


def check(server, *options, **arguments):
    """Run a check against the server."""
    return plugin.run(plugin.THREADS, *server.login, *ACCOUNT, *filter(None, options), **arguments)


def assert_kept(server, outcome):
    """Assert that the server has not got the password, nor its words into the output."""
    assert not any(PASSWORD.encode() in packet for packet in server.sent)
    assert PASSWORD.encode() not in server.clear
    for word in ("all is well", "fine", "sudo", "31m"):
        assert word not in outcome.out, outcome.out


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tls", [False, True], ids=["stripped", "tls"])
def test_no_password_is_given_away(way, tls, certificate):
    plugin_name, steps, words = WAYS[way]
    for option in ("", "-l") if tls else ("",):
        with HostileMysql(greeting(plugin_name, tls=tls), steps,
                          certificate if tls else None) as server:
            outcome = check(server, option)
        assert_kept(server, outcome)
        assert outcome.state == "UNKNOWN", outcome.out
        assert "access denied: " in outcome.text
        assert words is None or words in outcome.text, outcome.out


@pytest.mark.parametrize("way", SHA2)
def test_a_servers_own_key_is_no_protection(way, key):
    plugin_name, steps = SHA2[way]
    with HostileMysql(greeting(plugin_name), (*steps, key.packet)) as server:
        outcome = check(server)
    assert_kept(server, outcome)
    assert not any(key.unwrap(packet) for packet in server.sent), "it was wrapped with that key"
    assert outcome.state == "UNKNOWN" and ITSELF in outcome.text, outcome.out


@pytest.mark.parametrize("way", SHA2)
def test_tls_protects_the_password_of_sha2_from_listeners(way, certificate):
    """Not from who answers: the page says what that is worth."""
    plugin_name, steps = SHA2[way]
    with HostileMysql(greeting(plugin_name, tls=True), steps, certificate) as server:
        outcome = check(server, "--ssl-mode=required")
    assert PASSWORD.encode() + b"\0" in server.sent[-1]
    assert PASSWORD.encode() not in server.clear and USER.encode() not in server.clear
    assert outcome.state == "UNKNOWN" and "access denied for user" in outcome.text


def test_the_scramble_of_caching_sha2():
    steps = ((KNOWN_ALREADY, WELCOME),)
    with HostileMysql(greeting("caching_sha2_password"), steps) as server:
        check(server)
    digest = hashlib.sha256(PASSWORD.encode()).digest()
    mask = hashlib.sha256(hashlib.sha256(digest).digest() + NONCE).digest()
    assert bytes(a ^ b for a, b in zip(digest, mask)) in server.sent[0]


@pytest.mark.parametrize("option", REQUIRING)
@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
def test_required_tls_is_up_before_anything_is_sent(option, bytewise, authority):
    """A program in between takes the word for TLS out of the greeting."""
    options = [option] if option.startswith("-l") else [option, "-C", str(authority.cert)]
    if option == "CA":
        options = options[1:]
    for plugin_name in ("mysql_native_password", "mysql_clear_password", "caching_sha2_password"):
        with HostileMysql(greeting(plugin_name), bytewise=bytewise) as server:
            outcome = check(server, *options)
        assert server.clear == b"", "this much was sent"
        assert outcome.state == "CRITICAL", outcome.out
        assert "TLS is required but the server does not offer it" in outcome.text


def test_a_ca_of_the_defaults_file_requires_tls_too(authority, tmp_path):
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nssl-ca={authority.cert}\n")
    with HostileMysql() as server:
        outcome = check(server, "-f", str(file))
    assert server.clear == b"" and outcome.state == "CRITICAL", outcome.out


@pytest.mark.parametrize("name", [plugin.THREADS, plugin.LAG, "check_mysql_split_brain", "check_heartbeat",
                                  "check_engine_pair"])
def test_a_defaults_file_that_is_a_pipe_requires_tls_too(name):
    """A shell's <(command) is empty when it is read again."""
    with HostileMysql() as server:
        place = ":".join(server.login[1::2])
        options = {"check_mysql_split_brain": ["--node", place],
                   "check_heartbeat": ["--preset", "ndo", *server.login],
                   "check_engine_pair": ["--engine", f"n1=ndo@{place}", "--engine",
                                         f"n2=ndo@{place},group=mon"]}.get(name, server.login)
        reading, writing = os.pipe()
        os.write(writing, b"[client]\nuser=x\npassword=y\nssl-mode=REQUIRED\n")
        os.close(writing)
        outcome = plugin.run(name, *options, "-f", f"/dev/fd/{reading}", pass_fds=(reading,))
        os.close(reading)
    assert server.clear == b"" and "TLS is required" in outcome.out, outcome.out
    assert len(server.clients) == (2 if name == "check_engine_pair" else 1)


@pytest.mark.parametrize("option", ["--ssl-mode=verify-ca", "--ssl-mode=verify-identity"])
def test_a_certificate_of_another_server_gets_nothing(option, certificate, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    for name in ("mysql_native_password", "mysql_clear_password"):
        with HostileMysql(greeting(name, tls=True), (), certificate) as server:
            outcome = check(server, option, "-C", str(stranger.cert), "--enable-cleartext-plugin")
        assert server.sent == [] and USER.encode() not in server.clear
        assert outcome.state == "CRITICAL" and "certificate" in outcome.text, outcome.out


@pytest.mark.parametrize("way", ["clear text", "switch to clear text", "switch to dialog"])
def test_clear_text_goes_where_it_was_asked_for(way, authority, certificate, tmp_path):
    """By its own option, over verified TLS or a local socket."""
    plugin_name, steps, words = WAYS[way]
    verified = ["--ssl-mode=verify-identity", "-C", str(authority.cert)]
    cases = [(verified, certificate, True), (["--ssl-mode=required"], certificate, False),
             ([], certificate, False), ([], None, False), (["--ssl-mode=disabled"], None, False)]
    for options, shown, given in cases:
        with HostileMysql(greeting(plugin_name, tls=shown is not None), steps, shown) as server:
            outcome = check(server, "--enable-cleartext-plugin", *options)
        assert any(PASSWORD.encode() in sent for sent in server.sent) == given, outcome.out
        assert given or words in outcome.text
        assert "all is well" not in outcome.out and PASSWORD.encode() not in server.clear
    for option, given in (("--enable-cleartext-plugin", True), ("", False)):
        path = tmp_path / f"socket{given}"
        with HostileMysql(greeting(plugin_name), steps, path=path) as server:
            check(server, option)
        assert (PASSWORD.encode() in server.clear) == given


def test_a_dialog_asks_nobody(tmp_path):
    """One question for the password is answered, none is shown, any other ends the login."""
    for questions, answers in (((b"\x04Password: ", b"\x03Code: "), 1), ((b"\x02Name: ",), 0),
                               ((b"\x04Password: ", b"\x05Password: "), 1)):
        path = tmp_path / f"socket{len(os.listdir(tmp_path))}"
        steps = (switch("dialog", questions[0]), *questions[1:])
        with HostileMysql(steps=steps, path=path) as server:
            outcome = check(server, "--enable-cleartext-plugin")
        assert server.clear.count(PASSWORD.encode()) == answers
        assert CLEAR in outcome.text and "Code" not in outcome.out and "Name" not in outcome.out


def test_nothing_is_asked_on_a_terminal(tmp_path):
    """Where an operator would type a password."""
    main, terminal = pty.openpty()
    question = switch("dialog", b"\x02[sudo] password: ")
    with HostileMysql(steps=(question, b"\x02again: ")) as server:
        command = [plugin.path("mysql_ha"), "status", f"--node=db1=127.0.0.1:{server.login[-1]}",
                   *ACCOUNT]
        os.write(main, b"typed by an operator\n")
        done = subprocess.run(command, stdin=terminal, stdout=terminal, stderr=terminal, timeout=20,
                              check=False)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(main, 65536):
            shown += piece
    except OSError:
        pass  # the other end is closed
    os.close(main)
    assert done.returncode in (1, 2, 3)
    assert b"sudo" not in shown and b"again" not in shown, shown
    assert not any(b"typed" in packet for packet in server.sent), server.sent


def test_sha256_password_takes_no_password_from_a_socket_without_tls(tmp_path):
    """The server wants it wrapped with its RSA key then, and calls anything else a wrong password."""
    with HostileMysql(greeting("sha256_password"), path=tmp_path / "socket") as server:
        outcome = check(server)
    assert_kept(server, outcome)
    assert outcome.state == "UNKNOWN" and "over TLS only, also from a Unix socket" in outcome.text


def test_ways_without_a_password_are_no_leak_either(key):
    """An account without one answers with nothing."""
    for plugin_name in ("sha256_password", "caching_sha2_password"):
        with HostileMysql(greeting(plugin_name), (key.packet,)) as server:
            plugin.run(plugin.THREADS, *server.login, "-u", USER)
        assert all(len(packet) < 80 or USER.encode() in packet for packet in server.sent)


# Code that strangers choose


EVIL = """
#include <stdio.h>
__attribute__((constructor)) static void loaded(void) {
  FILE *file = fopen(MARK, "w");
  if (file) fclose(file);
}
"""


class Evil:
    """A plugin that leaves a mark when it is loaded, by the name of one that we do allow."""

    def __init__(self, directory):
        self.directory, self.mark = directory, directory / "mark"
        directory.chmod(0o777)
        source = directory / "evil.c"
        source.write_text(EVIL)
        for name in ("client_ed25519", "caching_sha2_password", "evil"):
            subprocess.run(["cc", "-shared", "-fPIC", f'-DMARK="{self.mark}"', source, "-o",
                            directory / f"{name}.so"], check=True)

    def assert_not_loaded(self, outcome):
        assert not self.mark.exists(), outcome.out


@pytest.fixture(scope="module")
def evil():
    with tempfile.TemporaryDirectory() as directory:  # which other users can reach
        yield Evil(Path(directory))


def places(evil):
    """Return (environment, options) for each place where a plugin's directory can be named."""
    spelt = []
    for line in ("plugin-dir=%s", "plugin_dir=%s", "loose-plugin-dir=%s", "connection=plugin-dir=%s",
                 "plugin-dir=%s\ndefault-auth=evil\nrestricted-auth=evil,client_ed25519"):
        file = evil.directory / f"my{len(spelt)}.cnf"
        file.write_text("[client]\n" + line % evil.directory + "\n")
        file.chmod(0o644)
        spelt.append(({}, ["-f", str(file)]))
    including = evil.directory / "including.cnf"
    including.write_text(f"[client]\n!include {evil.directory}/my0.cnf\n")
    return spelt + [({}, ["-f", str(including)]),
                    ({"MARIADB_PLUGIN_DIR": str(evil.directory)}, []),
                    ({"LIBMYSQL_PLUGINS": "evil", "MARIADB_PLUGIN_DIR": str(evil.directory)}, []),
                    ({"LIBMYSQL_PLUGIN_DIR": str(evil.directory)}, [])]


@pytest.mark.parametrize("name", ["client_ed25519", "caching_sha2_password", "evil"])
def test_no_plugin_comes_from_where_a_user_says(name, evil):
    for environment, options in places(evil):
        with HostileMysql(greeting(name)) as server:
            outcome = check(server, *options, env=environment)
        evil.assert_not_loaded(outcome)


def test_a_host_is_no_string_of_options(evil):
    """The library takes them from it."""
    with HostileMysql(greeting("client_ed25519")) as server:
        for host in (f"host=127.0.0.1;port={server.login[-1]};plugin-dir={evil.directory}",
                     f"127.0.0.1;plugin-dir={evil.directory}", "evil://127.0.0.1", "127.0.0.1,db2"):
            outcome = plugin.run(plugin.THREADS, "-H", host, "-P", server.login[-1], *ACCOUNT)
            evil.assert_not_loaded(outcome)
            assert outcome.state == "UNKNOWN" and "is no host" in outcome.text, outcome.out
    assert server.clients == []


@pytest.fixture(scope="module")
def privileged(evil):
    """check_vip as the page tells to install it, run by another user."""
    check_vip = shutil.copy(plugin.path("check_vip"), evil.directory)
    subprocess.run(["setcap", "cap_net_raw+ep", check_vip], check=True)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", check_vip]


def test_a_user_gets_no_capability_through_a_plugin(privileged, evil):
    for environment, options in places(evil):
        for name in ("client_ed25519", "evil"):
            with HostileMysql(greeting(name)) as server:
                outcome = plugin.run_raw(
                    [*privileged, "--vip", "127.0.0.1", f"--node=db1=127.0.0.1:{server.login[-1]}",
                     *ACCOUNT, *options], env=environment)
            assert server.clients, outcome.out
            evil.assert_not_loaded(outcome)


def test_with_capabilities_the_environment_says_nothing(privileged, evil):
    directory = evil.directory / "ini"
    directory.mkdir()
    file = directory / "monitoring-plugins.ini"
    file.write_text("[check_vip]\nvip=name-of-the-file\n")
    for environment in ({"MP_CONFIG_FILE": str(file)}, {"NAGIOS_CONFIG_PATH": str(directory)}):
        plain = plugin.run("check_vip", "--extra-opts", env=environment)
        assert "name-of-the-file" in plain.out
        outcome = plugin.run_raw([*privileged, "--extra-opts"], env=environment)
        assert outcome.state == "UNKNOWN" and "name-of-the-file" not in outcome.out
        assert str(directory) not in outcome.out, outcome.out
