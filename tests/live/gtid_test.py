# SPDX-License-Identifier: MIT
"""Our GTID arithmetic against the server's own functions."""

import random
import subprocess

import pymysql
import pytest

import plugin

UUIDS = ("3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562",
         "FE11FA47-71CA-11E1-9E33-C80AA9429562")
TAGS = ("", "", "blue:", "a_1:", "GREEN:")
CASES = 400


def drawn_set(rng):
    """Return the text of a random set, overlapping and unordered as people write them."""
    parts = []
    for _ in range(rng.randrange(5)):
        intervals = []
        for _ in range(rng.randint(1, 4)):
            first = rng.randint(1, 60)
            intervals.append(str(first) if rng.random() < 0.3
                             else f"{first}-{max(0, first + rng.randint(-2, 20))}")
        part = rng.choice(UUIDS) + ":" + rng.choice(TAGS) + ":".join(intervals)
        if rng.random() < 0.3:
            part += f":red:{rng.randint(1, 5)}-{rng.randint(1, 9)}"
        parts.append(part)
    return ", ".join(parts)


def ours(questions):
    """Return what the library answers to pairs of sets."""
    done = subprocess.run([plugin.BUILD / "tests" / "gtid_calculator"], check=True, text=True,
                          input="".join(f"{a}|{b}\n" for a, b in questions), capture_output=True)
    return [line.split("|") for line in done.stdout.splitlines()]


def test_sets_agree_with_the_server(bench):
    rng = random.Random(4)
    questions = [(drawn_set(rng), drawn_set(rng)) for _ in range(CASES)]
    server = bench.server("mysql")
    with server.connect() as session, session.cursor() as cursor:
        for (a, b), answer in zip(questions, ours(questions), strict=True):
            cursor.execute("SELECT GTID_SUBSET(%s, %s) AS inside, GTID_SUBTRACT(%s, %s) AS rest, "
                           "GTID_SUBTRACT(CONCAT(%s, ',', %s), '') AS either",
                           (b, a, a, b, a, b))
            row = cursor.fetchone()
            expected = [str(row["inside"]), row["rest"].replace("\n", ""),
                        row["either"].replace("\n", "")]
            assert answer[:3] == expected, (a, b)


def test_malformed_sets_are_refused_as_the_server_refuses_them(bench):
    server = bench.server("mysql")
    uuid = UUIDS[0]
    for text in (f"{uuid}:", f"{uuid}:0", f"{uuid}:x y:1", f"{uuid}:1-2-3", f"{uuid}:tag:",
                 f"{uuid}:9tag:1", f"{uuid}:9223372036854775807", "1-5", f"{uuid}:1-",
                 f"{uuid}::1", f"{uuid}:1:", f"{uuid}:-1", f"{uuid}:+1", f"{uuid}:1 2"):
        assert ours([(text, "")])[0][0].startswith("error: "), text
        with pytest.raises(pymysql.MySQLError, match="1772"):
            server.sql(f"SELECT GTID_SUBSET('{text}', '') AS inside")


def test_a_tagged_set_of_a_real_server_is_read(bench):
    server = bench.server("mysql")
    server.sql("CREATE DATABASE shop", "SET gtid_next = 'AUTOMATIC:blue'", "CREATE DATABASE other",
               "CREATE DATABASE third")
    executed = server.value("@@GLOBAL.gtid_executed").replace("\n", "")
    assert ":blue:1-2" in executed
    assert ours([(executed, executed)])[0][:3] == ["1", "", executed]
