# SPDX-License-Identifier: MIT
"""How check_vip is told what to look at; nothing here is contacted."""

import re

import pytest

from plugin import path, run, run_raw, run_usage_error

CHECK = "check_vip"
VIP = ["--vip", "192.0.2.10"]


@pytest.mark.parametrize("options, words", [
    ([], r"--vip: missing \(ADDRESS\[/PREFIX\]\)"),
    (["--vip", "db"], r"--vip.*'db' is not ADDRESS\[/PREFIX\]"),
    (["--vip", "192.0.2.10/33"], "'192.0.2.10/33'"),
    (["--vip", "fe80::1"], "'fe80::1'.*not link-local"),
    ([*VIP, "--interface", "eth 0"], "--interface.*'eth 0'"),
    ([*VIP, "--expect", "present"], "--expect.*'present'.*held, absent, any"),
    ([*VIP, "-c", "2:1"], "--critical.*'2:1'"),
    ([*VIP, "--node", "db1:0"], "--node.*'db1:0'"),
    ([*VIP, "--node", "db1", "--node", "db1"], "'db1' is given twice"),
    ([*VIP, "-H", "db1"], "--hostname.*use --node"),
    ([*VIP, "--node", "db1:3306", "--node", "db2:3307"], "--port: missing; the nodes' ports differ"),
    ([*VIP, "--cluster", "/nonexistent"], "--cluster: .*/nonexistent"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_mistakes(options, words):
    assert re.search(words, run_usage_error(CHECK, *options))


def test_a_local_address_needs_neither_nodes_nor_privileges():
    outcome = run(CHECK, "--vip", "127.0.0.1/8", "--expect", "held", "--interface", "lo")
    assert (outcome.state, outcome.text) == ("OK", "127.0.0.1: held here on lo")
    assert outcome.perfdata["held"].value == 1
    outcome = run(CHECK, "--vip", "198.51.100.1", "-c", "1:1")
    assert (outcome.state, outcome.text) == (
        "UNKNOWN", "198.51.100.1: it is not known how many machines hold it; not held here")


def test_other_voices():
    options = [path(CHECK), "--vip", "127.0.0.1"]
    assert run_raw([*options, "--value", "held"]).out == "1\n"
    assert run_raw([*options, "--discovery"]).json() == []
    answer = run_raw([*options, "--output", "json"]).json()
    assert answer["metrics"]["held"]["value"] == 1 and answer["items"] == []


def test_help_names_the_options():
    text = run_raw([path(CHECK), "--help"]).out
    for option in ("--vip", "--interface", "--expect", "--arping", "--node", "--cluster"):
        assert f"  {option}" in text
    assert [line for line in text.splitlines() if len(line) > 80] == []
