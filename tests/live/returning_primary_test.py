# SPDX-License-Identifier: MIT
"""Who is the primary when servers come back: one that was replaced is closed, one that was merely
restarted is opened again, and one that has lost its own transactions is not let back in."""

import contextlib
import json
import pathlib
import shutil

import pytest

import plugin
from cluster import GTID_KINDS, rows
from server import MANAGER_PASSWORD, MANAGER_USER
from servers import replicate

READ_ONLY = {"mariadb": ("--read-only=1",), "mysql": ("--super-read-only=1",)}


def as_pair(cluster):
    """Leave db1 and db2 alone."""
    cluster.db3.kill()
    cluster.write_config(nodes=2)


def remembered_primary(cluster):
    """Return which node the memory has as the primary."""
    path, = pathlib.Path(cluster.state_dir).glob("*/memory.json")
    return json.loads(path.read_text())["primary"]


@contextlib.contextmanager
def closed_by_its_options(server):
    """Let a server start read-only."""
    before = list(server.options)
    server.options += READ_ONLY[server.flavour]
    try:
        yield
    finally:
        server.options = before


@contextlib.contextmanager
def set_back(server):
    """Let a server lose, when it is started after the block, what it writes in the block."""
    copy = server.datadir + ".before"
    server.stop()
    shutil.copytree(server.datadir, copy)
    server.start()
    try:
        yield
        if server.running:
            server.kill()
        shutil.rmtree(server.datadir)
        shutil.copytree(copy, server.datadir)
    finally:
        shutil.rmtree(copy)


def split_brain(cluster):
    """Return what check_mysql_split_brain says of the cluster."""
    nodes = [f"--node={s.name}={s.host}:{s.port}" for s in cluster.servers]
    return plugin.run("check_mysql_split_brain", *nodes, "-u", MANAGER_USER, "-p",
                      MANAGER_PASSWORD)


# A primary that was replaced

@pytest.mark.parametrize("pair", [True, False], ids=["pair", "star"])
def test_a_former_primary_that_comes_back_writable_is_closed(cluster, pair):
    if pair:
        as_pair(cluster)
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    new = cluster.primary()
    assert remembered_primary(cluster) == new.name, "before any other look"
    assert cluster.run("journal", "ack").code == 0
    cluster.db1.start()
    cluster.insert(77, server=cluster.db1)
    assert cluster.run("plan").out.startswith(f"close db1, which {new.name} has replaced")
    assert cluster.writers() == ["db1", new.name], "a plan changes nothing"
    outcome = cluster.run("handler")
    assert outcome.code == 1 and f"db1 accepted writes although {new.name} had replaced it" in \
        outcome.out and "run: mysql_ha rejoin db1" in outcome.out, outcome.out
    assert cluster.writers() == [new.name] and cluster.db1.channels() == []
    if cluster.gtid:
        assert "it has 1 transaction that " in outcome.out, outcome.out
    # Nothing is left to do; the next one says that all is well with the primary.
    outcome = cluster.run("handler")
    assert outcome.code == 2 and (
        f"{new.name} answers" in outcome.out or
        "no replica shows which node is the primary" in outcome.out), outcome.out
    assert cluster.writers() == [new.name]


@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_without_a_journal_only_the_histories_can_prove_it(cluster):
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    new = cluster.primary()
    cluster.insert(4, server=new)
    shutil.rmtree(cluster.state_dir)
    cluster.db1.start()
    outcome = cluster.run("handler")
    assert outcome.code == 1 and f"{new.name} has all its transactions" in outcome.out, outcome.out
    assert cluster.writers() == [new.name]
    # With a row of its own it may be the primary.
    cluster.db1.sql("SET GLOBAL read_only = OFF")
    cluster.insert(77, server=cluster.db1)
    shutil.rmtree(cluster.state_dir)
    outcome = cluster.run("handler")
    assert outcome.code == 2 and "second-writer" in outcome.out, outcome.out
    assert cluster.writers() == ["db1", new.name]


