# SPDX-License-Identifier: MIT
"""handle_engine_failover and check_heartbeat against an Icinga 2 API that is down, hangs, refuses or
lies; and the telling of people, who are told after the deed or not at all."""

import base64
import json
import socketserver
import subprocess
import threading
import time

import pytest

import plugin
from certificates import Authority
from engine_handler import DONE, FAILED, UNVERIFIED, USAGE, command, event, run
from fake_https import SECRET, FakeServer
from network import SilentListener


class FakeIcinga:
    """The flags of one node, as its API shows and changes them."""

    def __init__(self):
        self.app = {"enable_notifications": False, "enable_service_checks": False,
                    "enable_host_checks": False, "program_start": time.time() - 100}

    def __call__(self, method, path, body):
        if method == "POST":
            assert path == "/v1/objects/icingaapplications/app"
            self.app.update(json.loads(body)["attrs"])
            return 200, '{"results":[{"code":200}]}'
        if path == "/v1/status/CIB":
            uptime = time.time() - self.app["program_start"]
            return 200, json.dumps({"results": [{"name": "CIB", "status": {"uptime": uptime}}]})
        assert path == "/v1/status/IcingaApplication"
        return 200, json.dumps({"results": [
            {"name": "IcingaApplication", "status": {"icingaapplication": {"app": self.app}}}]})


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def serve(authority):
    servers = []

    def start(behave, hosts=("127.0.0.1",), clients=None):
        servers.append(FakeServer(behave, authority.issue(f"server{len(servers)}", hosts), clients))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


@pytest.fixture
def options(tmp_path, authority):
    """Return the options for an API on a port."""
    file = tmp_path / "credentials"
    file.write_text(f"username=ha\npassword={SECRET}\n")

    def of(port, *more, host="127.0.0.1"):
        return ["--engine", "icinga2", "--api", f"https://{host}:{port}", "--api-credentials", file,
                "--ca-cert", authority.cert, "--verify-timeout", 1, *more]
    return of


def test_an_activation_is_read_back_and_repeated_without_a_change(serve, options):
    icinga = FakeIcinga()
    server = serve(icinga)
    first = run(*event("CRITICAL"), *options(server.port, "--scope", "all"), within=4)
    assert first.code == DONE, first
    assert all(icinga.app.values())
    login = "Basic " + base64.b64encode(f"ha:{SECRET}".encode()).decode()
    assert set(server.authorizations) == {login}
    again = run(*event("CRITICAL"), *options(server.port, "--scope", "all"), within=4)
    assert (again.code, "already" in again.text) == (DONE, True)
    trial = run(*event("CRITICAL"), *options(server.port, "--scope", "all", "--dry-run"), within=4)
    assert "already" in trial.text, trial
    assert [method for method, *_ in server.asked].count("POST") == 1
    back = run(*event("UP"), *options(server.port), within=4)
    assert back.code == DONE
    flags = ["enable_notifications", "enable_service_checks", "enable_host_checks"]
    assert [icinga.app[flag] for flag in flags] == [False, True, True]


def test_a_request_of_a_killed_handler_does_not_come_last(serve, options):
    icinga = FakeIcinga()

    def slowly(method, path, body):
        if "true" in body:
            time.sleep(0.7)  # It is on its way while the next handler looks.
        return icinga(method, path, body)
    server = serve(slowly)
    over = subprocess.Popen(command(*event("CRITICAL"), *options(server.port)))
    deadline = time.monotonic() + 20
    while not any(method == "POST" for method, *_ in server.asked):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    over.kill()
    over.wait()
    back = run(*event("OK"), *options(server.port), within=8)
    assert back.code == DONE and "verified" in back.text, back
    time.sleep(0.7)
    assert not icinga.app["enable_notifications"]


def test_the_certificate_may_carry_the_node_name(serve, options):
    server = serve(FakeIcinga(), hosts=["node2"])
    wrong = run(*event("DOWN"), *options(server.port), within=4)
    assert wrong.code == FAILED, wrong
    assert server.asked == []
    right = run(*event("DOWN"), *options(server.port, "--api-server-name", "node2"), within=4)
    assert right.code == DONE, right


def test_a_wrong_authority_gets_no_password(serve, options, tmp_path):
    server = serve(FakeIcinga())
    other = Authority(tmp_path, "other")
    outcome = run(*event("DOWN"), *options(server.port), "--ca-cert", other.cert, within=4)
    assert outcome.code == FAILED
    assert "certificate" in outcome.text
    assert server.asked == []


@pytest.fixture
def by_certificate(authority):
    """Return the options for an API on a port that knows us by our certificate."""
    ours = authority.issue("ha")

    def of(port):
        return ["--api", f"https://127.0.0.1:{port}", "--ca-cert", authority.cert, "--cert", ours.cert,
                "--key", ours.key]
    return of


