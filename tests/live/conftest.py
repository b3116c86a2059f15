# SPDX-License-Identifier: MIT
"""Fixtures of the live tests. A test has servers of its own, unless it says otherwise, so it may break
them in any way and needs not repair anything."""

import pytest

from cluster import GTID_KINDS, Cluster, watched
from cluster import KINDS as CLUSTER_KINDS
from pairs import FLAVOURS, KINDS, Pair
from servers import Bench


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Bring the tests of a file together that use the same cluster, so that each is made once; pytest
    goes by the place that a kind has in the list of each test."""
    files = list(dict.fromkeys(item.path for item in items))

    def key(item):
        fixtures = item._fixtureinfo.name2fixturedefs
        params = item.callspec.params if hasattr(item, "callspec") else {}
        return files.index(item.path), sorted((name, str(value)) for name, value in params.items()
                                              if name in fixtures and fixtures[name][-1].scope == "module")
    items.sort(key=key)


@pytest.fixture
def bench():
    with Bench() as started:
        yield started


@pytest.fixture(scope="module", params=CLUSTER_KINDS)
def shared(request):
    """A cluster of each kind in turn for all tests of a file; each calls its start_over() first."""
    with Bench() as started:
        yield Cluster(started, request.param)


@pytest.fixture
def cluster(shared):
    """A primary with two replicas that have caught up, of each kind in turn."""
    shared.start_over()
    shared.insert(1, 2, 3)
    shared.catch_up()
    return shared


@pytest.fixture(scope="module", params=GTID_KINDS)
def shared_semi_sync(request):
    """The same with writes that wait, for a minute, for one replica."""
    with Bench() as started:
        yield Cluster(started, request.param, semi_sync=True)


@pytest.fixture(params=GTID_KINDS)
def trio(request, bench):
    """A cluster by GTID with an account for monitoring, for one test alone."""
    return watched(bench, request.param)


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    return request.param


@pytest.fixture(params=KINDS)
def pair(request, bench):
    """A healthy pair that has caught up, of each kind in turn."""
    return Pair(bench, request.param).caught_up()


@pytest.fixture
def two_sources(bench, flavour):
    """[source, source, replica] with the channels east and west, of each flavour in turn."""
    servers = bench.two_sources(flavour)
    servers[2].create_monitor()
    return servers
