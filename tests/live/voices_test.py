# SPDX-License-Identifier: MIT
"""The other voices, on real data: JSON, OpenMetrics, one value, discovery."""

import pytest

from pairs import login, watch
from plugin import CHECKS, LAG, THREADS, path, run_raw

all_checks = pytest.mark.parametrize("check", CHECKS)


@pytest.fixture
def east_down(two_sources):
    """The replica of two sources, with the channel west stopped."""
    *_, replica = two_sources
    replica.stop_replication("west", "SQL")
    return replica


def speak(server, check, *options):
    return run_raw([path(check), *login(server), *options])


@all_checks
def test_json(check, east_down):
    outcome = speak(east_down, check, "--output", "json", "-w", "10", "-c", "60")
    assert outcome.code == 2
    assert outcome.out.count("\n") == 1
    answer = outcome.json()
    assert list(answer) == ["check", "version", "state", "state_code", "summary", "details",
                            "metrics", "items"]
    assert answer["check"] == check.removeprefix("check_")
    assert (answer["state"], answer["state_code"]) == ("CRITICAL", 2)
    assert "west" in answer["summary"]
    assert len(answer["details"]) == 2
    assert {item["name"] for item in answer["items"]} == {"east", "west"}
    for metric in answer["metrics"].values():
        assert set(metric) == {"value", "unit", "warning", "critical", "min", "max"}


def test_json_agrees_with_the_perfdata(east_down):
    perfdata = watch(east_down, LAG, "-w", "10", "-c", "60").perfdata
    metrics = speak(east_down, LAG, "-w", "10", "-c", "60", "--output", "json").json()["metrics"]
    assert set(metrics) == set(perfdata)
    assert metrics["west_lag"]["value"] is None
    for label, metric in metrics.items():
        assert metric["value"] is None or metric["unit"] == perfdata[label].unit
        assert (metric["warning"] or "") == perfdata[label].warning
        assert (metric["critical"] or "") == perfdata[label].critical


def test_json_items_carry_facts_and_metrics(east_down):
    answer = speak(east_down, LAG, "--output", "json").json()
    east = next(item for item in answer["items"] if item["name"] == "east")
    assert east["state"] == "OK"
    assert set(east["metrics"]) == {"lag", "sql_delay", "relay_log_space"}
    assert east["metrics"]["lag"]["value"] >= 0


@all_checks
def test_value_prints_the_bare_number_and_keeps_the_state(check, east_down):
    label, value = {LAG: ("west_lag", "U"), THREADS: ("sql_running", "1")}[check]
    outcome = speak(east_down, check, "--value", label)
    assert (outcome.code, outcome.out) == (2, value + "\n")


def test_value_is_a_plain_number(east_down):
    assert float(speak(east_down, LAG, "--value", "east_lag").out) >= 0
    assert speak(east_down, LAG, "--value", "east_sql_delay").out == "0\n"


@all_checks
def test_unknown_label_lists_the_labels(check, east_down):
    outcome = speak(east_down, check, "--value", "nonsense")
    assert outcome.code == 3
    labels = {LAG: ["east_lag", "west_lag", "east_sql_delay", "west_relay_log_space"],
              THREADS: ["channels", "io_running", "sql_running", "connecting"]}[check]
    assert [label for label in ["nonsense", *labels] if label not in outcome.out] == []


@all_checks
def test_discovery(check, east_down):
    outcome = speak(east_down, check, "--discovery")
    assert outcome.code == 2, "the true state in every voice"
    found = outcome.json()
    assert isinstance(found, list) and len(found) == 2
    assert {entry["{#CHANNEL}"] for entry in found} == {"east", "west"}
    for entry in found:
        assert all(key.startswith("{#") and key.endswith("}") and key == key.upper()
                   for key in entry)


@all_checks
def test_openmetrics(check, east_down):
    outcome = speak(east_down, check, "--output", "openmetrics", "-w", "10", "-c", "60")
    assert outcome.code == 2
    lines = outcome.out.splitlines()
    assert lines[-1] == "# EOF"
    samples = [line for line in lines if not line.startswith("#")]
    assert samples and lines[0].startswith("# ")
    families = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    for sample in samples:
        name, value = sample.rsplit(" ", 1)
        float(value)
        assert name.split("{")[0] in families, sample
    word = {LAG: "lag", THREADS: "sql_running"}[check]
    assert any(word in sample for sample in samples)


@all_checks
def test_default_channel_in_json_and_discovery(check, pair):
    answer = speak(pair.replica, check, "--output", "json").json()
    assert [item["name"] for item in answer["items"]] == [""]
    assert [entry["{#CHANNEL}"] for entry in speak(pair.replica, check, "--discovery").json()] == [""]
