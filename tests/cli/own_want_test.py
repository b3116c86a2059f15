# SPDX-License-Identifier: MIT
"""What this machine lacks (descriptors, processes, threads, ports) is UNKNOWN and says whose want it is:
the file, mount, engine or API that was asked about may be well."""

import json
import resource
import socket

import pytest

import plugin
from certificates import Authority
from fake_https import SECRET, FakeServer
from status_dat import status_dat

FAULTS = {"LD_PRELOAD": str(plugin.BUILD / "tests/faults.so"), "NO_CHILDREN": "1"}


def status_of_icinga(*_):
    return 200, json.dumps({"results": [{"name": "IcingaApplication", "status": {"icingaapplication": {
        "app": {"node_name": "m1", "enable_notifications": True}}}}]})


@pytest.fixture
def status(tmp_path):
    file = tmp_path / "status.dat"
    file.write_text(status_dat())
    return file


@pytest.fixture
def commands(status, tmp_path):
    """Return the command lines by name; all of them are well where nothing lacks."""
    authority = Authority(tmp_path)
    server = FakeServer(status_of_icinga, authority.issue("m1", ("127.0.0.1",)))
    credentials = tmp_path / "credentials"
    credentials.write_text(f"username=ha\npassword={SECRET}\n")
    yield {
        "file": ["check_heartbeat", "--preset", "file", "--file", status, "-w", 100, "-c", 200],
        "status file": ["check_heartbeat", "--preset", "status-dat", "--file", status],
        "api": ["check_heartbeat", "--preset", "icinga2-api", "--ca-cert", authority.cert,
                "--api", f"https://127.0.0.1:{server.port}", "--api-credentials", credentials],
        "mount": ["check_share_mount", "--mount", "/dev/shm", "--write-test",
                  "--state-dir", tmp_path / "state"],
        "volume": ["check_share_mount", "--mount", "/dev/shm", "--gluster-volume", "spool",
                   "--state-dir", tmp_path / "state"],
        "pair": ["check_engine_pair", "--engine", f"n1=status-dat@{status}",
                 "--engine", f"n2=status-dat@{tmp_path / 'none'},cold"],
    }
    server.close()


@pytest.mark.parametrize("name", ["file", "status file", "api", "mount", "pair"])
def test_few_descriptors(commands, name):
    command = commands[name]
    assert plugin.run(*command).state == "OK"
    outcomes = [plugin.run(*command, preexec_fn=lambda n=number: resource.setrlimit(
        resource.RLIMIT_NOFILE, (n, n))) for number in range(4, 12)]
    wanting = [outcome for outcome in outcomes if outcome.state != "OK"]
    assert {outcome.state for outcome in wanting} == {"UNKNOWN"}, wanting
    assert any("an error of this machine" in outcome.text for outcome in wanting), wanting


@pytest.mark.parametrize("name", ["file", "status file", "mount", "volume", "pair"])
def test_no_process_and_no_thread(commands, name):
    outcome = plugin.run(*commands[name], env=FAULTS)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "an error of this machine" in outcome.text


@pytest.mark.parametrize("check", [plugin.THREADS, "check_heartbeat"])
def test_an_address_that_cannot_be_tried(check, tmp_path):
    """Where IPv6 is off, a host's IPv6 address gives an error of this machine's: the other decides."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and nobody listens
        port = str(unused.getsockname()[1])
        credentials = tmp_path / "credentials"
        credentials.write_text(f"username=ha\npassword={SECRET}\n")
        command = {plugin.THREADS: ["-H", "localhost", "-P", port],
                   "check_heartbeat": ["--preset", "icinga2-api", "--api", f"https://localhost:{port}",
                                       "--api-credentials", credentials]}[check]
        faults = {"LD_PRELOAD": str(plugin.BUILD / "tests/faults.so"), "IPV6_OFF": "1"}
        outcome = plugin.run(check, *command, env=faults)
        assert outcome.state == "CRITICAL" and "this machine" not in outcome.text, outcome.out
        outcome = plugin.run(check, *command, env={**faults, "UNASKED_PORT": port})
        assert outcome.state == "UNKNOWN" and "an error of this machine" in outcome.text, outcome.out
