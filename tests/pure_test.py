# SPDX-License-Identifier: MIT
"""What decides does no I/O: files of pure code reach no I/O header, and in a check's file, where
gathering stands beside judging, `evaluate` and whatever it calls there make no I/O call.

Relies on the format that clang-format gives: a function starts in the first column and ends with
a brace alone in it.
"""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

PURE_STEMS = ("arrivals", "binlog_tool", "candidates", "check_result", "choose", "classify", "classify_histories",
              "cluster_history", "commands", "compare", "completeness", "copy_options", "decision", "evaluate",
              "forecast", "gate", "gluster", "gluster_xml",
              "known_primary", "locate", "loss", "lost_source", "memory", "moment", "mountinfo", "nfs_stats",
              "objections", "outcome", "pandora_layout", "plan", "plan_failover", "plan_hash", "plan_rejoin",
              "plan_roles", "plan_steps", "plan_switchover", "policy", "readiness", "receipt", "received",
              "refusal", "result", "resume", "role_plan", "share", "takeover", "text", "thresholds", "topology_text", "topology_view",
              "unread", "verdict", "version", "write_obstacles")
PURE_FILES = sorted(path for pattern in ("*.h", "*.cc") for path in (ROOT / "common").rglob(pattern)
                    if path.stem in PURE_STEMS)
CHECKS = sorted((ROOT / "plugins").glob("check_*.cc"))

IO_HEADER = re.compile(
    r"sys/.*|(unistd|fcntl|netdb|signal|spawn|time|stdio|mysql)\.h|curl/.*|c(stdio|time|signal)|chrono"
    r"|.?.?fstream|iostream|filesystem|thread|.*/(cli|clock|deadline|files|process|session|client)\.h")
IO_CALL = re.compile(
    r"\b(connect|query\w*|gather|(read|load|save|write|probe|run)_\w+|same_host|\w*getenv|\w*time"
    r"|now|open|fopen|read|write|\w*printf|puts|sleep\w*|fork|exec\w*|rand\w*)\("
    r"|SqlSession|Clock|Deadline|std::(cout|cerr|chrono|\w*fstream|filesystem|random_device)")


def includes(path):
    return re.findall(r'^#include ["<](.*)[">]', path.read_text(), re.M)


def io_headers(path, seen):
    """Lists the I/O headers that a file includes, through headers of ours too."""
    found = [header for header in includes(path) if IO_HEADER.fullmatch(header)]
    for header in includes(path):
        if (ROOT / header).is_file() and header not in seen:
            seen.add(header)
            found += io_headers(ROOT / header, seen)
    return found


def functions(path):
    """Returns the bodies of a file's functions by name, without comments and strings."""
    source = re.sub(r'//.*|"(\\.|[^"\\\n])*"', "", path.read_text())
    bodies = {}
    for body in re.findall(r"^[A-Za-z][^\n;=]*\([^;]*?\{\n.*?^\}$", source, re.M | re.S):
        bodies[re.search(r"(\w+)\(", body).group(1)] = body
    return bodies


def io_calls(name, bodies, seen):
    """Lists the I/O calls of a function and of those that it calls in its file."""
    seen.add(name)
    found = [match.group(0) for match in IO_CALL.finditer(bodies[name])]
    for other in bodies:
        if other not in seen and re.search(rf"\b{other}\b", bodies[name]):
            found += io_calls(other, bodies, seen)
    return found


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_file_reaches_no_io_header(path):
    assert io_headers(path, set()) == []


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_evaluate_makes_no_io_call(path):
    assert io_calls("evaluate", functions(path), set()) == []


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_io_is_seen_where_it_is(path):
    assert io_calls("gather", functions(path), set()) != []
    assert io_headers(path, set()) != []
