# SPDX-License-Identifier: MIT
"""conf-examples/pair at work: with the cable cut the primary is closed by its own guard, and nothing is
lost that was acknowledged."""

import re
import shlex

import pytest

import cache
from documented_pair import AS_DOCUMENTED, PAIR, DocumentedPair
from servers import Bench


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid"])
def test_the_cable_is_cut(kind):
    with Bench() as bench:
        pair = DocumentedPair(bench, kind, semi_sync=True)
        run = pair.play("primary cut from all", AS_DOCUMENTED, successor=pair.db2)
        assert (run.two_s, run.two_rows, run.lost) == (0, 0, 0), run.told
        assert not run.managers_at_once and not run.warned, run.told
        assert run.promotions == 1, run.told
        if not pair.db1.running:  # It was killed, because it could not be closed in time.
            pair.db1.start()
        # Writes that were in flight when the cable was cut are there, which nobody was told of.
        outcome = pair.on("db2").run("rejoin", "db1", "--binlog-command",
                                     shlex.join(cache.client_command(pair.flavour, "binlog")))
        assert outcome.code in (0, 2), outcome.out
        if outcome.code == 2:
            assert re.search(r"db1 has \d+ transactions? that db2 lacks", outcome.out), outcome.out
        else:
            pair.assert_one_primary(pair.db2)
        assert pair.run("journal", "ack").code == 0


def test_the_page_names_files_that_exist():
    named = re.findall(r"(?:\.\./)?[\w./-]+\.(?:conf|cnf|service|md)", (PAIR / "README.md").read_text())
    assert len(named) > 5
    assert [name for name in named if "/etc/" not in name and not (PAIR / name).exists()
            and not list(PAIR.parent.glob(f"*/{name}"))] == []
