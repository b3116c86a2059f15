# SPDX-License-Identifier: MIT
"""Fixtures of the tests with real engines: a healthy MariaDB pair of the test's own."""

import pytest

from pairs import Pair
from servers import Bench


@pytest.fixture
def bench():
    with Bench() as started:
        yield started


@pytest.fixture
def pair(bench):
    return Pair(bench, "mariadb-gtid").caught_up()
