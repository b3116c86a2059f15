# SPDX-License-Identifier: MIT
"""The shell scripts that are shipped, and those of the tests: free of what shellcheck finds, and not
to be commanded by what another machine says."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STATE = ROOT / "conf-examples/nagios-pair/nagios-state"


def _scripts():
    for folder in ("conf-examples", "nrpe", "man", "tests", ".ci"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix == "":
                with path.open("rb") as file:
                    first = file.readline()
                if first.startswith(b"#!") and first.rstrip().endswith(b"sh"):
                    yield path


def test_scripts_are_found():
    assert {"nagios-state", "fence", "rescue-binlogs", "run", "install"} <= {p.name for p in _scripts()}


@pytest.mark.parametrize("path", _scripts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_shellcheck(path):
    found = subprocess.run(["shellcheck", "-x", path.name], cwd=path.parent, text=True,
                           capture_output=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("created", ["a[$(touch {mark})]", "$(touch {mark})", "", "12x", "-5",
                                     "99999999999999999999"])
def test_the_other_nodes_time_is_no_command(tmp_path, shell, created):
    mark = tmp_path / "commanded"
    peer = tmp_path / "peer"
    peer.write_text("info {\ncreated=" + created.format(mark=mark)
                    + "\n}\nprogram {\nenable_notifications=1\n}\n")
    conf = tmp_path / "conf"
    conf.write_text(f"PEER='cat {peer}'\nRETENTION_FILE={tmp_path}/retention\nMAX_AGE=300\n")
    answer = subprocess.run([shell, STATE, "-c", conf, "before-start"], text=True,
                            capture_output=True, timeout=20)
    assert not mark.exists()
    assert (answer.returncode, answer.stdout) == (
        2, "NAGIOS STATE CRITICAL - the other node's state does not say when it was saved\n")
    assert not (tmp_path / "retention").exists()


def test_the_other_nodes_time_counts(tmp_path):
    peer = tmp_path / "peer"
    peer.write_text("info {\ncreated=1000000000\n}\n")
    conf = tmp_path / "conf"
    conf.write_text(f"PEER='cat {peer}'\nRETENTION_FILE={tmp_path}/retention\nMAX_AGE=300\n")
    answer = subprocess.run(["sh", STATE, "-c", conf, "before-start"], text=True,
                            capture_output=True, timeout=20)
    assert answer.returncode == 2
    assert "s old, more than 300" in answer.stdout
