# SPDX-License-Identifier: MIT
"""What a check says to a wrong command line, before it contacts anything."""

import json

import pytest

from plugin import CHECKS, LAG, NOWHERE, THREADS, run, run_raw, run_usage_error, path

all_checks = pytest.mark.parametrize("check", CHECKS)

# (arguments, words that the message must hold: the option, the value, what is accepted)
USAGE_ERRORS = [
    (["--no-such-option"], ["--no-such-option", "--help"]),
    (["-Z"], ["-Z", "--help"]),
    # Not repeated: it may be a password whose option was misspelt.
    (["stray"], ["unexpected argument", "--help"]),
    (["-P", "0"], ["--port", "'0'", "1 to 65535"]),
    (["-P", "65536"], ["--port", "'65536'", "1 to 65535"]),
    (["-P", "mysql"], ["--port", "'mysql'", "1 to 65535"]),
    (["-P", ""], ["--port", "''", "1 to 65535"]),
    (["-t", "0"], ["--timeout", "'0'"]),
    (["-t", "-1"], ["--timeout", "'-1'"]),
    (["-t", "ten"], ["--timeout", "'ten'"]),
    (["-t", ""], ["--timeout", "''"]),
    (["-t", "inf"], ["--timeout", "'inf'"]),
    (["-t", "1:bad"], ["--timeout", "'bad'", "ok, warning, critical, unknown"]),
    (["-t", "1:4"], ["--timeout", "'4'", "ok, warning, critical, unknown"]),
    (["--output", "xml"], ["--output", "'xml'", "nagios, json, openmetrics"]),
    (["--ssl-mode", "maybe"],
     ["--ssl-mode", "'maybe'", "disabled, preferred, required, verify-ca, verify-identity"]),
    (["--not-replica", "fine"], ["--not-replica", "'fine'", "ok, warning, critical, unknown"]),
    (["-w"], ["--warning"]),
    (["-H"], ["--hostname"]),
    (["--config", "/nonexistent/c.ini"], ["--config", "/nonexistent/c.ini", "No such file"]),
    (["--extra-opts=x@/nonexistent/e.ini"], ["--extra-opts", "/nonexistent/e.ini", "No such file"]),
    (["-f", "/nonexistent/my.cnf"], ["/nonexistent/my.cnf", "No such file"]),
]

LAG_ERRORS = [
    (["--method", "magic"], ["--method", "'magic'", "auto, status, heartbeat, applier"]),
    (["--stall", "0"], ["--stall", "'0'"]),
    (["--stall", "x"], ["--stall", "'x'"]),
    (["--stall", "5:none"], ["--stall", "'none'", "ok, warning, critical, unknown"]),
    (["--heartbeat-server-id", "x"], ["--heartbeat-server-id", "'x'"]),
    (["--heartbeat-server-id", "-1"], ["--heartbeat-server-id", "'-1'"]),
]

THREADS_ERRORS = [
    (["--connecting", "x"], ["--connecting", "'x'", "ok, warning, critical, unknown"]),
    (["--writable", "x"], ["--writable", "'x'", "ok, warning, critical, unknown"]),
    (["--expect-source", ""], ["--expect-source", "''"]),
    (["--expect-source", "db1:port"], ["--expect-source", "'db1:port'"]),
    (["--expect-source", "db1:70000"], ["--expect-source", "'db1:70000'"]),
]


def ids(rows):
    return [" ".join(arguments) for arguments, _ in rows]


def assert_refused(check, arguments, words):
    text = run_usage_error(check, *NOWHERE, *arguments)
    assert [word for word in words if word not in text] == [], text


@all_checks
@pytest.mark.parametrize("arguments, words", USAGE_ERRORS, ids=ids(USAGE_ERRORS))
def test_usage_error_names_option_value_and_what_is_accepted(check, arguments, words):
    assert_refused(check, arguments, words)


@pytest.mark.parametrize("arguments, words", LAG_ERRORS, ids=ids(LAG_ERRORS))
def test_usage_error_of_lag(arguments, words):
    assert_refused(LAG, arguments, words)


@pytest.mark.parametrize("arguments, words", THREADS_ERRORS, ids=ids(THREADS_ERRORS))
def test_usage_error_of_threads(arguments, words):
    assert_refused(THREADS, arguments, words)


@all_checks
@pytest.mark.parametrize("arguments", [["--output", "json"], ["--output=json"]], ids=" ".join)
@pytest.mark.parametrize("wrong", [["--nonsense"], ["-w", "2:1"], ["-P", "0"]], ids=" ".join)
@pytest.mark.parametrize("voice_first", [True, False])
def test_usage_error_in_json_is_an_object(check, arguments, wrong, voice_first):
    options = [*arguments, *wrong] if voice_first else [*wrong, *arguments]
    outcome = run_raw([path(check), *NOWHERE, *options])
    assert outcome.code == 3
    assert outcome.out.count("\n") == 1
    answer = json.loads(outcome.out)
    assert answer["check"] == check.removeprefix("check_")
    assert (answer["state"], answer["state_code"]) == ("UNKNOWN", 3)
    assert wrong[0].lstrip("-") in answer["summary"] or wrong[-1] in answer["summary"]
    assert answer["metrics"] == {} and answer["items"] == []


@all_checks
def test_a_wrong_value_with_control_bytes_and_bars_stays_one_clean_line(check):
    text = run_usage_error(check, *NOWHERE, "-w", "1|2\n3\x1b[31m")
    assert "--warning" in text


@all_checks
def test_a_very_long_wrong_value_stays_within_the_limit(check):
    assert "--warning" in run_usage_error(check, *NOWHERE, "-w", "9x" * 20000)


@all_checks
def test_a_wrong_value_that_is_not_utf8_gives_valid_output(check):
    assert "--warning" in run_usage_error(check, *NOWHERE, "-w", b"\xff\xfe".decode(
        "utf-8", "surrogateescape"))


@all_checks
def test_several_mistakes_give_one_line(check):
    run_usage_error(check, "-w", "x", "-c", "y", "--nonsense", "-P", "0")


@all_checks
def test_the_last_occurrence_of_an_option_wins(check):
    outcome = run(check, "-H", "127.0.0.1", "-P", "2", "-P", "1")
    assert outcome.state == "CRITICAL"
    assert "127.0.0.1:1" in outcome.text
