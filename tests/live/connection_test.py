# SPDX-License-Identifier: MIT
"""Both checks against servers that cannot be reached, do not answer, or do not let us in."""

import contextlib
import re
import socket
import threading
import time

import pytest

from network import BlackHole, Proxy, SilentListener
from pairs import Pair, login, watch
from plugin import CHECKS, LAG, THREADS, path, run, run_raw
from servers import MONITOR_PASSWORD, MONITOR_USER, wait_until

all_checks = pytest.mark.parametrize("check", CHECKS)
# How much longer than its budget a run may take.
SLACK = 0.5


def assert_timed_out(outcome, budget, address, state="CRITICAL"):
    assert outcome.state == state, outcome.out
    assert budget - 0.1 <= outcome.seconds <= budget + SLACK, outcome.seconds
    assert address in outcome.text, outcome.out
    assert re.search(r"did not answer|no answer|timed out", outcome.text), outcome.out


@pytest.fixture(params=[SilentListener, BlackHole], ids=["accepts and is silent", "black hole"])
def unanswering(request, bench):
    return bench.add(request.param())


@all_checks
def test_nothing_answers_within_the_budget(check, unanswering):
    address = f"127.0.0.1:{unanswering.port}"
    options = ["-H", "127.0.0.1", "-P", str(unanswering.port), "-u", "x"]
    assert_timed_out(run(check, *options, "-t", "1"), 1, address)
    assert_timed_out(run(check, *options, "-t", "0.3"), 0.3, address)
    assert_timed_out(run(check, *options, "-t", "0.3:unknown"), 0.3, address, "UNKNOWN")
    assert_timed_out(run(check, *options, "-t", "0.3:warning"), 0.3, address, "WARNING")
    assert_timed_out(run(check, *options, "-t", "0.3:ok"), 0.3, address, "OK")


@all_checks
def test_default_budget_is_ten_seconds(check, bench):
    silent = bench.add(SilentListener())
    outcome = run(check, "-H", "127.0.0.1", "-P", str(silent.port), "-u", "x")
    assert_timed_out(outcome, 10, f"127.0.0.1:{silent.port}")


@all_checks
def test_timeout_in_every_voice(check, bench):
    silent = bench.add(SilentListener())
    options = ["-H", "127.0.0.1", "-P", str(silent.port), "-u", "x", "-t", "0.3"]
    outcome = run_raw([path(check), *options, "--output", "json"])
    answer = outcome.json()
    assert outcome.code == 2 and answer["state"] == "CRITICAL" and answer["state_code"] == 2
    assert str(silent.port) in answer["summary"]
    outcome = run_raw([path(check), *options, "--value", "lag"])
    assert (outcome.code, outcome.out) == (2, "U\n")
    assert run_raw([path(check), *options, "--output", "openmetrics"]).code == 2
    outcome = run_raw([path(check), *options, "--discovery"])
    assert outcome.code == 2
    assert not outcome.out.startswith("["), "an empty list would make Zabbix delete its items"


@all_checks
def test_frozen_server(check, bench, flavour):
    server = bench.server(flavour)
    server.create_monitor()
    server.freeze()
    outcome = watch(server, check, "-t", "1")
    assert_timed_out(outcome, 1, f"127.0.0.1:{server.port}")
    outcome = run(check, "-H", server.socket, "-u", MONITOR_USER, "-t", "1")
    assert_timed_out(outcome, 1, server.socket)


@all_checks
def test_link_too_slow_for_the_budget(check, bench, flavour):
    server = bench.server(flavour)
    server.create_monitor()
    proxy = bench.add(Proxy((server.host, server.port), delay_s=0.4))
    options = ["-u", MONITOR_USER, "-p", MONITOR_PASSWORD, "-H", "127.0.0.1", "-P", str(proxy.port)]
    assert_timed_out(run(check, *options, "-t", "1"), 1, f"127.0.0.1:{proxy.port}")
    proxy.delay_s = 0.01
    assert run(check, *options, "-t", "5").state == "WARNING", "reached: not a replica"


@all_checks
def test_nobody_listens(check, bench):
    port = bench.free_port()
    outcome = run(check, "-H", "127.0.0.1", "-P", str(port))
    assert outcome.state == "CRITICAL"
    assert f"127.0.0.1:{port}" in outcome.text
    assert outcome.seconds < 2


@all_checks
def test_no_such_socket(check, tmp_path):
    socket = str(tmp_path / "no.sock")
    for options in (["-H", socket], ["-s", socket], ["-H", "localhost", "-s", socket]):
        outcome = run(check, *options)
        assert outcome.state == "CRITICAL"
        assert socket in outcome.text


