# SPDX-License-Identifier: MIT
"""--fence without a fence: a primary that nobody of ours reaches, and that clients go on writing to,
acknowledges nothing to them any more once its semi-sync replicas have stopped receiving."""

import contextlib
import itertools
import re
import threading
import time

import pymysql
import pytest

import plugin
from cluster import DAY_MS, GTID_KINDS, Cluster, changes, make_lossless, rows
from interruptions import run_and_kill
from network import Proxy
from servers import Bench, wait_until
from writer import APP_PASSWORD, APP_USER

WORD = {"mariadb": ("master", "slave"), "mysql": ("source", "replica")}


class Lossless(Cluster):
    """A cluster that acknowledges nothing that exists once, and that has no fence command."""
    settings = tuple(line for line in Cluster.settings if not line.startswith("fence-command"))

    def set_semi_sync(self, suffix, value):
        """Change a setting of semi-sync where it counts, at the primary, and look at it."""
        self.db1.sql(f"SET GLOBAL rpl_semi_sync_{WORD[self.flavour][0]}_{suffix} = {value}")
        self.watch()

    def _compose(self):
        if "link" not in self.__dict__:
            self.link = self.bench.add(Proxy((self.db1.host, self.db1.port)))
            self.db1.port = self.link.port  # for everybody but clients on its own machine
        super()._compose()
        make_lossless(self)

    @contextlib.contextmanager
    def cut(self):
        """Cut db1 off from its replicas and from us for the length of the block; it lives."""
        self.link.refusing = True
        self.link.cut()
        for replica in self.servers[1:]:
            wait_until(lambda r=replica: all(c.io != "Yes" for c in r.channels()),
                       what=f"{replica.name} to miss db1")
        try:
            yield
        finally:
            self.link.refusing = False


class WaitingClients:
    """Write to db1 from its own machine, whatever becomes of the network. From the second commit on that
    waits for an acknowledgement a MariaDB does not tell where its binlog ends."""

    def __init__(self, server):
        self._server = server
        self.acknowledged = []  # when, in monotonic seconds
        self.errors = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[first], daemon=True)
                         for first in (1000, 100_000, 200_000)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: len(self.acknowledged) >= 15, what="the clients to write")
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(70)
            assert not thread.is_alive()

    def waited_s(self):
        """Return for how long one of them has waited, in whole seconds."""
        return self._server.value("(SELECT COALESCE(MAX(TIME), 0) FROM information_schema.PROCESSLIST "
                                  f"WHERE USER = '{APP_USER}' AND COMMAND = 'Query')")

    def _run(self, number):
        while not self._stop.is_set():
            number += 1
            try:
                with self._server.connect(60, user=APP_USER, password=APP_PASSWORD) as session:
                    with session.cursor() as cursor:
                        cursor.execute(f"INSERT INTO shop.item VALUES ({number}, '')")
                self.acknowledged.append(time.monotonic())
            except (pymysql.err.MySQLError, OSError) as error:
                self.errors.append(error)
            self._stop.wait(0.01)


@pytest.fixture(scope="module", params=GTID_KINDS)
def made(request):
    with Bench() as bench:
        yield Lossless(bench, request.param, semi_sync=True)


@pytest.fixture
def lossless(made):
    """A primary and two replicas that acknowledge, with what --fence revoke needs."""
    made.start_over()
    return made


def refuse(cluster, *words):
    """Cut the primary off and let a failover be refused; return what it printed."""
    with cluster.cut():
        before = cluster.snapshot(strict=False)
        outcome = cluster.run("failover", *words)
        assert outcome.code == 2 and "(cannot-fence)" in outcome.out, outcome.out
        assert not changes(before, cluster.snapshot(strict=False)), outcome.out
    return outcome.out