def test_a_former_primary_that_follows_already_is_closed(cluster):
    """As in a ring for one writer: its own channel leads to its successor."""
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    new = cluster.primary()
    cluster.db1.start()
    replicate(cluster.db1, new, gtid=cluster.gtid)
    assert cluster.writers() == ["db1", new.name]
    outcome = cluster.run("rejoin", "db1")
    assert outcome.code == 0, outcome.out
    cluster.assert_one_primary(new)


@pytest.mark.parametrize("shared", ["mariadb-position", "mysql-position"], indirect=True)
def test_a_refused_return_leaves_nothing_open(cluster):
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    new = cluster.primary()
    cluster.db1.start()
    shutil.rmtree(cluster.state_dir)
    outcome = cluster.run("rejoin", "db1")
    assert outcome.code == 2 and "no record shows" in outcome.out and \
        "db1 is read-only now" in outcome.out, outcome.out
    assert cluster.writers() == [new.name]


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_the_new_primary_is_not_closed_by_a_slip(cluster):
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    new = cluster.primary()
    cluster.db1.start()
    outcome = cluster.run("rejoin", new.name)
    assert outcome.code == 2 and f"{new.name} has replaced db1" in outcome.out, outcome.out
    assert cluster.writers() == ["db1", new.name]


# A primary that lost what it wrote last

def test_a_primary_that_was_set_back(cluster):
    with set_back(cluster.db1):
        cluster.insert(10, 11, 12, 13, 14)
        cluster.catch_up()
    # Restarted, it is not opened: it lacks what its replicas have.
    with closed_by_its_options(cluster.db1):
        cluster.db1.start()
        outcome = cluster.run("failover")
    assert outcome.code == 2 and "to promote a replica, stop db1" in outcome.out, outcome.out
    assert cluster.writers() == []
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    # Where it had refused a replica that was ahead of it, that one did not receive to its end.
    assert outcome.code in (0, 1), outcome.out
    new = cluster.primary()
    assert rows(new) == {1, 2, 3, 10, 11, 12, 13, 14}
    # Nor may it return.
    cluster.insert(20, server=new)
    cluster.db1.start()
    outcome = cluster.run("rejoin", "db1")
    assert outcome.code == 2 and "run: mysql_ha resync db1" in outcome.out and \
        "wrote itself" in outcome.out and "db1 is read-only now" in outcome.out, outcome.out
    assert cluster.writers() == [new.name] and cluster.db1.channels() == []
    if cluster.gtid:
        assert_incomplete_for_good(cluster, new)


def assert_incomplete_for_good(cluster, new):
    """Let db1, which has lost transactions of its own, follow all the same, and see it refused."""
    if cluster.flavour == "mariadb":
        cluster.db1.sql("SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_current_pos")
    replicate(cluster.db1, new)
    cluster.db1.wait_channel(io="Yes", sql="Yes")
    assert rows(new) - rows(cluster.db1) >= {10, 11, 12, 13, 14}
    check = split_brain(cluster)
    # MariaDB tells only the last one of each server.
    lost = "at least 1 transaction" if cluster.flavour == "mariadb" else "5 transactions"
    assert check.code == 1 and f"db1 lacks {lost} that it wrote itself" in check.out, check.out
    status = cluster.run("status")
    assert status.code == 1 and "run: mysql_ha resync db1" in status.out, status.out
    for words in (("switchover", "--to", "db1"), ("rejoin", "db1")):
        outcome = cluster.run(*words)
        assert outcome.code == 2 and "wrote itself" in outcome.out, outcome.out
    assert cluster.writers() == [new.name]
    # Nor is it promoted while another one is there, nor let follow that one.
    assert cluster.run("journal", "ack").code == 0
    cluster.lose(new)
    outcome = cluster.run("handler")
    assert outcome.code == 1 and "db1 needs a resync" in outcome.out, outcome.out
    assert cluster.writers() == [{"db2": "db3", "db3": "db2"}[new.name]]


# A primary that was restarted

