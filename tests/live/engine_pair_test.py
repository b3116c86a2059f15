# SPDX-License-Identifier: MIT
"""check_engine_pair over engines in databases and files, and over nodes that hang."""

import time

import pytest

from engines import IcingaDb, Ido, Ndo, Zabbix
from network import BlackHole, SilentListener
from pairs import login
from plugin import run, run_raw, path

PAIR = "check_engine_pair"


@pytest.fixture
def server(bench, flavour):
    server = bench.server(flavour)
    server.create_monitor("SELECT ON *.*")
    return server


def status_dat(file, age_s=0, notifications=1, checks=1):
    """Write the head of a status file as Nagios 4 does; return its path."""
    file.write_text(f"info {{\n\tcreated={int(time.time()) - age_s}\n\tversion=4.4.6\n\t}}\n\n"
                    f"programstatus {{\n\tnagios_pid=1\n\tenable_notifications={notifications}\n"
                    f"\tactive_service_checks_enabled={checks}\n\t}}\n\n")
    return file


def pair(server, *engines, options=()):
    words = [word for engine in engines for word in ("--engine", engine)]
    return run(PAIR, *login(server), *words, *options)


def active(outcome):
    return outcome.perfdata["active"].value, outcome.perfdata["nodes"].value


def test_zabbix_cluster(server):
    engine = Zabbix(server)
    engine.beat(name="z1", status=Zabbix.ACTIVE)
    engine.beat(name="z2", status=Zabbix.STANDBY)
    nodes = ("z1=zabbix@,node-name=z1", "z2=zabbix@,node-name=z2")
    outcome = pair(server, *nodes)
    assert outcome.state == "OK", outcome.out
    assert active(outcome) == (1, 2)
    assert outcome.perfdata["z1_age"].value < 10
    assert pair(server, *nodes, options=["--expect", "z1"]).state == "OK"
    outcome = pair(server, *nodes, options=["--expect", "z2"])
    assert outcome.state == "WARNING" and "z1 is active instead of z2" in outcome.text
    engine.beat(name="z2", status=Zabbix.ACTIVE)
    outcome = pair(server, *nodes)
    assert outcome.state == "CRITICAL" and active(outcome) == (2, 2)
    engine.beat(name="z1", status=Zabbix.UNAVAILABLE, age_s=300)
    outcome = pair(server, *nodes)
    assert outcome.state == "WARNING" and "z1 is down" in outcome.text, outcome.out
    engine.beat(name="z2", status=Zabbix.STOPPED)
    assert pair(server, *nodes).state == "CRITICAL"


def test_icingadb_and_ido(server):
    icingadb = IcingaDb(server)
    icingadb.beat(endpoint="m1", responsible="y")
    icingadb.beat(endpoint="m2", responsible="n")
    outcome = pair(server, "m1=icingadb@,node-name=m1", "m2=icingadb@,node-name=m2")
    assert outcome.state == "OK" and "m1 is active, standby: m2" in outcome.text, outcome.out
    Ido(server).beat(endpoint="m2")
    outcome = pair(server, "m1=ido@,node-name=m1", "m2=ido@,node-name=m2")
    assert outcome.state == "OK" and "m2 is active, standby: m1" in outcome.text, outcome.out


def test_each_node_has_its_own_server_and_preset(bench, flavour, tmp_path):
    first, second = bench.start(flavour, 2)
    for server in (first, second):
        server.create_monitor("SELECT ON *.*")
    Ndo(first).beat()
    Ndo(second, database="other", prefix="n_").beat(notifications=0, checks=0)
    options = tmp_path / "my.cnf"
    options.write_text("[client]\nuser=monitor\npassword=monitor-secret\n")
    options.chmod(0o600)
    file = status_dat(tmp_path / "status.dat", notifications=0)
    engines = ["--engine", f"n1=ndo@127.0.0.1:{first.port},defaults-file={options}",
               "--engine", f"n2=ndo@{second.socket},database=other,prefix=n_,instance=default,"
                           f"defaults-file={options}",
               "--engine", f"n3=status-dat@{file}"]
    outcome = run(PAIR, *engines)
    assert outcome.state == "OK", outcome.out
    assert active(outcome) == (1, 3)
    status_dat(file, notifications=1)
    outcome = run(PAIR, *engines)
    assert outcome.state == "CRITICAL" and "n1, n3" in outcome.text


def test_two_status_files(tmp_path):
    files = [tmp_path / name for name in ("a", "b")]
    engines = [word for file in files
               for word in ("--engine", f"{file.name}=status-dat@{file}")]
    for first, second, state in (({}, {"notifications": 0}, "OK"), ({}, {}, "CRITICAL"),
                                 ({"notifications": 0}, {"notifications": 0}, "CRITICAL"),
                                 ({}, {"notifications": 0, "age_s": 500}, "WARNING"),
                                 ({"age_s": 500}, {}, "WARNING"), ({"checks": 0}, {"notifications": 0},
                                                                   "CRITICAL")):
        status_dat(files[0], **first)
        status_dat(files[1], **second)
        outcome = run(PAIR, *engines)
        assert outcome.state == state, outcome.out
    files[0].unlink()
    status_dat(files[1])
    assert run(PAIR, *engines).state == "WARNING"
    assert run(PAIR, engines[0], engines[1] + ",cold", *engines[2:]).state == "OK"


@pytest.mark.parametrize("kind", [SilentListener, BlackHole])
def test_a_node_that_hangs_is_a_fact(server, bench, kind):
    engine = Ndo(server)
    engine.beat()
    hung = bench.add(kind())
    outcome = pair(server, "m1=ndo@,instance=default", f"m2=ndo@127.0.0.1:{hung.port}",
                   options=["-t", "2"])
    assert outcome.state == "WARNING", outcome.out
    assert "m2 is unreachable and may be active" in outcome.text
    assert outcome.seconds < 2.5
    assert active(outcome) == (1, 2)
    engine.stop()
    outcome = pair(server, "m1=ndo@", f"m2=ndo@127.0.0.1:{hung.port}", options=["-t", "1"])
    assert outcome.state == "CRITICAL"
    assert "no engine is known to be active" in outcome.text


def test_no_access_is_unknown(server):
    Ndo(server).beat()
    words = ["--engine", "m1=ndo@", "--engine", "m2=ndo@,username=nobody"]
    outcome = run(PAIR, *login(server), *words)
    assert outcome.state == "UNKNOWN", outcome.out
    assert "access denied" in outcome.text.lower()


def test_voices(tmp_path):
    file = status_dat(tmp_path / "status.dat")
    command = [path(PAIR), "--engine", f"n1=status-dat@{file}", "--engine",
               f"n2=status-dat@{tmp_path}/none,cold"]
    answer = run_raw([*command, "--output", "json"]).json()
    assert [item["facts"]["activity"] for item in answer["items"]] == ["active", "standby"]
    assert run_raw([*command, "--value", "active"]).out == "1\n"
    assert {row["{#NODE}"] for row in run_raw([*command, "--discovery"]).json()} == {"n1", "n2"}
