# SPDX-License-Identifier: MIT
"""A binary loads only what it uses: what talks to no database must not depend on the library for it,
and libcurl, with all that it needs, is loaded when something is transferred."""

import re
import subprocess

import pytest

import plugin

DATABASE, HTTP = ("mariadb", "mysqlclient"), ("curl",)


@pytest.mark.parametrize("binary, unwanted", [
    ("check_engine_pair", HTTP),
    ("check_heartbeat", HTTP),
    ("check_mysql_replication_lag", HTTP),
    ("check_mysql_replication_threads", HTTP),
    ("check_mysql_split_brain", HTTP),
    ("check_share_mount", DATABASE + HTTP + ("pugixml",)),
    ("ha_guard", DATABASE + HTTP),
    ("handle_engine_failover", DATABASE + HTTP),
    ("handle_mysql_failover", HTTP),
    ("mysql_ha", HTTP),
])
def test_no_needless_library(binary, unwanted):
    shown = subprocess.run(["readelf", "-d", plugin.path(binary)], text=True, capture_output=True,
                           check=True).stdout
    libraries = re.findall(r"\(NEEDED\).*\[lib([\w+-]+)\.so", shown)
    assert "c" in libraries
    assert [library for library in libraries if library.startswith(unwanted)] == []
    # pugixml has XPath, which calculates.
    assert binary == "check_share_mount" or "m" not in libraries
