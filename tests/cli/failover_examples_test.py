# SPDX-License-Identifier: MIT
"""conf-examples/mysql-failover and pair: every file is accepted as it ships, the fence refuses until an operator
has chosen a method and then proves what it says, and no strange name of a binlog reaches a shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from plugin import path, run_raw

EXAMPLES = Path(__file__).resolve().parents[2] / "conf-examples/mysql-failover"
GUARDS = sorted(EXAMPLES.glob("*guard.conf"))
CLUSTERS = [*sorted(set(EXAMPLES.glob("*.conf")) - set(GUARDS)), EXAMPLES.parent / "pair/cluster.conf",
            EXAMPLES.parent / "getperf/cluster.conf"]
NOTHING_TO_DO = ("--state", "OK", "--state-type", "HARD")
# What others have on such machines.
PANDORA = """ha_hosts 192.0.2.11,192.0.2.12
ha_dbuser ha
ha_dbpass secret
repl_dbuser repl
repl_dbpass secret
incomingdir /var/spool/pandora/data_in
splitbrain_autofix 0
"""


def by_name(files):
    return {"argvalues": files, "ids": [f"{file.parent.name}/{file.stem}" for file in files]}


@pytest.fixture
def here(tmp_path):
    """Return the text of an example with the directories of its files replaced by ours."""
    (tmp_path / "accounts.cnf").write_text((EXAMPLES / "accounts.cnf").read_text())
    (tmp_path / "app1.cnf").write_text((EXAMPLES.parent / "getperf/app1.cnf").read_text())
    (tmp_path / "pandora_server.conf").write_text(PANDORA)
    (tmp_path / "mysql-ca.pem").write_text("")
    return lambda text: re.sub("(/etc|/var/lib)/(monitoring-plugins-ha|mha|pandora|ssl/certs)", str(tmp_path),
                               text)


def options_of(binary):
    return set(re.findall(r"^  (?:-\w, )?--([a-z-]+)", run_raw([path(binary), "--help"]).out, re.M))


def keys(text):
    """Return the keys of a file, those that are commented out too."""
    return re.findall(r"^(?:; )?([a-z-]+) *=", text, re.M)


@pytest.mark.parametrize("file", **by_name(CLUSTERS))
def test_cluster_files_are_accepted_and_no_key_is_passed_over(file, here, tmp_path):
    assert set(keys(file.read_text())) <= options_of("handle_mysql_failover") | options_of("mysql_ha")
    config = tmp_path / file.name
    for text in (file.read_text(), re.sub("^; ", "", file.read_text(), flags=re.M)):
        config.write_text(here(text))
        outcome = run_raw([path("handle_mysql_failover"), "--cluster", config, *NOTHING_TO_DO])
        assert outcome.out == "handle_mysql_failover: nothing to do on OK HARD\n"
        outcome = run_raw([path("mysql_ha"), "journal", "ack", "--cluster", config])
        assert outcome.out == "mysql_ha: there is no run to acknowledge\n"


@pytest.mark.parametrize("file", **by_name(GUARDS))
def test_guards_are_accepted(file, here, tmp_path):
    assert set(keys(file.read_text())) <= options_of("ha_guard")
    config = tmp_path / file.name
    text = re.sub("^(check|while-healthy) .*$", r"\1 = /bin/true", file.read_text(), flags=re.M)
    config.write_text(here(text))
    assert run_raw([path("ha_guard"), "--config", config, "-v"]).out.endswith(": pass done\n")
    handler = re.search(r"^on-failure.*eventhandlers/(handle_mysql_failover .*)$", text, re.M)[1]
    words = handler.split()
    assert (EXAMPLES / Path(words[words.index("--cluster") + 1]).name).exists()
    assert options_of(words[0]) >= {word.strip("-") for word in words if word.startswith("--")}


def test_the_table_for_slavetools4nagios_is_what_the_files_say():
    """Each setting that a cell names is a line of a file, each option one of a program."""
    table = (EXAMPLES / "README.md").read_text().split("slave2master.conf", 1)[1]
    named = [code for row in re.findall(r"^\|[^|]+\|(.*)\|$", table, re.M)
             for code in re.findall("`([^`]+)`", row)]
    lines = {re.sub(" +", " ", line.removeprefix("; ")) for name in ("", "-guard")
             for line in (EXAMPLES / f"nagios-perfparse{name}.conf").read_text().splitlines()}
    settings = [code for code in named if re.match("[a-z-]+ = ", code) and code != "read_only = 1"]
    assert len(settings) >= 9 and [code for code in settings if code not in lines] == []
    assert "ConnectTimeout=10" in named and any("ConnectTimeout=10" in line for line in lines)
    assert {"--preset", "--process"} <= {word for code in named for word in code.split()}
    assert {"preset", "process", "critical"} <= options_of("check_heartbeat")


def test_the_unit_guards_the_example(here, tmp_path):
    unit = (EXAMPLES / "mysql-ha-guard.service").read_text()
    (tmp_path / "cluster.conf").write_text(here((EXAMPLES / "cluster.conf").read_text()))
    tool, command, *options = here(re.search("^ExecStart=/usr/sbin/(.*)$", unit, re.M)[1]).split()
    outcome = run_raw([path(tool), command, "status", *options])
    assert outcome.code == 2 and "no guard was started with this state directory" in outcome.out


@pytest.fixture
def fence(tmp_path):
    """Run the shipped fence with settings replaced; ssh, ping, ipmitool and the systemctl behind ssh
    are programs of the test's own."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(settings=(), action="off", **bodies):
        text = (EXAMPLES / "fence").read_text()
        for name, value in settings:
            text, count = re.subn(f"^{name}=.*$", f"{name}={value}", text, flags=re.M)
            assert count == 1
        script = tmp_path / "fence"
        for place, body in ((script, text), *((programs / name, f"#!/bin/sh\n{body}\n")
                                              for name, body in bodies.items())):
            place.write_text(body)
            place.chmod(0o755)
        done = subprocess.run([script], text=True, capture_output=True, timeout=30,
                              env={"PATH": f"{programs}:{os.environ['PATH']}",
                                   "LOG": f"{tmp_path}/log", "HA_FENCE_ACTION": action,
                                   "HA_FAILED_NODE": "db1", "HA_FAILED_HOST": "192.0.2.11"})
        return done.returncode, done.stdout + done.stderr
    return run


