# SPDX-License-Identifier: MIT
"""What a refusal tells to type is complete: the user, the cluster, and no secret. A file that the
options name and that cannot be read is a usage error of every program; nothing is contacted."""

import itertools
import os
import pwd
import shutil
import tempfile
from pathlib import Path

import pytest

from plugin import path, run_raw

OTHER = "nobody"
NODE = ("--node", "db1=127.0.0.1:1")
EVENT = ("--state", "CRITICAL", "--state-type", "HARD")
# Every program that takes the options of a MySQL server or cluster.
PROGRAMS = [
    ["check_mysql_replication_lag", "-H", "127.0.0.1", "-P", "1"],
    ["check_mysql_replication_threads", "-H", "127.0.0.1", "-P", "1"],
    ["check_mysql_split_brain", *NODE],
    ["check_failover_ready", *NODE],
    ["check_heartbeat", "--preset", "ndo", "-H", "127.0.0.1", "-P", "1"],
    ["check_heartbeat", "--preset", "file", "--file", "/etc/passwd", "-w", "1", "-c", "2"],
    ["check_engine_pair", "--engine", "a=ndo@127.0.0.1:1", "--engine", "b=ndo@127.0.0.1:2"],
    ["check_vip", "--vip", "192.0.2.1", *NODE],
    *(["mysql_ha", *words, *NODE] for words in (
        ["status"], ["plan"], ["failover"], ["switchover"], ["rejoin", "db1"], ["resync", "db1"],
        ["merge", "--from", "db1", "--to", "db2", "--since", "@1", "--until", "@2", "--table", "a.b:c"],
        ["repair"], ["journal"])),
    ["handle_mysql_failover", *EVENT, *NODE],
]
FAILOVER = [words for words in PROGRAMS
            if words[0] in ("check_failover_ready", "mysql_ha", "handle_mysql_failover")]
# Those of them that keep or read a journal.
KEEPERS = [words for words in FAILOVER if words[1] != "status"]


def name(words):
    return " ".join(words[:2]) if words[0] == "mysql_ha" else words[0]


@pytest.mark.parametrize("option", ["--defaults-file", "--ca-cert", "--ca-dir", "--cert", "--key"])
@pytest.mark.parametrize("words", PROGRAMS, ids=name)
def test_a_file_that_cannot_be_read_is_a_usage_error(words, option):
    outcome = run_raw([path(words[0]), *words[1:], option, "/nonexistent/file"])
    assert outcome.code == 3 and outcome.out.count("\n") == 1, outcome.out
    assert f"{option}: cannot read /nonexistent/file: No such file" in outcome.out, outcome.out


@pytest.mark.parametrize("option", ["--repl-defaults-file", "--cluster", "--config"])
@pytest.mark.parametrize("words", FAILOVER, ids=name)
def test_likewise_the_files_of_a_cluster(words, option):
    outcome = run_raw([path(words[0]), *words[1:], option, "/nonexistent/file"])
    assert outcome.code == 3 and outcome.out.count("\n") == 1, outcome.out
    assert option in outcome.out and "cannot read /nonexistent/file" in outcome.out, outcome.out


