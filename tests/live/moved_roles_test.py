# SPDX-License-Identifier: MIT
"""What moves with the role of the primary beside read_only: who waits for semi-sync replicas and
who acknowledges, and where events run."""

import time

import pytest

from cluster import Cluster, rows
from writer import APP_USER
from server import MANAGER_USER
from servers import Bench, wait_until

QUICK_S = 5  # A write or an applier that waits in vain takes longer.


@pytest.fixture
def cluster(shared_semi_sync):
    """A primary that waits for its two replicas, which wait for nobody: the usual set-up."""
    shared_semi_sync.start_over()
    for server in shared_semi_sync.servers:
        server.set_semi_sync_timeout(10000)
    semi_sync(shared_semi_sync.db1, replica=False)
    for replica in shared_semi_sync.servers[1:]:
        semi_sync(replica, source=False)
    return shared_semi_sync


def variable(server, role):
    """Return the name of the variable that switches this role on."""
    word = {"source": ("master", "source"), "replica": ("slave", "replica")}[role]
    return f"rpl_semi_sync_{word[server.flavour == 'mysql']}_enabled"


def semi_sync(server, **roles):
    """Switch roles on or off: semi_sync(db1, source=True)."""
    server.sql(*(f"SET GLOBAL {variable(server, role)} = {int(on)}" for role, on in roles.items()))


def roles(server):
    """Return (waits for replicas, acknowledges)."""
    return tuple(server.value(f"@@GLOBAL.{variable(server, role)}") == 1
                 for role in ("source", "replica"))


def write_quickly(cluster, primary, *numbers):
    """Insert rows, which every replica that runs acknowledges and applies at once."""
    begun = time.monotonic()
    cluster.insert(*numbers, server=primary)
    for server in cluster.alive():
        wait_until(lambda: set(numbers) <= rows(server), QUICK_S, f"{server.name} to apply")
    assert time.monotonic() - begun < QUICK_S
    assert primary.waits_for_replicas()


def test_semi_sync_moves_with_the_role(cluster):
    cluster.insert(1, 2)
    cluster.catch_up()
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    new = cluster.primary()
    assert roles(new)[0]
    write_quickly(cluster, new, 3)
    # Its option file says that it waits for replicas, of which it has none.
    cluster.db1.start()
    semi_sync(cluster.db1, source=True, replica=False)
    cluster.insert(4, 5, server=new)
    outcome = cluster.run("rejoin", "db1")
    assert outcome.code == 0 and "it acknowledges" in outcome.out, outcome.out
    assert roles(cluster.db1) == (False, True)
    write_quickly(cluster, new, 6)
    outcome = cluster.run("switchover", "--to", "db1")
    assert outcome.code == 0, outcome.out
    assert roles(cluster.db1)[0] and roles(new) == (False, True)
    write_quickly(cluster, cluster.db1, 7)
    cluster.assert_one_primary(cluster.db1)


def test_in_a_pair_no_client_waits_until_a_replica_acknowledges(cluster):
    cluster.insert(1)
    cluster.catch_up()
    cluster.db3.kill()
    cluster.write_config(nodes=2)
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    write_quickly(cluster, cluster.db2, 2)
    cluster.lose(cluster.db2)
    outcome = cluster.run("failover")
    assert outcome.code == 1, outcome.out
    assert ("warning: no semi-sync replica can follow db1: until one does, only db1 has its writes; "
            "run later: mysql_ha rejoin db2") in outcome.out
    begun = time.monotonic()
    cluster.insert(3, server=cluster.db1)
    assert time.monotonic() - begun < QUICK_S
    cluster.db2.start()
    outcome = cluster.run("rejoin", "db2")
    assert outcome.code == 0, outcome.out
    assert roles(cluster.db1)[0] and roles(cluster.db2) == (False, True)
    write_quickly(cluster, cluster.db1, 4)


# Events

EVENT_KINDS = {"mariadb-gtid": ("EVENT, SET USER, BINLOG ADMIN",),
               "mysql-gtid": ("EVENT, SET_ANY_DEFINER",)}


@pytest.fixture(scope="module", params=EVENT_KINDS)
def shared_events(request):
    with Bench() as bench:
        cluster = Cluster(bench, request.param, options=("--event-scheduler=ON",))
        yield cluster


@pytest.fixture
def ticking(shared_events):
    """A primary whose event writes each second."""
    cluster = shared_events
    cluster.start_over()
    for server in cluster.servers:
        server.sql("SET SESSION sql_log_bin = 0", *(
            f"GRANT {grant} ON *.* TO {MANAGER_USER}@'%'" for grant in EVENT_KINDS[cluster.kind]))
    cluster.db1.sql(f"CREATE DEFINER = {APP_USER}@'%' EVENT shop.tick ON SCHEDULE EVERY 1 SECOND DO"
                    " INSERT INTO shop.item SELECT COALESCE(MAX(id), 0) + 1, 'tick' FROM shop.item")
    cluster.catch_up()
    return cluster


def runs_event(server):
    return server.sql("SELECT status AS status FROM information_schema.events")[0]["status"] == "ENABLED"


def wait_for_tick(server):
    last = max(rows(server), default=0)
    wait_until(lambda: max(rows(server), default=0) > last, 10, f"an event at {server.name}")


def test_events_run_on_the_primary_alone(ticking):
    cluster = ticking
    wait_for_tick(cluster.db1)
    outcome = cluster.run("switchover", "--to", "db2")
    assert outcome.code == 0, outcome.out
    assert [runs_event(server) for server in cluster.servers] == [False, True, False]
    wait_for_tick(cluster.db2)
    outcome = cluster.run("switchover", "--to", "db1")
    assert outcome.code == 0, outcome.out
    assert [runs_event(server) for server in cluster.servers] == [True, False, False]
    wait_for_tick(cluster.db1)
    # A last row that no replica has received would make its return a refusal.
    cluster.db1.sql("SET GLOBAL event_scheduler = OFF")
    cluster.catch_up()
    cluster.lose(cluster.db1)
    outcome = cluster.run("failover")
    assert outcome.code == 0, outcome.out
    new = cluster.primary()
    assert [server.name for server in cluster.alive() if runs_event(server)] == [new.name]
    wait_for_tick(new)
    # Its events are enabled when it starts again, and read_only stops them.
    cluster.db1.options = [*cluster.db1.options, "--read-only=ON"]
    cluster.db1.start()
    outcome = cluster.run("rejoin", "db1")
    assert outcome.code == 0, outcome.out
    wait_for_tick(new)
    # MySQL's super_read_only stops them for good.
    assert cluster.flavour == "mysql" or not runs_event(cluster.db1)
    cluster.wait_until_all_follow(new)
