# SPDX-License-Identifier: MIT
"""check_heartbeat and check_engine_pair ask the API of a real Icinga 2."""

import shutil

import pytest

from certificates import Authority
from icinga2 import Icinga2
from plugin import run
from servers import wait_until

NODE = """
const NodeName = "m1"
object Endpoint NodeName {{ }}
object Zone "master" {{ endpoints = [ NodeName ] }}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {port} }}
object ApiUser "monitor" {{ password = "api-secret"; permissions = [ "status/query" ] }}
object ApiUser "agent" {{ client_cn = "agent"; permissions = [ "status/query" ] }}
object ApiUser "nobody" {{ password = "api-secret"; permissions = [ "actions/shutdown-process" ] }}
"""


@pytest.fixture
def api(bench, tmp_path):
    """The options that reach the API of an Icinga 2, as a function of the account."""
    authority = Authority(tmp_path)
    certificate = authority.issue("m1", hosts=["m1"])
    port = bench.free_port()
    icinga2 = Icinga2(bench.directory / "icinga2", NODE.format(port=port))
    certificates = bench.directory / "icinga2/certs"
    certificates.mkdir()
    for source, name in ((certificate.cert, "m1.crt"), (certificate.key, "m1.key"),
                         (authority.cert, "ca.crt")):
        shutil.copy(source, certificates / name)
    bench.add(icinga2).start()

    def options(user="monitor", password="api-secret"):
        credentials = tmp_path / f"{user}.conf"
        credentials.write_text(f"username={user}\npassword={password}\n")
        credentials.chmod(0o600)
        return ["--preset", "icinga2-api", "--api", f"https://127.0.0.1:{port}", "--ca-cert",
                authority.cert, "--api-server-name", "m1", "--api-credentials", credentials]
    wait_until(lambda: run("check_heartbeat", *options()).state == "OK", 60, "Icinga 2's API")
    options.icinga2, options.port, options.authority = icinga2, port, authority
    return options


def test_heartbeat_and_pair_by_api(api, tmp_path):
    outcome = run("check_heartbeat", *api())
    assert "Icinga 2 m1" in outcome.text and "notifications enabled" in outcome.text
    assert 0 <= outcome.perfdata["age"].value < 5
    assert abs(outcome.perfdata["clock_skew"].value) < 2
    assert (outcome.perfdata["age"].warning, outcome.perfdata["age"].critical) == ("30", "60")
    outcome = run("check_heartbeat", *api(password="wrong"))
    assert outcome.state == "UNKNOWN" and "access denied" in outcome.text
    outcome = run("check_heartbeat", *api(user="nobody"))
    assert outcome.state == "UNKNOWN", outcome.out
    assert 'the ApiUser needs the permission "status/query"' in outcome.text
    trusting_the_system = api()
    del trusting_the_system[4:6]
    outcome = run("check_heartbeat", *trusting_the_system)
    assert outcome.state == "CRITICAL" and "certificate" in outcome.text


    agent = api.authority.issue("agent")
    outcome = run("check_heartbeat", *api()[:-2], "--cert", agent.cert, "--key", agent.key)
    assert outcome.state == "OK", outcome.out

    # An HA zone: both of its nodes are active. (Here one node in two roles.)
    m1, m2 = (f"{name}=icinga2-api@https://127.0.0.1:{api.port},ca-cert={api.authority.cert},"
              f"api-server-name=m1,api-credentials={tmp_path}/monitor.conf" for name in ("m1", "m2"))
    outcome = run("check_engine_pair", "--engine", m1)
    assert outcome.state == "OK" and "m1 is active" in outcome.text, outcome.out
    outcome = run("check_engine_pair", "--engine", m1 + ",shared", "--engine", m2 + ",shared")
    assert outcome.state == "OK" and "m1, m2 are active and share the work" in outcome.text
    assert run("check_engine_pair", "--engine", m1, "--engine", m2).state == "CRITICAL"


def test_icinga_that_hangs_or_is_gone(api):
    api.icinga2.close()
    outcome = run("check_heartbeat", *api())
    assert outcome.state == "CRITICAL" and str(api.port) in outcome.text
