# SPDX-License-Identifier: MIT
"""A password given on the command line disappears from the process list, and appears nowhere else."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from network import SilentListener
from plugin import BUILD, CHECKS, path, run, run_raw

PROGRAMS = sorted(file.name for file in (BUILD / "plugins").iterdir()
                  if file.is_file() and os.access(file, os.X_OK))
SECRET = "hunter2-very-secret"
all_checks = pytest.mark.parametrize("check", CHECKS)
spellings = pytest.mark.parametrize("spelling", [
    ["-p", SECRET], [f"-p{SECRET}"], ["--password", SECRET], [f"--password={SECRET}"],
    [f"-lp{SECRET}"], ["-lp", SECRET],
], ids=lambda words: " ".join(words).replace(SECRET, "SECRET"))


@pytest.fixture
def silent():
    """A listener that never answers, so that the check waits and can be looked at."""
    listener = SilentListener()
    yield listener
    listener.close()


@all_checks
@spellings
def test_password_is_wiped_from_the_process_list(check, spelling, silent):
    process = subprocess.Popen([path(check), "-H", "127.0.0.1", "-P", str(silent.port), "-t", "30",
                                *spelling], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 10
        while not silent.clients:  # Connected: the options are long parsed.
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert str(silent.port).encode() in shown
        assert SECRET.encode() not in shown
        assert SECRET.encode()[1:] not in shown, "not even all but its first letter"
        assert SECRET.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.kill()
        process.communicate()


def flags(program):
    """The letters of the options that take no value, as the program's help shows them."""
    letters = re.findall(r"^  -(\w), --[a-z-]+(?: |$)", run_raw([path(program), "--help"]).out, re.M)
    assert {"h", "V", "v"} <= set(letters)
    return [letter for letter in letters if letter not in "hV"]  # which end the program


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_password_behind_every_flag_is_wiped(program, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for letter in [*flags(program), "".join(flags(program))]:
        process = subprocess.Popen([path(program), f"-{letter}p{SECRET}", "--config", pipe],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            with open(pipe, "w"):  # Opened by both: the program is at its files of options.
                shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert str(pipe).encode() in shown
            assert SECRET.encode() not in shown, letter
        finally:
            process.kill()
            process.communicate()


@all_checks
@spellings
def test_password_is_in_no_output(check, spelling):
    for extra in ([], ["-v"], ["-vvv"], ["-w", "x"], ["--nonsense"]):
        assert SECRET not in run(check, "-H", "127.0.0.1", "-P", "1", *extra, *spelling).out


@all_checks
@pytest.mark.parametrize("wrong", [[f"--passwrd={SECRET}"], ["--pasword", SECRET]],
                         ids=["joined", "separate"])
def test_the_value_of_a_misspelt_password_option_is_not_echoed(check, wrong):
    outcome = run(check, "-H", "127.0.0.1", "-P", "1", *wrong)
    assert outcome.state == "UNKNOWN"
    assert wrong[0].split("=")[0] in outcome.text
    assert SECRET not in outcome.out


@all_checks
def test_a_password_in_a_file_with_a_mistake_is_not_echoed(check, tmp_path):
    for number, text in enumerate([f"password={SECRET}\nport=none\n", f"password {SECRET}\n",
                                   f"pasword={SECRET}\n"]):
        file = tmp_path / f"{number}.ini"
        file.write_text(text)
        outcome = run(check, "--config", file)
        assert outcome.state == "UNKNOWN"
        assert SECRET not in outcome.out, outcome.out
