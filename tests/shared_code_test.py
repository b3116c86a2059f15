# SPDX-License-Identifier: MIT
"""What several tests use stands in modules of its own, once."""

import collections
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
FILES = sorted(HERE.rglob("*.py"))


def found(pattern):
    """Return [(what the pattern found, file)] of all Python files here."""
    return [(match, str(path.relative_to(HERE))) for path in FILES
            for match in re.findall(pattern, path.read_text(), re.M)]


def test_no_test_imports_another():
    assert found(r"^\s*(?:from|import) (\w+_test)\b") == []


def test_each_class_stands_in_one_file():
    places = collections.defaultdict(list)
    for name, path in found(r"^class (\w+)"):
        places[name].append(path)
    assert len(places) > 50
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
