# SPDX-License-Identifier: MIT
"""What was not seen decides nothing: nodes that cannot be read, primaries that only their own word
links to their replicas, and errors of our own machine."""

import re
import resource
import subprocess

import pytest

from cluster import GTID_KINDS, full, rows
from network import Proxy
from server import MANAGER_PASSWORD, MANAGER_USER
from servers import wait_until


pytestmark = pytest.mark.parametrize("shared", GTID_KINDS, indirect=True)


@pytest.fixture(autouse=True)
def seen(cluster):
    """All nodes were seen; afterwards our account has its password again."""
    cluster.watch()
    yield
    for server in cluster.alive():
        set_password(server, MANAGER_PASSWORD)


def set_password(server, password):
    """Give our account another password on one server."""
    server.sql("SET SESSION sql_log_bin = 0", f"ALTER USER {MANAGER_USER}@'%' IDENTIFIED BY '{password}'")


def die(server, *replicas):
    """Kill a server, and wait until replicas have noticed."""
    server.kill()
    for replica in replicas:
        wait_until(lambda r=replica: r.channels()[0].io != "Yes")


def make_chain(cluster):
    """Let db3 follow db2, and have it seen."""
    db3 = cluster.db3
    db3.stop_replication()
    db3.change_source(cluster.db2.host, cluster.db2.port)
    db3.start_replication()
    wait_until(lambda: db3.channels()[0].io == "Yes")
    cluster.watch()


def test_the_end_of_a_chain_is_promoted_when_both_others_are_dead(cluster):
    make_chain(cluster)
    cluster.db1.kill()
    die(cluster.db2, cluster.db3)
    outcome = cluster.run("failover")
    assert outcome.code == 2 and cluster.writers() == [], outcome.out
    assert "run: mysql_ha failover --assume-replica db1" in outcome.out
    outcome = cluster.run("failover", "--assume-replica", "db1")
    assert outcome.code == 1 and cluster.writers() == ["db3"], outcome.out
    assert "warning: db1 was the primary when it was last seen and is not fenced" in outcome.out
    assert rows(cluster.db3) == {1, 2, 3}


def test_dead_middle_of_a_chain_under_an_unreadable_primary(cluster):
    db1, db2, db3 = cluster.servers
    make_chain(cluster)
    die(db2, db3)
    with full(db1):
        outcome = cluster.run("handler")
        assert outcome.code == 2 and "db1 is alive" in outcome.out, outcome.out
        (cluster.state_dir / "mysql/memory.json").unlink()
        outcome = cluster.run("handler")
        assert outcome.code == 2 and "db1 is alive and cannot be read" in outcome.out, outcome.out
        assert "(unread-node)" in outcome.out and "--assume-replica db1" in outcome.out
    assert cluster.writers() == ["db1"]


def test_silent_replica_that_was_never_seen(cluster):
    (cluster.state_dir / "mysql/memory.json").unlink()
    cluster.db3.kill()
    die(cluster.db1, cluster.db2)
    outcome = cluster.run("failover")
    assert outcome.code == 2 and "db3 does not answer" in outcome.out, outcome.out
    assert "was never seen" in outcome.out and "(unread-node)" in outcome.out
    outcome = cluster.run("failover", "--assume-replica", "db3")
    assert outcome.code == 1 and cluster.writers() == ["db2"], outcome.out
    assert "warning: db3 does not follow db2: " in outcome.out


def test_replica_that_cannot_be_read_may_have_more(cluster):
    cluster.lose_contact(cluster.db2)
    cluster.insert(10, 11)
    cluster.db3.wait_caught_up(cluster.db1)
    cluster.watch()
    set_password(cluster.db3, "another")
    die(cluster.db1, cluster.db3)
    outcome = cluster.run("failover", "--max-lost-transactions", "0")
    assert outcome.code == 2 and "db3 is alive and cannot be read" in outcome.out, outcome.out
    assert "--allow-loss" in outcome.out
    outcome = cluster.run("failover", "--max-lost-transactions", "5", "--allow-loss")
    assert outcome.code == 1 and cluster.writers([cluster.db2]) == ["db2"], outcome.out
    assert "db3 is alive and cannot be read" in outcome.out