# What sshd does: the words behind the host, joined, to the login's shell.
SSH = """while [ "$1" != -- ]; do shift; done
[ "$2" = root@192.0.2.11 ] || exit 255
shift 2
exec sh -c "$*"
"""
SYSTEMCTL = 'echo "$*" >>$LOG; case $1 in is-active) echo {state} ;; esac'


def test_the_fence_refuses_as_it_ships(fence):
    code, said = fence(ssh="exit 0", ipmitool="exit 0")
    assert code == 1 and "no method is chosen" in said


@pytest.mark.parametrize("settings, bodies, code", [
    ([], {}, 1),
    ([("method", "ssh")], {"ssh": SSH, "systemctl": SYSTEMCTL.format(state="active")}, 0),
    ([("method", "ssh")], {"ssh": "exit 255"}, 1),
    ([("method", "ssh")], {"ssh": SSH, "systemctl": "exit 1"}, 1),
    ([("method", "ssh"), ("accept_silence", "yes")], {"ssh": SSH, "systemctl": "exit 0"}, 10),
    ([("method", "ipmi")], {"ipmitool": "echo Chassis Power is on"}, 0),
    ([("method", "ipmi")], {"ipmitool": "exit 1"}, 1),
])
def test_the_fence_is_asked_and_does_nothing(fence, tmp_path, settings, bodies, code):
    bodies = {name: f'echo "{name} $*" >>$LOG.calls\n{body}' for name, body in bodies.items()}
    assert fence(settings, action="status", **bodies)[0] == code
    calls = tmp_path / "log.calls"
    said = calls.read_text() if calls.exists() else ""
    assert not any(word in said for word in ("power off", " stop ", "kill", "disable")), said


def test_a_fence_that_is_asked_for_something_else_does_nothing(fence):
    code, said = fence([("method", "ssh")], action="on", ssh="exit 0")
    assert code == 1 and "unknown action on" in said


@pytest.mark.parametrize("state, code", [("inactive", 0), ("failed", 0), ("active", 1),
                                         ("deactivating", 1), ("", 1)])
def test_fence_by_ssh_looks_at_what_became_of_it(fence, tmp_path, state, code):
    assert fence([("method", "ssh")], ssh=SSH, systemctl=SYSTEMCTL.format(state=state))[0] == code
    assert (tmp_path / "log").read_text().splitlines() == [
        "disable --quiet mariadb", "kill --signal=KILL mariadb", "stop mariadb", "is-active mariadb"]


def test_a_silent_host_is_accepted_only_by_who_says_so(fence):
    silent = {"ssh": "exit 255", "ping": "exit 1"}
    assert fence([("method", "ssh")], **silent)[0] == 1
    code, said = fence([("method", "ssh"), ("accept_silence", "yes")], **silent)
    assert code == 10 and "neither ssh nor ping" in said
    answers = {"ssh": "exit 255", "ping": "exit 0"}
    assert fence([("method", "ssh"), ("accept_silence", "yes")], **answers)[0] == 1


def test_fence_by_ipmi_waits_until_the_power_is_off(fence, tmp_path):
    body = """echo "$*" >>$LOG
case $* in
  *' chassis power off') ;;
  *' chassis power status')
    [ "$(grep -c status $LOG)" -lt 3 ] && echo 'Chassis Power is on' || echo 'Chassis Power is off' ;;
  *) exit 1 ;;
esac"""
    assert fence([("method", "ipmi")], ipmitool=body) == (0, "the power is off\n")
    first = (tmp_path / "log").read_text().splitlines()[0]
    assert "-H db1-bmc " in first and first.endswith("chassis power off")


def test_fence_by_ipmi_refuses_when_the_board_does_not_answer(fence):
    assert fence([("method", "ipmi")], ipmitool="exit 1")[0] == 1


@pytest.mark.parametrize("file, position", [
    ("", "4"), ("a'b.1", "4"), ("$(id).1", "4"), ("../binlog.1", "4"), ("binlog.1", ""),
    ("binlog.1", "4;id"), ("binlog.1\nx", "4")])
def test_what_cannot_be_a_binlog_is_not_rescued(tmp_path, file, position):
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\ntouch $0.was-called\n")
    ssh.chmod(0o755)
    done = subprocess.run([EXAMPLES / "rescue-binlogs"], text=True, capture_output=True, timeout=30,
                          env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HA_FAILED_HOST": "db1",
                               "HA_BINLOG_FILE": file, "HA_BINLOG_POSITION": position})
    assert (done.returncode, done.stdout) == (1, "")
    assert not list(tmp_path.glob("*.was-called"))
