# SPDX-License-Identifier: MIT
"""A binary loads only what it uses: what talks to no database and to no web server must not depend
on the libraries for it."""

import re
import subprocess

import pytest

import plugin

DATABASE, HTTP = ("mariadb", "mysqlclient"), ("curl",)


@pytest.mark.parametrize("binary, unwanted", [
    ("check_mysql_replication_lag", HTTP),
    ("check_mysql_replication_threads", HTTP),
    ("check_mysql_split_brain", HTTP),
    ("check_share_mount", DATABASE + HTTP + ("pugixml",)),
    ("ha_guard", DATABASE + HTTP),
    ("handle_engine_failover", DATABASE),
])
def test_no_needless_library(binary, unwanted):
    shown = subprocess.run(["readelf", "-d", plugin.path(binary)], text=True, capture_output=True,
                           check=True).stdout
    libraries = re.findall(r"\(NEEDED\).*\[lib([\w+-]+)\.so", shown)
    assert "c" in libraries
    assert [library for library in libraries if library.startswith(unwanted)] == []