def test_a_primary_that_was_restarted_read_only_is_opened_again(cluster):
    cluster.db1.kill()
    with closed_by_its_options(cluster.db1):
        cluster.db1.start()
        assert cluster.writers() == []
        plan = cluster.run("plan")
        assert plan.code == 0 and plan.out.startswith("open db1, which was restarted"), plan.out
        outcome = cluster.run("handler")
    assert outcome.code == 0 and "accepts writes again" in outcome.out, outcome.out
    cluster.insert(4)
    cluster.assert_one_primary(cluster.db1)
    # An operator who closes it is not overruled.
    cluster.db1.sql("SET GLOBAL read_only = ON")
    outcome = cluster.run("handler")
    assert outcome.code == 2 and "read_only was set by SQL" in outcome.out, outcome.out
    assert cluster.writers() == []


@pytest.mark.parametrize("shared", ["mariadb-gtid", "mysql-position"], indirect=True)
def test_a_restarted_primary_is_not_opened_beside_an_unknown_node(cluster):
    cluster.db3.kill()
    cluster.db1.kill()
    # What was seen of db3 before would tell that it is a replica.
    shutil.rmtree(cluster.state_dir, ignore_errors=True)
    with closed_by_its_options(cluster.db1), closed_by_its_options(cluster.db3):
        cluster.db1.start()
        outcome = cluster.run("failover")
        assert outcome.code == 2 and cluster.writers() == [], outcome.out
        cluster.db3.start()
        outcome = cluster.run("failover")
    assert outcome.code == 0 and cluster.writers() == ["db1"], outcome.out


@pytest.mark.parametrize("shared", ["mariadb-gtid", "mysql-position"], indirect=True)
def test_a_restarted_primary_is_not_opened_alone(cluster):
    """The other one may have replaced it, by another manager."""
    as_pair(cluster)
    assert cluster.run("status").code in (0, 1)
    cluster.db2.kill()
    cluster.db1.kill()
    with closed_by_its_options(cluster.db1):
        cluster.db1.start()
        outcome = cluster.run("failover")
        assert outcome.code == 2 and "run: mysql_ha failover --assume-replica db2" in outcome.out, outcome.out
        assert cluster.writers() == []
        outcome = cluster.run("failover", "--assume-replica", "db2")
    assert outcome.code == 1 and "db2 could not be asked: it may have transactions that db1 has lost" in \
        outcome.out, outcome.out
    assert cluster.writers() == ["db1"]


@pytest.mark.parametrize("shared", ["mariadb-gtid"], indirect=True)
def test_a_primary_that_an_operator_promoted_is_not_closed(cluster):
    """The journal tells of its successor, and no look of a promotion by hand after that."""
    as_pair(cluster)
    cluster.lose(cluster.db1)
    assert cluster.run("handler").code == 0
    cluster.db1.start()
    assert cluster.run("rejoin", "db1").code in (0, 1)
    cluster.db2.kill()
    cluster.db1.sql("STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF")
    cluster.insert(50, server=cluster.db1)
    cluster.db2.start()
    outcome = cluster.run("handler")
    assert outcome.code == 2 and "second-writer" in outcome.out, outcome.out
    assert cluster.writers() == ["db1", "db2"]
    # The one that is stale can be closed.
    outcome = cluster.run("rejoin", "db2")
    assert cluster.writers() == ["db1"], outcome.out


# Before that

@pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)
def test_readiness_says_what_a_restart_would_open(cluster):
    """It was set by SQL first, and is as the option file has it after a restart."""
    warning = "db1 would accept writes after a restart"
    ready = plugin.run("check_failover_ready", "--cluster", cluster.config, "-v")
    assert warning not in ready.out and "whether db1, db2, db3 would accept writes" in ready.out, \
        ready.out
    cluster.db1.stop()
    cluster.db1.start()
    ready = plugin.run("check_failover_ready", "--cluster", cluster.config)
    assert ready.code == 1 and warning in ready.out, ready.out
