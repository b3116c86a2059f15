# SPDX-License-Identifier: MIT
"""-h and -V."""

import re

import pytest

from plugin import CHECKS, run_raw, path

all_checks = pytest.mark.parametrize("check", CHECKS)

STANDARD = """--help --version --verbose --timeout --warning --critical --output --value --discovery
    --extra-opts --config --hostname --port --socket --username --password --defaults-file --group
    --ssl --ca-cert --cert --key --ca-dir --ciphers --ssl-mode --channel --not-replica""".split()


@all_checks
@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(check, option):
    outcome = run_raw([path(check), option])
    assert outcome.code == 3
    assert re.fullmatch(rf"{check} v(\d+\.\d+\.\d+) \(monitoring-plugins-ha \1\)\n", outcome.out)


@all_checks
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_standard_option_in_80_columns(check, option):
    outcome = run_raw([path(check), option])
    assert outcome.code == 3
    assert outcome.out.startswith(f"Usage: {check} ")
    assert [line for line in outcome.out.splitlines() if len(line) > 80] == []
    listed = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", outcome.out, re.MULTILINE))
    assert set(STANDARD) - listed == set()


@all_checks
def test_help_of_own_options(check):
    own = {"check_mysql_replication_lag":
           {"--method", "--heartbeat-table", "--heartbeat-server-id", "--heartbeat-utc",
            "--include-delay", "--stall", "--state-dir"},
           "check_mysql_replication_threads": {"--connecting", "--expect-source", "--writable"}}
    text = run_raw([path(check), "--help"]).out
    assert [option for option in own[check] if f"{option}" not in text] == []


@all_checks
def test_short_options_are_those_of_check_mysql(check):
    text = run_raw([path(check), "--help"]).out
    for short, long in {"-H": "--hostname", "-P": "--port", "-s": "--socket", "-u": "--username",
                        "-p": "--password", "-f": "--defaults-file", "-g": "--group", "-l": "--ssl",
                        "-C": "--ca-cert", "-a": "--cert", "-k": "--key", "-D": "--ca-dir",
                        "-L": "--ciphers", "-w": "--warning", "-c": "--critical",
                        "-t": "--timeout", "-v": "--verbose"}.items():
        assert f"{short}, {long}" in text