def refused(server):
    """Return how many logins a server has refused."""
    return int(server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")[0]["Value"])


def test_it_is_asked_again(cluster):
    cluster.lose_contact(cluster.db2)
    cluster.insert(10, 11)
    cluster.db3.wait_caught_up(cluster.db1)
    set_password(cluster.db3, "another")
    die(cluster.db1, cluster.db3)
    before = refused(cluster.db3)
    process = cluster.begin("failover", "--probe-timeout", "10")
    wait_until(lambda: refused(cluster.db3) > before + 1, what="db3 to be asked more than once")
    set_password(cluster.db3, MANAGER_PASSWORD)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and cluster.writers() == ["db3"], out


def through(proxy, *replicas):
    """Let replicas follow db1 by another address."""
    for replica in replicas:
        replica.stop_replication()
        replica.change_source(proxy.host, proxy.port)
        replica.start_replication()
        replica.wait_channel(io="Yes", sql="Yes")


def test_primary_by_another_address(cluster):
    db1, db2, db3 = cluster.servers
    proxy = cluster.bench.add(Proxy((db1.host, db1.port)))
    through(proxy, db2, db3)
    cluster.watch()
    memory = cluster.state_dir / "mysql/memory.json"
    kept = memory.read_text()
    assert f'"{proxy.host}:{proxy.port}"' in kept
    die(db1, db2, db3)
    proxy.cut()
    status = cluster.run("status").out
    assert re.search(r"db1 .* last seen \d\d:\d\d:\d\d as the primary", status), status
    assert "promote db2 in place of db1" in cluster.run("plan").out
    # Nobody remembers: an alias or the operator's word tell.
    memory.unlink()
    outcome = cluster.run("failover")
    assert outcome.code == 2 and f"alias={proxy.host}:{proxy.port}" in outcome.out, outcome.out
    assert "--primary NODE" in outcome.out
    assert "promote db2 in place of db1" in cluster.run("plan", "--primary", "db1").out
    config = cluster.config.read_text()
    cluster.config.write_text(config.replace(
        f"node=db1={db1.host}:{db1.port}",
        f"node=db1={db1.host}:{db1.port},alias={proxy.host}:{proxy.port}"))
    assert "promote db2 in place of db1" in cluster.run("plan").out
    cluster.config.write_text(config)
    memory.write_text(kept)
    memory.chmod(0o600)
    outcome = cluster.run("failover")
    assert outcome.code == 0 and cluster.writers() == ["db2"], outcome.out


def test_an_error_of_our_own_is_no_evidence(cluster):
    cluster.lose_contact(cluster.db2, cluster.db3)
    for command, off in (("failover", {}), ("handler", {}), ("failover", {"IPV6_OFF": 1})):
        outcome = cluster.run(command, UNASKED_PORT=cluster.db1.port, **off)
        assert outcome.code == 2 and "db1 could not be asked" in outcome.out, outcome.out
        assert "(an error of this machine)" in outcome.out and "(unread-node)" in outcome.out
    # An IPv6 address that cannot be tried says nothing against the answer of the other.
    outcome = cluster.run("plan", REFUSED_PORT=cluster.db1.port, IPV6_OFF=1)
    assert outcome.code == 0 and "promote db2 in place of db1" in outcome.out, outcome.out
    assert cluster.writers() == ["db1"]


def test_few_descriptors(cluster):
    """Whatever cannot be read then, a node, a file or a directory, there is no takeover."""
    cluster.lose_contact(cluster.db2, cluster.db3)
    outputs = []
    for limit in range(5, 20):
        done = subprocess.run(
            [str(word) for word in cluster.command("failover", "--probe-timeout", "0.5")],
            preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)),
            capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2 and cluster.writers() == ["db1"], (limit, done.stdout)
        outputs.append(done.stdout)
    assert any("Too many open files" in out for out in outputs), outputs
    assert "db1 answers (primary-alive)" in outputs[-1], outputs
