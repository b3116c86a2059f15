# SPDX-License-Identifier: MIT
"""A real NRPE daemon runs every command of nrpe/ha-plugins.cfg, as it ships, without arguments."""

import re
import shutil

import pytest

import plugin
from nagios import ROOT, monitor_file
from nrpe import Nrpe

SHIPPED = ROOT / "nrpe/ha-plugins.cfg"
COMMANDS = re.findall(r"^command\[(.+?)\]=", SHIPPED.read_text(), re.MULTILINE)

def test_every_command_ships_once():
    assert sorted(COMMANDS) == sorted(set(COMMANDS))
    assert set(plugin.CHECKS) <= set(COMMANDS)


@pytest.fixture
def nrpe(bench, pair):
    account = monitor_file(bench.directory / "monitor.cnf", f"socket={pair.replica.socket}")
    shutil.chown(account, "nobody")
    return Nrpe(bench, SHIPPED, {"/etc/nagios/mysql-monitor.cnf": account})


@pytest.mark.parametrize("command", plugin.CHECKS)
def test_check_through_nrpe(pair, nrpe, command):
    name = command.removeprefix("check_").replace("_", " ").upper()
    code, output = nrpe.ask("-c", command)
    assert (code, output.split(" - ")[0]) == (0, f"{name} OK"), output
    assert "|" in output, "perfdata come through"
    pair.replica.stop_replication(thread="SQL")
    code, output = nrpe.ask("-c", command)
    assert (code, output.split(" - ")[0]) == (2, f"{name} CRITICAL"), output
    assert "SQL thread stopped" in output
