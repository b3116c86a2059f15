# SPDX-License-Identifier: MIT
"""Real engines let a replica take over from a primary that is killed under a running writer, with the
objects, the cluster file, the grants and the server settings of conf-examples."""

import re
import time

import pytest

import plugin
from documented import EXAMPLES, Documented
from cluster import rows
from writer import Writer
from guard import Guard
from icinga2 import EXAMPLES as ICINGA2
from icinga2 import Icinga2
from nagios import EXAMPLES as NAGIOS
from nagios import Nagios, cluster_objects
from nrpe import adapted
from servers import wait_until

SHIPPED = "/etc/monitoring-plugins-ha/cluster.conf"
SERVICE = "MySQL failover"


def nagios_watching(bench, cluster, settings=None):
    """Start a Nagios with the examples' objects; an interval of a minute is a second."""
    plugins = plugin.BUILD / "plugins"
    nagios = bench.add(Nagios(bench.directory / "nagios", plugins,
                              [NAGIOS / "commands.cfg", *cluster_objects(cluster.config)],
                              macros={"USER3": "/dev/null", "USER4": plugins}, settings=settings))
    nagios.start()
    wait_until(lambda: nagios.service(SERVICE).state == "OK", 30, "a cluster that is well")
    return nagios


def assert_nothing_is_lost(cluster, writer, timeline):
    """Assert that one primary goes on, that all follow, and that it has all that was acknowledged."""
    new = getattr(cluster, re.search(r"promote (db\d)", timeline)[1])
    writer.wait_for(50, new.name)
    acknowledged = writer.numbers
    assert acknowledged - rows(new) == set(), timeline
    assert new.name in ("db2", "db3") and cluster.writers() == [new.name]
    return new


def tell(capsys, what, writer, killed, new):
    """Print the seconds from the kill to the first write that the new primary acknowledged."""
    seconds = writer.first_at(new.name).answered - killed
    with capsys.disabled():
        print(f"\n{what}: {seconds:.2f} s from the kill to the first acknowledged write, "
              f"{len(writer.numbers)} acknowledged, 0 lost")


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid"])
def test_nagios_promotes_a_replica(bench, kind, capsys):
    cluster = Documented(bench, kind, semi_sync=True)
    nagios = nagios_watching(bench, cluster)
    with Writer(cluster) as writer:
        writer.wait_for(100)
        killed = time.monotonic()
        cluster.db1.kill()
        timeline = cluster.wait_for_run()
        new = assert_nothing_is_lost(cluster, writer, timeline)
    tell(capsys, f"Nagios, {kind}", writer, killed, new)
    cluster.assert_one_primary(new)
    # Of the nodes one gives no answer; that is no reason to act again.
    wait_until(lambda: nagios.service(SERVICE).state == "WARNING", 30, "a primary again")
    events = re.findall(rf"SERVICE EVENT HANDLER: mysql-cluster;{SERVICE};(.*)",
                        nagios.log.read_text())
    assert [e for e in events if e.startswith("CRITICAL;HARD")], events
    assert len(cluster.journals()) == 1
    told = {message.service for message in nagios.notifications()}
    assert SERVICE not in told and "MySQL split brain" in told


@pytest.mark.parametrize("obstacle", ["refused", "killed"])
def test_nagios_calls_again_what_could_not_be_done(bench, obstacle):
    cluster = Documented(bench, "mariadb-gtid")
    ready = cluster.directory / "ready"
    cluster.stub("fence", f"[ -e {ready} ] && exit 0\ntouch $0.was-called\n" +
                 ("exit 1" if obstacle == "refused" else "exec sleep 60"))
    nagios = nagios_watching(bench, cluster, {"event_handler_timeout": 3})
    cluster.db1.kill()
    wait_until((cluster.programs / "fence.was-called").exists, 30, "the first attempt")
    if obstacle == "killed":
        wait_until(lambda: "timed out" in nagios.log.read_text(), 30, "Nagios to kill the handler")
        assert cluster.journals()[0][1] == "unfinished"
    assert cluster.writers() == []
    ready.touch()
    wait_until(lambda: cluster.writers() != [], 30, "the takeover")
    wait_until(lambda: cluster.journals()[-1][1] == "done", what="its end")
    assert [outcome for _, outcome in cluster.journals()][:-1] == (
        ["undone"] * (len(cluster.journals()) - 1) if obstacle == "refused" else [])


ICINGA = """\
include "{commands}"
object CheckerComponent "checker" {{ }}
template Service "mysql-replication" {{
  check_interval = 1s
  max_check_attempts = 3
}}
include "{failover}"
object Host "mysql-cluster" {{
  check_command = "dummy"
  vars.mysql_failover = "{config}"
}}
"""


def test_icinga2_promotes_a_replica(bench, capsys):
    cluster = Documented(bench, "mariadb-gtid", semi_sync=True)
    # All binaries are in one directory here, and a second stands for a minute.
    for name, places in (("commands.conf", {"/eventhandlers/": "/"}),
                         ("failover.conf", {"12s": "1s"})):
        (bench.directory / name).write_text(adapted((ICINGA2 / name).read_text(), places))
    icinga2 = Icinga2(bench.directory / "icinga2", ICINGA.format(
        commands=bench.directory / "commands.conf", failover=bench.directory / "failover.conf",
        config=cluster.config))
    bench.add(icinga2).start()
    wait_until(lambda: (0 in [code for _, code in icinga2.runs("check_mysql_split_brain")]), 60,
               "a cluster that is well")
    with Writer(cluster) as writer:
        killed = time.monotonic()
        cluster.db1.kill()
        timeline = cluster.wait_for_run()
        new = assert_nothing_is_lost(cluster, writer, timeline)
    tell(capsys, "Icinga 2, mariadb-gtid", writer, killed, new)
    cluster.assert_one_primary(new)


def shipped_guard(cluster):
    """Return the guard as it ships."""
    config = cluster.directory / "guard.conf"
    config.write_text(adapted((EXAMPLES / "guard.conf").read_text(), {
        "/usr/lib/nagios/plugins/eventhandlers/": f"{plugin.BUILD}/plugins/",
        "/usr/lib/nagios/plugins/": f"{plugin.BUILD}/plugins/", SHIPPED: cluster.config,
        "/var/lib/monitoring-plugins-ha": cluster.directory / "guard"}))
    return Guard(config)


@pytest.mark.parametrize("kind", ["mariadb-gtid", "mysql-gtid"])
def test_ha_guard_promotes_a_replica(bench, kind, capsys):
    cluster = Documented(bench, kind, semi_sync=True)
    for attempt in range(3):
        if attempt > 0:
            cluster.start_over()
        guard = bench.add(shipped_guard(cluster)).start()
        with Writer(cluster) as writer:
            writer.wait_for(100)
            killed = time.monotonic()
            cluster.db1.kill()
            new = assert_nothing_is_lost(cluster, writer, cluster.wait_for_run())
        tell(capsys, f"ha_guard, {kind}", writer, killed, new)
        wait_until(lambda g=guard: g.said("back to normal"), 20, "the guard")
        said = guard.end()
        assert said.count("FAILURE confirmed") == 1, said
        assert len(cluster.journals()) == 1
    cluster.assert_one_primary(new)