@pytest.fixture
def place():
    """A directory that every user can reach, with a cluster file."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        config = Path(directory, "cluster.conf")
        config.write_text(f"node=db1=127.0.0.1:1\nstate-dir={directory}/state\n")
        yield Path(directory)


def make_state(place, owner):
    state = place / "state"
    (state / "mysql").mkdir(parents=True, mode=0o700)
    state.chmod(0o700)
    for directory in (state, state / "mysql"):
        shutil.chown(directory, owner)
    return state


@pytest.mark.parametrize("words", KEEPERS, ids=name)
def test_a_state_directory_of_another_user_names_the_command(words, place):
    state = make_state(place, OTHER)
    me = pwd.getpwuid(os.geteuid()).pw_name
    outcome = run_raw([path(words[0]), *(word for word in words[1:] if word not in NODE),
                       "--cluster", place / "cluster.conf", "--repl-username", "r", "--repl-password",
                       "hunter2", "-p", "hunter2"])
    assert f"{state} belongs to user {OTHER}, and this runs as {me}" in outcome.out, outcome.out
    assert f"run: runuser -u {OTHER} -- {path(words[0])} " in outcome.out, outcome.out
    command = outcome.out.split("runuser")[1].splitlines()[0]
    assert f"--cluster {place}/cluster.conf" in command and "--repl-username r" in command
    if words[0] == "mysql_ha":
        operands = [word for word in words[1:] if word not in NODE]
        leading = list(itertools.takewhile(lambda word: not word.startswith("--"), operands))
        assert f"mysql_ha {' '.join(leading)} --cluster" in command, outcome.out
        assert set(operands) <= set(command.split()), outcome.out
    assert "hunter2" not in outcome.out


def test_status_says_what_there_is_without_the_state_directory_of_another_user(place):
    state = make_state(place, OTHER)
    outcome = run_raw([path("mysql_ha"), "status", "--cluster", place / "cluster.conf"])
    assert outcome.code == 2 and "db1 is unreachable" in outcome.out, outcome.out
    assert f"there is no {state}/mysql/memory.json yet" in outcome.out, outcome.out
    assert "runuser" not in outcome.out and not list(state.rglob("*.json")), outcome.out


def test_a_state_directory_that_cannot_be_made_names_the_command(place):
    me = pwd.getpwuid(os.geteuid()).pw_name
    wanted = (f"--state-dir: /proc/none/state does not exist and cannot be created: No such file or "
              f"directory; run as root: install -d -o {me} -m 700 /proc/none/state")
    for words in (["mysql_ha", "failover"], ["mysql_ha", "plan"], ["mysql_ha", "journal"],
                  ["check_failover_ready"], ["handle_mysql_failover", *EVENT]):
        outcome = run_raw([path(words[0]), *words[1:], "--cluster", place / "cluster.conf",
                           "--state-dir", "/proc/none/state"])
        assert wanted in outcome.out, outcome.out


def test_what_the_engines_user_may_not_do_is_for_root(place):
    """The handler runs as the engine's user, an operator reads what it says."""
    handler = shutil.copy(path("handle_mysql_failover"), place)
    as_other = ["setpriv", f"--reuid={OTHER}", "--clear-groups", handler, *EVENT, "--cluster",
                place / "cluster.conf"]
    state = make_state(place, OTHER)
    (state / "mysql" / "20261125T082824.500-9.journal").write_text("rubbish\n")
    shutil.chown(state / "mysql" / "20261125T082824.500-9.journal", OTHER)
    outcome = run_raw(as_other)
    assert outcome.code == 2, outcome.out
    assert (f"run: runuser -u {OTHER} -- mysql_ha journal ack 20261125T082824.500-9 --cluster "
            f"{place}/cluster.conf\n") in outcome.out, outcome.out
    for directory in (state / "mysql", state):
        shutil.chown(directory, "root")
    outcome = run_raw(as_other)
    owner = (f"{state} belongs to user root, and this runs as {OTHER}; run as root: chown -R {OTHER} "
             f"{state}")
    assert owner + "\n" in outcome.out, outcome.out
    check = shutil.copy(path("check_failover_ready"), place)
    outcome = run_raw(["setpriv", f"--reuid={OTHER}", "--clear-groups", check, "--cluster",
                       place / "cluster.conf"])
    assert outcome.code == 2 and owner in outcome.out, outcome.out


def test_a_journal_without_runs_says_so(place):
    state = make_state(place, os.geteuid())
    outcome = run_raw([path("mysql_ha"), "journal", "--cluster", place / "cluster.conf"])
    assert outcome.code == 0
    assert outcome.out == (f"mysql_ha: there is no run in {state}/mysql; to see what would be done, "
                           f"run: mysql_ha plan --cluster {place}/cluster.conf\n")


@pytest.mark.parametrize("words", [w for w in FAILOVER if w[0] != "check_failover_ready"
                                   and w[1] not in ("status", "journal")], ids=name)
def test_each_refusal_ends_with_the_next_command(words, place):
    make_state(place, os.geteuid())
    tool = [path(words[0]), *(word for word in words[1:] if word not in NODE), "--cluster",
            place / "cluster.conf", "--retry-interval", "0.1"]
    for more in ([], ["--dry-run"] if words[0] == "handle_mysql_failover" else ["--output", "json"]):
        outcome = run_raw([*tool, *more])
        assert outcome.code == 2, outcome.out
        assert "run: mysql_ha " in outcome.out.splitlines()[0], outcome.out
        assert f"--cluster {place}/cluster.conf" in outcome.out, outcome.out


def test_a_damaged_journal_is_set_aside(place):
    state = make_state(place, os.geteuid())
    (state / "mysql" / "0-9.journal").write_text("rubbish\n")
    tool = [path("mysql_ha"), "--cluster", place / "cluster.conf"]
    refused = run_raw([*tool, "failover"])
    command = f"mysql_ha journal ack 0-9 --cluster {place}/cluster.conf"
    assert refused.code == 2 and f"is damaged: rubbish; to set this journal aside, run: {command}\n" in \
        refused.out, refused.out
    done = run_raw([*tool, *command.split()[1:4]])
    assert done.code == 0 and f"renamed to {state}/mysql/0-9.damaged" in done.out, done.out
    assert "damaged" not in run_raw([*tool, "failover"]).out
