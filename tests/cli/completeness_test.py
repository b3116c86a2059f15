# SPDX-License-Identifier: MIT
"""Names what a binary still lacks before users can find it, configure it and trust it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("HA_BUILD_DIR", ROOT / "build"))

# Options of the command line, not of a configured service, and passwords, which stay in files.
NOT_CONFIGURED = {"--help", "--version", "--output", "--value", "--discovery", "--password",
                  "--repl-password"}


def _read(*paths):
    return "\n".join(path.read_text() for path in paths if path.exists())


def _binaries():
    words = set(re.findall(r"\w+\b(?!\.cc)", _read(ROOT / "plugins/CMakeLists.txt")))
    return sorted(words & {path.stem for path in (ROOT / "plugins").glob("*.cc")} - {"main"})


def _nagios_lacks(binary, service_key):
    text = _read(*sorted((ROOT / "conf-examples/nagios").glob("*.cfg")))
    for block in re.findall(r"^define command \{(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        if f"/{binary} " in block:
            name = re.search(r"command_name\s+(\S+)", block)[1]
            if not re.search(rf"^\s*{service_key}\s+{name}(!|$)", text, re.MULTILINE):
                yield f"a {service_key} {name} in conf-examples/nagios/"
            return
    yield "a command in conf-examples/nagios/"


def _options(binary):
    shown = subprocess.run([BUILD / "plugins" / binary, "--help"], text=True, capture_output=True,
                           timeout=10).stdout
    options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE))
    assert options
    return options


def _icinga_lacks(binary, kind):
    shared, *objects = re.split(r"^(?=object )", _read(ROOT / "conf-examples/icinga2/commands.conf"),
                                flags=re.MULTILINE)
    block = next((b for b in objects if b.startswith(f"object {kind} ") and f'/{binary}"' in b), None)
    if block is None:
        yield f"the {kind} in conf-examples/icinga2/commands.conf"
        return
    options = _options(binary)
    if kind == "EventCommand" and '"--cluster"' in block:
        # One file holds what the handler and the operator's tool share.
        options -= _options("mysql_ha")
    for option in sorted(options - NOT_CONFIGURED):
        if f'"{option}"' not in shared + block:
            yield f"{option} in the {kind} of conf-examples/icinga2/commands.conf"


def _lacks(binary):
    if not (ROOT / f"tests/plugins/{binary}_test.cc").exists():
        yield f"tests/plugins/{binary}_test.cc"
    if not (ROOT / f"man/{binary}.h2m").exists():
        yield f"man/{binary}.h2m"
    if not re.search(rf"^\| `{binary}` \|", _read(ROOT / "README.md"), re.MULTILINE):
        yield "a row in the table of README.md"
    if f"`{binary}`" not in _read(ROOT / "CHANGELOG.md"):
        yield "a word in CHANGELOG.md"
    if binary.startswith("check_"):
        if "\n[ZABBIX]\n" not in _read(ROOT / f"man/{binary}.h2m"):
            yield f"a section [ZABBIX] in man/{binary}.h2m"
        if f"\ncommand[{binary}]=" not in _read(ROOT / "nrpe/ha-plugins.cfg"):
            yield "a line in nrpe/ha-plugins.cfg"
        yield from _nagios_lacks(binary, "check_command")
        yield from _icinga_lacks(binary, "CheckCommand")
    if binary.startswith("handle_"):
        yield from _nagios_lacks(binary, "event_handler")
        yield from _icinga_lacks(binary, "EventCommand")


def test_binaries_are_found():
    assert "check_mysql_replication_lag" in _binaries()


@pytest.mark.parametrize("binary", _binaries())
def test_nothing_is_missing(binary):
    missing = list(_lacks(binary))
    assert not missing, f"{binary} lacks: " + "; ".join(missing)
