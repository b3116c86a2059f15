# SPDX-License-Identifier: MIT
"""Two nodes and a voter whose network is cut, with a manager and a client on each side: what is
configured keeps its promise, and where it promises nothing check_failover_ready has warned.
tests/bench/partition plays all faults."""

import pytest

from acknowledged import twofold, without
from partition import GUARDS_AND_FENCE, LEASE, VOTES, SitesCluster
from servers import Bench
from writer import Write


@pytest.fixture(scope="module", params=["mariadb-gtid", "mysql-gtid"])
def sites(request):
    with Bench() as bench:
        yield SitesCluster(bench, request.param)


def play(sites, fault, protection, **arguments):
    run = sites.play(fault, protection, **arguments)
    assert not (protection.voted and run.managers_at_once), run.told
    assert run.warned != protection.holds, run.ready
    if protection.holds:
        assert (run.two_s, run.two_rows) == (0, 0), run.told
    return run


def test_with_votes_alone_one_manager_acts_and_both_sides_write(sites):
    run = play(sites, "primary cut from all", VOTES, successor=sites.db2)
    assert run.two_rows > 0 and run.lost > 0, run.told
    assert run.promotions == 1, run.told


def test_with_guards_and_a_fence_one_side_writes(sites):
    run = play(sites, "primary cut from all", GUARDS_AND_FENCE, successor=sites.db2)
    assert run.promotions == 1, run.told


# The host of the primary starts again before the lease of 8 s has ended, as it does, and after that, when no
# word has told of its end.
REBOOTS = {"mariadb": ("host rebooted at once", "power of the host fails for 15 s"),
           "mysql": ("host rebooted, down for 8 s",)}


def test_after_a_reboot_of_the_primarys_host_the_role_comes_back_by_itself(sites):
    """To which server depends on what its guard finds there first: a server that starts, or that has."""
    for fault in REBOOTS[sites.flavour]:
        run = play(sites, fault, LEASE, passing=True)
        primary, = run.writers
        assert run.promotions == (primary != "db1"), run.told


def writes(server, *times):
    return [Write(0, server, at, at) for at in times]


@pytest.mark.parametrize("one, other, expected", [
    ((0, 0.1, 0.2), (), (0, 0)),
    ((0, 0.1, 0.2), (0.3, 0.4), (0, 0)),
    ((0, 0.2, 0.4), (0.3, 0.5, 0.6), (0.1, 2)),
    # A server that was stopped answers a client while its successor works: no time, but a row.
    ((0, 0.1, 5.15), (5.0, 5.1, 5.2), (0, 1)),
    # The role has come back.
    ((0, 0.1, 3.0, 3.1), (1.0, 1.1), (0, 0))])
def test_two_writers_are_seen_in_what_clients_were_told(one, other, expected):
    seconds, count = twofold([*writes("db1", *one), *writes("db2", *other)])
    assert (round(seconds, 6), count) == expected


def test_pauses_without_a_writer_add_up():
    assert without(writes("db1", 1.0, 1.4, 3.0), 0.8, 4.0) == pytest.approx(2.6)
