# SPDX-License-Identifier: MIT
"""The range grammar on the command line, row by row of what is documented."""

import pytest

from plugin import CHECKS, NOWHERE, run, run_usage_error

ACCEPTED = ["10", "10:", "~:10", "10:20", "@10:20", "010", "1e3", ":5", ":", "~:", "@:", "0", "0:0",
            "10:10", "-5:5", "-5:", "~:-5", "@-5:5", "0.5", "10.25:20.75", ".5", "@10", "@~:20",
            "12345678901234567890:"]
REJECTED = ["", "2:1", "-5", "5s", "1,5", "0x10", "inf", "nan", "~", "5:~", "1:2:3", "1:12%", "@",
            "+5", " 5", "5 ", "5 :6", "1e400", "~:~", "~5", "~5:10", "abc", "%", "--5", "5@", "@@5",
            "1:2:", "infinity", "-inf:5", "1_000", "@20:10", "1:-1", "5%", "0x1p4", "1e", ".", "-",
            "١"]

all_checks = pytest.mark.parametrize("check", CHECKS)
both_options = pytest.mark.parametrize("option", [("-w", "--warning"), ("-c", "--critical")],
                                       ids=["warning", "critical"])


@all_checks
@both_options
@pytest.mark.parametrize("value", ACCEPTED)
def test_accepted(check, option, value):
    # The port refuses at once: what was tried there got past the options.
    for spelling in ([option[0], value], [f"{option[1]}={value}"]):
        outcome = run(check, *NOWHERE, *spelling)
        assert outcome.state == "CRITICAL", outcome.out
        assert "127.0.0.1:1" in outcome.text


@all_checks
@both_options
@pytest.mark.parametrize("value", REJECTED)
def test_rejected(check, option, value):
    for spelling in ([option[0], value], [f"{option[1]}={value}"]):
        text = run_usage_error(check, *NOWHERE, *spelling)
        assert option[1] in text
        assert f"'{value}'" in text
        assert "10:20" in text, "the message shows what a range looks like"
