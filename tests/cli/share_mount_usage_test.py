# SPDX-License-Identifier: MIT
"""The command line of check_share_mount."""

import re

import pytest

from plugin import path, run, run_raw, run_usage_error

SHARE = "check_share_mount"

USAGE_ERRORS = [
    ([], ["nothing to check", "--mount", "--fstab", "--pandora", "--gluster-volume"]),
    (["--mount", ""], ["--mount", "''", "PATH"]),
    (["--mount", "srv/share"], ["--mount", "'srv/share'", "PATH"]),
    (["--mount", "/a,type=xfs"], ["--mount", "'type=xfs'", "nfs, glusterfs, any"]),
    (["--mount", "/a,typ=nfs"], ["--mount", "'typ=nfs'", "type=", "source=", "owner=", "mode="]),
    (["--mount", "/a,source="], ["--mount", "'source='"]),
    (["--mount", "/a,owner=root"], ["--mount", "'owner=root'", "USER:GROUP"]),
    (["--mount", "/a,owner=nosuchuser:root"], ["--mount", "no user 'nosuchuser'"]),
    (["--mount", "/a,mode=9"], ["--mount", "'mode=9'", "octal"]),
    (["--mount", "/a", "--mount", "/a/"], ["--mount", "'/a'", "twice"]),
    (["--fstab", "--usage-warning", "101"], ["--usage-warning", "'101'", "0 to 100"]),
    (["--fstab", "--usage-critical", "90%"], ["--usage-critical", "'90%'", "0 to 100"]),
    (["--fstab", "--usage-critical", "-1"], ["--usage-critical", "'-1'", "0 to 100"]),
    (["--fstab", "-w", "5s"], ["--warning", "'5s'"]),
    (["--pandora", "--data-in", "data_in"], ["--data-in", "'data_in'", "absolute"]),
    (["--pandora", "--attachment", ""], ["--attachment", "''", "absolute"]),
    (["--fstab", "--state-dir", "state"], ["--state-dir", "'state'", "absolute"]),
    (["--fstab", "--data-in", "/x"], ["--data-in", "--pandora"]),
    (["--fstab", "--attachment", "/x"], ["--attachment", "--pandora"]),
    (["--gluster-volume", "a/b"], ["--gluster-volume", "'a/b'", "letters"]),
    (["--gluster-volume", "all"], ["--gluster-volume", "'all'"]),
    (["--gluster-volume", "a", "--gluster-volume", "a"], ["--gluster-volume", "'a'", "twice"]),
    (["--gluster-volume", "a", "--heal-warning", "x"], ["--heal-warning", "'x'", "range"]),
    (["--fstab", "--heal"], ["--heal", "--gluster-volume"]),
    (["--fstab", "--heal-critical", "5"], ["--heal", "--gluster-volume"]),
    (["--fstab", "-H", "nas"], ["-H", "--help"]),
]


@pytest.mark.parametrize("arguments, words", USAGE_ERRORS,
                         ids=[" ".join(arguments) for arguments, _ in USAGE_ERRORS])
def test_usage_errors(arguments, words):
    text = run_usage_error(SHARE, *arguments)
    assert [word for word in words if word not in text] == [], text


def test_hostile_values_are_harmless():
    for value in ("/a|b\n\x1b[31m,type=nfs", "/" + "x" * 5000, "/" + "l/" * 5000, "/\udcff,mode=770"):
        outcome = run(SHARE, "--mount", value)
        assert outcome.state in ("CRITICAL", "UNKNOWN"), outcome.out


def test_help_in_80_columns():
    text = run_raw([path(SHARE), "--help"]).out
    assert [line for line in text.splitlines() if len(line) > 80] == []
    listed = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE))
    assert {"--mount", "--fstab", "--pandora", "--data-in", "--attachment", "--write-test",
            "--automount", "--usage-warning", "--usage-critical", "--warning", "--critical",
            "--gluster-volume", "--heal", "--heal-warning", "--heal-critical", "--state-dir", "--timeout", "--output", "--value", "--discovery"} <= listed


def test_options_from_a_file(tmp_path):
    file = tmp_path / "share.ini"
    file.write_text("mount = /proc,type=any\nmount = /nonexistent\nwrite-test\n")
    assert "line 3" in run_usage_error(SHARE, "--config", file)
    file.write_text(f"mount = /proc\nmount = /nonexistent\nfstab = no\nstate-dir = {tmp_path}/s\n")
    outcome = run(SHARE, "--config", file)
    assert outcome.state == "CRITICAL" and "/nonexistent: not mounted" in outcome.text


def test_twenty_long_paths_stay_within_the_limit():
    words = [word for number in range(40) for word in ("--mount", f"/{number:0200}")]
    assert run(SHARE, *words).state == "CRITICAL"
