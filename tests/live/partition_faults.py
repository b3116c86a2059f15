# SPDX-License-Identifier: MIT
"""Faults of a SitesCluster (partition.py), by name: each lasts as long as its block. db1 is the
primary when one begins, and client1 is on its side."""

import contextlib
import threading
import time


# The faults

@contextlib.contextmanager
def _cut(cluster, some, others=None, both_ways=True):
    cluster.cut(some, others, both_ways)
    try:
        yield
    finally:
        cluster.heal()


@contextlib.contextmanager
def _cut_briefly(cluster, seconds):
    """The primary's side is back before another node is promoted, though perhaps closed by then."""
    with _cut(cluster, ["db1", "client1"]):
        time.sleep(seconds)
    yield


@contextlib.contextmanager
def _flapping(cluster, period_s=2.0):
    """The primary's side is cut off, and is back, in turns."""
    over = threading.Event()

    def flap():
        while not over.is_set():
            cluster.cut(["db1", "client1"])
            over.wait(period_s)
            cluster.heal()
            over.wait(period_s)
    thread = threading.Thread(target=flap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def _losing(cluster, probability):
    cluster.lose(probability)
    try:
        yield
    finally:
        cluster.heal()


@contextlib.contextmanager
def _ahead(machine, seconds):
    machine.set_clock(seconds)
    try:
        yield
    finally:
        machine.set_clock(0)


@contextlib.contextmanager
def _dead(server):
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def _frozen(freezable):
    freezable.freeze()
    try:
        yield
    finally:
        freezable.thaw()


@contextlib.contextmanager
def _dead_for_good(server):
    server.kill()
    yield


@contextlib.contextmanager
def _rebooted(cluster, down_s):
    """The primary's host restarts: its server first, then its manager."""
    cluster.managers["db1"].close()
    cluster.db1.kill()
    time.sleep(down_s)
    cluster.heal()
    cluster.db1.start(wait=False)  # A fence may end it at once.
    cluster.start_manager("db1")
    yield


@contextlib.contextmanager
def _without_power(cluster, down_s):
    """The primary's host ends without a word, and starts later."""
    cluster.cut(["db1", "client1"])
    with _rebooted(cluster, down_s):
        yield


@contextlib.contextmanager
def _without_manager(cluster):
    """The primary's manager is killed, and started again in the end."""
    cluster.managers["db1"].close()
    yield
    cluster.start_manager("db1")


@contextlib.contextmanager
def _without_manager_and_cut(cluster):
    """The primary's manager is dead when its side is cut off."""
    cluster.managers["db1"].close()
    with _cut(cluster, ["db1", "client1"]):
        yield


@contextlib.contextmanager
def _restarted_manager(cluster):
    """The primary's manager is killed and started again while its side is cut off."""
    with _cut(cluster, ["db1", "client1"]):
        time.sleep(1)
        cluster.managers["db1"].close()
        cluster.start_manager("db1")
        yield


@contextlib.contextmanager
def _frozen_manager(cluster):
    """The primary's manager stands still while its side is cut off."""
    with _frozen(cluster.managers["db1"]), _cut(cluster, ["db1", "client1"]):
        yield


@contextlib.contextmanager
def _restarted_and_cut(cluster):
    """The voter has forgotten whom it gave its vote when the primary's side is cut off."""
    cluster.voter.kill()
    cluster.voter.start()
    with _cut(cluster, ["db1", "client1"]):
        yield


@contextlib.contextmanager
def _nothing(_):
    yield


# Of the network: a switchover may begin as one does.
LINK_FAULTS = {
    "primary cut from all": lambda c: _cut(c, ["db1", "client1"]),
    "primary cut from all for 8.5 s": lambda c: _cut_briefly(c, 8.5),
    "primary cut from the standby": lambda c: _cut(c, ["db1"], ["db2"]),
    "primary cut from the voter": lambda c: _cut(c, ["db1"], [c.voter.name]),
    "primary cut from clients": lambda c: _cut(c, ["db1"], c.clients),
    "nobody hears the primary": lambda c: _cut(c, ["db1", "client1"], both_ways=False),
    "the primary hears nobody": lambda c: _cut(c, [n for n in c.lan.machines
                                                   if n not in ("db1", "client1")],
                                               ["db1", "client1"], both_ways=False),
    "the standby does not hear the primary": lambda c: _cut(c, ["db1"], ["db2"], both_ways=False),
    "the primary does not hear the standby": lambda c: _cut(c, ["db2"], ["db1"], both_ways=False),
    "the voter does not hear the primary": lambda c: _cut(c, ["db1"], [c.voter.name], both_ways=False),
    "the primary does not hear the voter": lambda c: _cut(c, [c.voter.name], ["db1"], both_ways=False),
    "clients do not hear the primary": lambda c: _cut(c, ["db1"], c.clients, both_ways=False),
    "the primary does not hear clients": lambda c: _cut(c, c.clients, ["db1"], both_ways=False),
    "standby cut from all": lambda c: _cut(c, ["db2", "client2"]),
    "voter cut from all": lambda c: _cut(c, [c.voter.name]),
    "flapping every 2 s": _flapping,
    "20 % loss": lambda c: _losing(c, 0.2),
    "slow link of the primary, 300 ms": lambda c: c.lan.slow("db1", 0.15),
}

FAULTS = {
    "nothing": _nothing,
    **LINK_FAULTS,
    "voter dead": lambda c: _dead(c.voter),
    "voter restarted, primary cut": _restarted_and_cut,
    "primary killed": lambda c: _dead_for_good(c.db1),
    "primary killed and started": lambda c: _dead(c.db1),
    "primary stopped and continued": lambda c: _frozen(c.db1),
    "host rebooted at once": lambda c: _rebooted(c, 0),
    "host rebooted, down for 8 s": lambda c: _rebooted(c, 8),
    "host rebooted, down for 15 s": lambda c: _rebooted(c, 15),
    "power of the host fails for 3 s": lambda c: _without_power(c, 3),
    "power of the host fails for 15 s": lambda c: _without_power(c, 15),
    "its manager killed": _without_manager,
    "its manager killed, primary cut": _without_manager_and_cut,
    "its manager restarted, primary cut": _restarted_manager,
    "its manager stopped": lambda c: _frozen(c.managers["db1"]),
    "its manager stopped, primary cut": _frozen_manager,
    "host stopped and continued": lambda c: _frozen(c.lan["db1"]),
}

# Of clusters in which each node's host has a clock of its own.
CLOCK_FAULTS = {
    "clock of the primary jumps an hour ahead": lambda c: _ahead(c.lan["db1"], 3600),
    "clock of the primary jumps an hour back": lambda c: _ahead(c.lan["db1"], -3600),
    "clock of the standby jumps an hour ahead": lambda c: _ahead(c.lan["db2"], 3600),
    "clock of the standby jumps an hour back": lambda c: _ahead(c.lan["db2"], -3600),
}

# They need a voter, or a third node.
NEEDS_VOTER = {name for name in FAULTS if "voter" in name}

# With a lease the primary is closed by a guard that runs. Where it stands still, only a watchdog of the
# machine does that.
NEEDS_WATCHDOG = {"its manager stopped, primary cut"}