def test_what_is_missing_is_named(lossless):
    source, replica = WORD[lossless.flavour]
    ready = plugin.run("check_failover_ready", "--cluster", lossless.config, "-v")
    assert "another primary: revocation: db1 waits for one acknowledgement" in ready.out, ready.out
    lossless.set_semi_sync("timeout", 10000)
    ready = plugin.run("check_failover_ready", "--cluster", lossless.config)
    assert ready.state == "CRITICAL", ready.out
    assert f"db1: rpl_semi_sync_{source}_timeout was 10000" in ready.text, ready.out
    out = refuse(lossless)
    assert "fencing db1 is required and there is no fence command" in out, out
    assert (f"db1: rpl_semi_sync_{source}_timeout was 10000; while it is the primary, run there: SET "
            f"GLOBAL rpl_semi_sync_{source}_timeout=86400000") in out, out
    lossless.set_semi_sync("timeout", DAY_MS)
    lossless.set_semi_sync(f"wait_no_{replica}", "OFF")
    assert f"rpl_semi_sync_{source}_wait_no_{replica} was OFF" in refuse(lossless, "--fence", "revoke")
    lossless.set_semi_sync(f"wait_no_{replica}", "ON")
    # A replica that acknowledges and is none of the nodes.
    lossless.write_config(nodes=2)
    lossless.watch()
    assert f"Rpl_semi_sync_{source}_clients was 2" in refuse(lossless, "--fence", "revoke")


def test_nothing_is_acknowledged_by_a_primary_that_was_revoked(lossless):
    with WaitingClients(lossless.db1) as clients:
        lossless.watch()
        with lossless.cut():
            plan = lossless.run("plan")
            assert "evidence that db1 takes no writes: revocation: db1 waits for one" in plan.out, plan.out
            began = time.monotonic()
            outcome = lossless.run("failover", "--fence", "required")
            assert outcome.code == 0, outcome.out
            assert "revoke db2: it receives and acknowledges nothing" in outcome.out, outcome.out
            shown = lossless.run("journal", "show", lossless.journals()[-1][0])
            assert "evidence that db1 takes no writes: revocation: db1 waits for one" in shown.out
            new = next(s for s in (lossless.db2, lossless.db3) if s.value("@@GLOBAL.read_only") == 0)
            lossless.insert(1, server=new)
        # The network is whole again, and two servers accept writes.
        lossless.insert(2, server=new)
        wait_until(lambda: clients.waited_s() >= 2, what="commits that wait for long")
        outcome = lossless.run("failover")
        assert outcome.code == 1 and "db1 accepted writes although" in outcome.out, outcome.out
        wait_until(lambda: clients.errors, what="the clients to be turned away")
        assert lossless.writers() == [new.name]
        lossless.insert(3, server=new)
        assert [when for when in clients.acknowledged if when > began] == []
    # What no replica has was acknowledged to nobody.
    outcome = lossless.run("rejoin", "db1")
    assert outcome.code == 2 and re.search(r"db1 has \d+ transactions? that", outcome.out), outcome.out


def test_receivers_run_again_when_the_failover_is_rolled_back(lossless):
    lossless.insert(1, 2)
    lossless.watch()
    with lossless.cut():
        outcome = lossless.run("failover", "--pre-failover", "true", "--fence", "revoke",
                               "--vip", "192.0.2.1/32", "--interface", "nowhere0")
        assert outcome.code == 2 and "rolled back" in outcome.out, outcome.out
    for replica in lossless.servers[1:]:
        replica.wait_channel(lossless.db2.channels()[0].name, io="Yes", sql="Yes")
    lossless.insert(3)
    lossless.wait_until_all_follow(lossless.db1)


def test_a_primary_that_hangs_is_replaced_without_a_fence(lossless):
    """Its replicas receive heartbeats from it, and stop."""
    lossless.insert(1, 2)
    lossless.watch()
    lossless.db1.freeze()
    outcome = lossless.run("failover", "--probe-timeout", "0.5", "--hung-after", "2")
    assert outcome.code == 0, outcome.out
    lossless.db1.thaw()
    new = next(s for s in lossless.servers[1:] if s.value("@@GLOBAL.read_only") == 0)
    assert rows(new) == {1, 2}
    with pytest.raises(pymysql.err.MySQLError):
        lossless.db1.sql("INSERT INTO shop.item VALUES (3, '')", timeout=1)
    assert lossless.run("failover").code == 1
    assert lossless.writers() == [new.name]


@pytest.mark.parametrize("made", ["mariadb-gtid"], indirect=True)
def test_killed_at_each_write_of_the_journal(lossless):
    for number in itertools.count(1):
        lossless.start_over()
        lossless.insert(1, 2, 3)
        lossless.catch_up()
        lossless.watch()
        with lossless.cut():
            if not run_and_kill(lossless, ("failover",), number, "before"):
                break
            second = lossless.run("failover")
            open_nodes = lossless.writers(lossless.servers[1:])
            assert second.code == 0 and len(open_nodes) == 1, (number, second.out)
            assert rows(getattr(lossless, open_nodes[0])) == {1, 2, 3}, (number, second.out)
    assert number > 10