@all_checks
def test_name_that_does_not_resolve(check):
    outcome = run(check, "-H", "no-such-host.invalid", "-t", "5")
    assert outcome.state == "CRITICAL"
    assert "no-such-host.invalid" in outcome.text
    assert outcome.seconds <= 5 + SLACK


@all_checks
def test_name_server_that_does_not_answer(check, tmp_path):
    """In a network and mount namespace whose only name server is a socket that nobody reads."""
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    inside = f"""
        ip link set lo up
        for file in resolv.conf nsswitch.conf; do mount --bind {tmp_path}/$file /etc/$file; done
        exec /usr/bin/python3 - "$@" <<'END'
import os, socket, sys
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 53))
deaf.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:])
END
        """
    outcome = run_raw(["unshare", "--net", "--mount", "sh", "-c", inside, "sh", path(check),
                       "-H", "db1.example", "-t", "1"])
    assert_timed_out(outcome, 1, "db1.example")


@pytest.fixture
def two_addresses(tmp_path):
    """Return the command that runs another where db.example has two addresses."""
    (tmp_path / "hosts").write_text("127.0.0.1 db.example\n127.0.0.2 db.example\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files\n")
    inside = f"for file in hosts nsswitch.conf; do mount --bind {tmp_path}/$file /etc/$file; done"
    return ["unshare", "--mount", "sh", "-c", inside + '; exec "$@"', "sh"]


def test_a_slow_greeting_is_waited_for_at_the_first_of_two_addresses(two_addresses):
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse_slowly(client):
        with client, contextlib.suppress(OSError):
            time.sleep(2.5)
            client.sendall(b"\x17\0\0\0\xff\x10\x04Too many connections")

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=refuse_slowly, args=[listener.accept()[0]], daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    with listener:
        outcome = run(LAG, "-H", "db.example", "-P", str(listener.getsockname()[1]), "-u", "x",
                      "-t", "6", inside=two_addresses)
    assert "Too many connections" in outcome.text, outcome.out


@all_checks
def test_something_else_than_a_database_answers(check, bench):
    """A server that speaks another protocol, and one that hangs up."""
    for greeting in (b"SSH-2.0-OpenSSH_9.2\r\n" * 3, b"", b"\xff\xff\xff\xff" + b"x" * 70000,
                     b"\x05\x00\x00\x00\x0a8.0\x00"):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def greet():
            client, _ = listener.accept()
            with client:
                client.sendall(greeting)
        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        outcome = run(check, "-H", "127.0.0.1", "-P", str(port), "-t", "2")
        thread.join(5)
        listener.close()
        assert outcome.state == "CRITICAL", outcome.out
        assert f"127.0.0.1:{port}" in outcome.text


@all_checks
def test_connection_cut_in_the_middle(check, bench, flavour):
    """Cut after the login, while the answer to the first statement is on its way."""
    server = bench.server(flavour)
    server.create_monitor()
    proxy = bench.add(Proxy((server.host, server.port), delay_s=0.3))
    begun = threading.Event()

    def cut():
        wait_until(lambda: [row for row in server.sql("SHOW PROCESSLIST")
                            if row["User"] == MONITOR_USER], what="the check's login")
        begun.set()
        proxy.cut()
    thread = threading.Thread(target=cut)
    thread.start()
    outcome = run(check, "-H", "127.0.0.1", "-P", str(proxy.port), "-u", MONITOR_USER, "-p",
                  MONITOR_PASSWORD, "-t", "10")
    thread.join()
    assert begun.is_set()
    assert outcome.state == "CRITICAL"
    assert f"127.0.0.1:{proxy.port}" in outcome.text
    assert outcome.seconds < 9


@all_checks
def test_wrong_password(check, bench, flavour):
    pair = Pair(bench, "mysql-gtid" if flavour == "mysql" else "mariadb-gtid")
    for user, password in ((MONITOR_USER, "wrong"), ("nobody", "x"), (MONITOR_USER, "")):
        outcome = run(check, "-H", "127.0.0.1", "-P", str(pair.replica.port), "-u", user,
                      "-p", password)
        assert outcome.state == "UNKNOWN", outcome.out
        assert "access denied" in outcome.text.lower()
        assert user in outcome.text
        assert "not a replica" not in outcome.out


@all_checks
def test_no_privilege_names_a_grant_that_helps(check, bench, flavour):
    pair = Pair(bench, "mysql-gtid" if flavour == "mysql" else "mariadb-gtid").caught_up()
    pair.replica.create_user("poor", "poor-secret")
    options = ["-H", "127.0.0.1", "-P", str(pair.replica.port), "-u", "poor", "-p", "poor-secret"]
    outcome = run(check, *options)
    assert outcome.state == "UNKNOWN"
    assert "not a replica" not in outcome.out
    assert ("REPLICA MONITOR" if flavour == "mariadb" else "REPLICATION CLIENT") in outcome.text
    # As an administrator would: run what the message says, until nothing is missing.
    for _ in range(3):
        grant = re.search(r"GRANT .* ON .* TO '[^']*'@'[^']*'", outcome.text)[0]
        pair.replica.sql("SET sql_log_bin = 0", grant)
        outcome = run(check, *options)
        if outcome.state == "OK":
            break
    assert outcome.state == "OK", outcome.out