def test_a_client_certificate_takes_the_place_of_the_password(serve, authority, by_certificate,
                                                              options):
    icinga = FakeIcinga()
    server = serve(icinga, clients=authority.cert)
    handler = "--engine", "icinga2", "--verify-timeout", 1
    done = run(*event("DOWN"), *handler, *by_certificate(server.port), within=4)
    assert done.code == DONE, done
    assert icinga.app["enable_notifications"] and set(server.authorizations) == {None}
    beat = plugin.run("check_heartbeat", "--preset", "icinga2-api", *by_certificate(server.port))
    assert beat.state == "OK", beat.out
    icinga.app["enable_service_checks"] = True
    words = by_certificate(server.port)
    engine = f"m1=icinga2-api@{words[1]},ca-cert={words[3]},cert={words[5]},key={words[7]}"
    assert plugin.run("check_engine_pair", "--engine", engine).state == "OK"
    without = run(*event("UP"), *options(server.port), within=4)
    assert without.code == FAILED, without


def test_a_client_certificate_that_cannot_be_used(serve, authority, by_certificate):
    server = serve(FakeIcinga())
    words = by_certificate(server.port)
    words[7] = authority.issue("other").key
    outcome = plugin.run("check_heartbeat", "--preset", "icinga2-api", *words)
    assert outcome.state == "UNKNOWN" and "certificate" in outcome.text, outcome.out
    assert "--key" in plugin.run_usage_error("check_heartbeat", "--preset", "icinga2-api", *words[:6])
    outcome = run(*event("DOWN"), "--engine", "icinga2", *words[:6], within=2)
    assert outcome.code == USAGE and "--cert and --key belong together" in outcome.text


def test_the_check_reads_one_component_however_many_agents_there_are(serve, options):
    icinga = FakeIcinga()
    server = serve(lambda method, path, body: (200, "x" * (5 << 20)) if path == "/v1/status"
                   else icinga(method, path, body))
    outcome = plugin.run("check_heartbeat", "--preset", "icinga2-api", *options(server.port)[2:8])
    assert outcome.state == "OK", outcome.out
    assert abs(outcome.perfdata["clock_skew"].value) < 1
    assert [path for _, path, _ in server.asked] == ["/v1/status/IcingaApplication", "/v1/status/CIB"]


@pytest.mark.parametrize("status, told", [
    (401, "access denied"), (403, 'the ApiUser needs the permission "status/query"'),
    (404, 'the ApiUser needs the permission "status/query", or this is not Icinga 2\'s API '
          "(is the URL right?)"),
    (302, "not an answer of Icinga 2's API")])
def test_a_refusal_means_the_same_to_the_check(serve, options, status, told):
    server = serve(lambda *_: (status, "{}"))
    outcome = plugin.run("check_heartbeat", "--preset", "icinga2-api", *options(server.port)[2:8])
    assert outcome.state == "UNKNOWN"
    assert f"HTTP {status}: {told}" in outcome.text


def test_a_slow_api_is_no_wrong_clock(serve, options):
    icinga = FakeIcinga()

    def slow(method, path, body):
        answer = icinga(method, path, body)
        time.sleep(0.8)  # after the clock was read
        return answer
    outcome = plugin.run("check_heartbeat", "--preset", "icinga2-api",
                         *options(serve(slow).port)[2:8])
    assert outcome.state == "OK"
    assert outcome.perfdata["clock_skew"].value == 0


@pytest.mark.parametrize("status, told", [
    (401, "access denied"), (403, "objects/modify/IcingaApplication"),
    (404, "objects/modify/IcingaApplication"), (500, "cannot answer"),
    (302, "not an answer of Icinga 2's API"),
])
def test_an_api_that_refuses(serve, options, status, told):
    outcome = run(*event("DOWN"), *options(serve(lambda *_: (status, "{}")).port), within=4)
    assert outcome.code == FAILED, outcome
    assert f"HTTP {status}" in outcome.text and told in outcome.text
    assert SECRET not in outcome.out


def test_an_api_that_does_not_obey(serve, options):
    icinga = FakeIcinga()
    server = serve(lambda method, *rest: (200, "{}") if method == "POST" else icinga(method, *rest))
    outcome = run(*event("DOWN"), *options(server.port), within=4)
    assert outcome.code == UNVERIFIED
    assert "notifications are off" in outcome.text


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"results":[]}', "x" * (5 << 20)],
                         ids=["empty", "html", "object", "nothing", "endless"])
def test_an_answer_that_is_not_understood(serve, options, body):
    outcome = run(*event("DOWN"), *options(serve(lambda *_: (200, body)).port), within=5)
    assert outcome.code in (UNVERIFIED, FAILED), outcome


