# SPDX-License-Identifier: MIT
"""A real Nagios Core runs the checks with the objects of conf-examples/nagios and understands them."""

import re

import pytest

import plugin
from nagios import EXAMPLES, Nagios, monitor_file, watching
from servers import wait_until

LAG, THREADS = "Replication lag", "Replication threads"
PLUGINS = plugin.BUILD / "plugins"


@pytest.fixture
def nagios(bench, pair):
    return watching(bench, PLUGINS, pair.source, pair.replica).start()


def wait_for(nagios, state):
    """Wait until Nagios is sure that both services are in a state; return (lag, threads)."""
    def both():
        services = [nagios.service(name) for name in (LAG, THREADS)]
        sure = all(s.checked and s.hard and s.state == state for s in services)
        return services if sure else None
    return wait_until(both, 30, f"both services to be {state}")


def perfdata(service):
    """Return {label: value text} of the performance data as Nagios keeps it."""
    return {label: rest.split(";")[0]
            for label, rest in re.findall(r"'([^']+)'=(\S+)", service.perfdata)}


def test_states_output_and_perfdata_of_a_pair_that_breaks(pair, nagios):
    lag, threads = wait_for(nagios, "OK")
    assert lag.output.startswith("MYSQL REPLICATION LAG OK - ")
    assert threads.output.startswith("MYSQL REPLICATION THREADS OK - ")
    assert perfdata(lag)["lag"] == "0s"
    assert set(perfdata(lag)) == {"lag", "sql_delay", "relay_log_space"}
    assert perfdata(threads) == {"channels": "1", "io_running": "1", "sql_running": "1",
                                 "connecting": "0"}
    assert "|" not in lag.output + threads.output
    assert nagios.notifications() == []

    pair.replica.stop_replication(thread="SQL")
    lag, threads = wait_for(nagios, "CRITICAL")
    assert "SQL thread stopped" in threads.output
    assert "SQL thread stopped" in lag.output
    assert perfdata(lag)["lag"] == "U"
    assert perfdata(threads)["sql_running"] == "0"

    pair.replica.start_replication(thread="SQL")
    lag, threads = wait_for(nagios, "OK")
    assert perfdata(threads)["sql_running"] == "1"

    pair.source.kill()
    pair.replica.wait_channel(io="Connecting", io_errno=2003)
    lag, threads = wait_for(nagios, "CRITICAL")
    wait_until(lambda: "2003" in nagios.service(THREADS).output, what="the error number")
    assert "IO thread connecting" in threads.output
    assert perfdata(lag)["lag"] == "U"
    assert perfdata(threads)["connecting"] == "1"

    def told():
        return [n.kind for n in nagios.notifications() if n.service == THREADS]
    wait_until(lambda: len(told()) == 3, what="the third notification")
    assert told() == ["PROBLEM", "RECOVERY", "PROBLEM"]


def test_replica_that_follows_the_wrong_source(bench, pair):
    nagios = watching(bench, PLUGINS, pair.replica, pair.replica).start()
    wait_until(lambda: nagios.service(THREADS).state == "CRITICAL", what="CRITICAL")
    assert "instead of" in nagios.service(THREADS).output


def test_shipped_objects_are_accepted(bench):
    objects = sorted(EXAMPLES.glob("*.cfg"))
    assert objects
    nagios = Nagios(bench.directory / "nagios", PLUGINS, objects,
                    macros={"USER3": monitor_file(bench.directory / "monitor.cnf")})
    accepted, text = nagios.verify()
    assert accepted, text
    assert "Total Warnings: 0" in text
    shipped = sum(path.read_text().count("define service {") for path in objects)
    assert int(re.search(r"Checked (\d+) services", text)[1]) >= shipped > 0


def test_broken_objects_are_not_accepted(bench):
    broken = bench.directory / "broken.cfg"
    broken.write_text("define service {\n    service_description    of no host\n}\n")
    accepted, text = Nagios(bench.directory / "nagios", PLUGINS, [broken]).verify()
    assert not accepted, text


def test_no_password_in_the_objects():
    for path in sorted(EXAMPLES.glob("*.cfg")):
        commands = re.findall(r"^\s*command_line\s+(.*)$", path.read_text(), re.MULTILINE)
        assert not any(re.search(r"\s(-p|--password)\b", line) for line in commands)