@all_checks
def test_the_grants_of_the_readme_are_enough(check, pair):
    outcome = watch(pair.replica, check)
    assert outcome.state == "OK", outcome.out


@all_checks
def test_too_many_connections_is_refused_not_denied(check, bench):
    server = bench.server("mariadb", options=["--max-connections=10"])
    server.create_monitor()
    held = [server.connect() for _ in range(11)]  # one more is reserved for root
    outcome = watch(server, check)
    for session in held:
        session.close()
    assert outcome.state == "CRITICAL"
    assert "Too many connections" in outcome.text


@all_checks
def test_socket_spellings(check, bench, flavour):
    server = bench.server(flavour)
    server.create_user(MONITOR_USER, MONITOR_PASSWORD, server.monitor_grants)
    for options in (["-H", server.socket], ["-s", server.socket],
                    ["-H", "localhost", "-s", server.socket]):
        outcome = run(check, *options, "-u", MONITOR_USER, "-p", MONITOR_PASSWORD)
        assert outcome.state == "WARNING" and "not a replica" in outcome.text


@all_checks
def test_a_port_means_tcp(check, bench, tmp_path):
    """Two instances on one host: to the client libraries "localhost" is always the same socket."""
    server, closed = bench.server("mariadb"), bench.free_port()
    server.create_monitor()
    file = tmp_path / "my.cnf"
    file.touch(mode=0o600)
    account = ["-u", MONITOR_USER, "-p", MONITOR_PASSWORD]
    for host in (["-H", "localhost"], []):
        outcome = run(check, *host, "-P", str(server.port), *account)
        assert "not a replica" in outcome.text, outcome.out
        outcome = run(check, *host, "-P", str(closed), *account)
        assert outcome.state == "CRITICAL" and f"localhost:{closed}" in outcome.text, outcome.out
    # Whatever the file says of a socket.
    file.write_text(f"[client]\nsocket={server.socket}\n")
    outcome = run(check, "-f", file, "-H", "localhost", "-P", str(closed), *account)
    assert outcome.state == "CRITICAL" and f"localhost:{closed}" in outcome.text, outcome.out
    file.write_text(f"[client]\nhost=localhost\nport={server.port}\n")
    assert "not a replica" in run(check, "-f", file, *account).text


def test_a_dead_address_of_a_name_leaves_time_for_the_next(bench, two_addresses):
    server, hole = bench.server("mariadb"), bench.add(BlackHole())
    server.create_monitor()
    bench.add(Proxy((server.host, server.port), address=("127.0.0.2", hole.port)))
    options = ["-H", "db.example", "-P", str(hole.port), "-u", MONITOR_USER, "-p", MONITOR_PASSWORD]
    outcome = run(THREADS, *options, "-t", "8", inside=two_addresses)
    assert outcome.state == "WARNING" and "not a replica" in outcome.text, outcome.out
    assert_timed_out(run(THREADS, *options, "-t", "0.3", inside=two_addresses), 0.3, "db.example")


@all_checks
def test_defaults_file_logs_in(check, pair, tmp_path):
    file = tmp_path / "my.cnf"
    replica = pair.replica
    file.write_text(f"[client]\nuser={MONITOR_USER}\npassword={MONITOR_PASSWORD}\n"
                    f"host=127.0.0.1\nport={replica.port}\n"
                    f"[local]\nuser={MONITOR_USER}\npassword=\"{MONITOR_PASSWORD}\"\n"
                    f"socket={replica.socket}\n[bad]\nuser=nobody\n")
    file.chmod(0o600)
    assert run(check, "-f", file).state == "OK"
    assert run(check, "-f", file, "-g", "local").state == "OK"
    outcome = run(check, "-f", file, "-p", "wrong")
    assert outcome.state == "UNKNOWN" and "access denied" in outcome.text.lower()
    outcome = run(check, *login(replica), "-f", file, "-g", "bad")
    assert outcome.state == "OK", "the command line wins"


@all_checks
def test_password_in_extra_opts_and_config(check, pair, tmp_path):
    file = tmp_path / "plugins.ini"
    settings = f"hostname=127.0.0.1\nusername={MONITOR_USER}\npassword={MONITOR_PASSWORD}\n"
    file.write_text(f"[{check}]\n{settings}port={pair.replica.port}\n")
    assert run(check, f"--extra-opts=@{file}").state == "OK"
    assert run(check, "--config", file).state == "OK"