def test_an_api_that_is_down(options):
    outcome = run(*event("DOWN"), *options(1), within=4)
    assert outcome.code == FAILED
    assert "127.0.0.1:1" in outcome.text


def test_an_api_that_hangs_ends_within_the_budget(serve, options):
    listener = SilentListener()
    try:
        for port in (listener.port, serve(lambda *_: None).port):
            outcome = run(*event("DOWN"), *options(port, "-t", 3), within=3.5)
            assert outcome.code == FAILED, outcome
    finally:
        listener.close()


def test_people_are_told_and_their_absence_changes_nothing(serve, options):
    hook = serve(lambda *_: (200, ""))
    outcome = run(*event("DOWN"), *options(serve(FakeIcinga()).port), "--notify-webhook",
                  f"https://127.0.0.1:{hook.port}/token", "--notify-webhook",
                  "http://127.0.0.1:1/secret-token", "--notify-ca-cert",
                  options(1)[options(1).index("--ca-cert") + 1], within=6)
    assert outcome.code == DONE, outcome
    assert "webhook not sent: 127.0.0.1:1" in outcome.out
    assert "secret-token" not in outcome.out
    (method, path, body), = hook.asked
    assert (method, path) == ("POST", "/token")
    told = json.loads(body)
    assert (told["role"], told["outcome"]) == ("active", "done")
    assert told["lines"] == [outcome.text]


def test_nobody_is_told_of_nothing(serve, options):
    hook = serve(lambda *_: (200, ""))
    for options_of_event in (event("WARNING"), event("OK")):
        outcome = run(*options_of_event, *options(serve(FakeIcinga()).port), "--notify-webhook",
                      f"https://127.0.0.1:{hook.port}/", within=4)
        assert outcome.code == DONE
    assert hook.asked == []


class FakeMailServer:
    """Takes one mail after another; `hangs` greets nobody."""

    def __init__(self, hangs=False):
        self.mails = []
        self._hangs = hangs

        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                if outer._hangs:
                    time.sleep(60)
                self.wfile.write(b"220 fake\r\n")
                envelope = []
                while line := self.rfile.readline().decode().strip():
                    word = line.split()[0].upper()
                    if word == "DATA":
                        self.wfile.write(b"354 go on\r\n")
                        text = []
                        while (part := self.rfile.readline().decode()) != ".\r\n":
                            text.append(part)
                        outer.mails.append((envelope, "".join(text)))
                    elif word in ("MAIL", "RCPT"):
                        envelope.append(line)
                    self.wfile.write(b"250 fine\r\n" if word != "QUIT" else b"221 bye\r\n")
                    if word == "QUIT":
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def test_mail_goes_to_all_addresses(serve, options):
    mail = FakeMailServer()
    outcome = run(*event("DOWN"), *options(serve(FakeIcinga()).port), "--notify-smtp", mail.url,
                  "--notify-mail", "a@example.com", "--notify-mail", "b@example.com",
                  "--notify-from", "ha@example.com", within=6)
    assert outcome.code == DONE
    (envelope, text), = mail.mails
    assert [line.split("<")[1].split(">")[0] for line in envelope] == [
        "ha@example.com", "a@example.com", "b@example.com"]
    head, body = text.split("\r\n\r\n", 1)
    assert "Subject: " in head and "activation on DOWN HARD" in head
    assert body == outcome.text + "\r\n"
    mail.close()


def test_a_mail_server_that_hangs_costs_seconds_not_the_activation(serve, options):
    mail = FakeMailServer(hangs=True)
    icinga = FakeIcinga()
    outcome = run(*event("DOWN"), *options(serve(icinga).port), "--notify-smtp", mail.url,
                  "--notify-mail", "a@example.com", within=8)
    assert outcome.code == DONE
    assert icinga.app["enable_notifications"]
    assert "mail not sent" in outcome.out
    mail.close()


def test_a_password_is_not_sent_to_a_mail_server_without_tls(serve, options, tmp_path):
    mail = FakeMailServer()
    outcome = run(*event("DOWN"), *options(serve(FakeIcinga()).port), "--notify-smtp", mail.url,
                  "--notify-mail", "a@example.com", "--notify-smtp-credentials",
                  tmp_path / "credentials", within=8)
    assert outcome.code == DONE
    assert mail.mails == []
    assert "mail not sent" in outcome.out
    mail.close()


@pytest.mark.parametrize("content", ["", "username=ha\n", f"username=ha\npasswrd={SECRET}\n", SECRET])
def test_a_credentials_file_that_is_wrong_is_named_without_its_text(options, tmp_path, content):
    given = options(1)
    (tmp_path / "credentials").write_text(content)
    outcome = run(*event("DOWN"), *given, within=3)
    assert outcome.code == USAGE
    assert str(tmp_path / "credentials") in outcome.text
    assert SECRET not in outcome.out
