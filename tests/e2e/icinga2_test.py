# SPDX-License-Identifier: MIT
"""A real Icinga 2 accepts the shipped objects, and runs the checks as its variables say."""

import pytest

import plugin
from icinga2 import EXAMPLES, Icinga2
from nagios import monitor_file
from servers import wait_until


@pytest.mark.parametrize("chosen", ["*.conf", "commands.conf"])
def test_shipped_objects_are_accepted(bench, chosen):
    accepted, text = Icinga2(bench.directory / "icinga2", f'include "{EXAMPLES}/{chosen}"').validate()
    assert accepted, text
    assert "warning/" not in text, text
    # Each rule applies to one of the hosts that are shown.
    rules = sum(path.read_text().count("\napply Service") for path in EXAMPLES.glob("*.conf"))
    assert (f"Instantiated {rules} Services" in text) == (chosen == "*.conf"), text


def test_broken_objects_are_not_accepted(bench):
    accepted, text = Icinga2(bench.directory / "icinga2", "object CheckCommand {").validate()
    assert not accepted, text


SERVICES = """\
include "{examples}/commands.conf"
object CheckerComponent "checker" {{ }}
object Host "db2" {{
  check_command = "dummy"
  address = "{replica.host}"
}}
object Service "lag" {{
  host_name = "db2"
  check_interval = 1s
  check_command = "mysql_replication_lag"
  vars.mysql_replication_lag_port = {replica.port}
  vars.mysql_replication_lag_defaults_file = "{account}"
  vars.mysql_replication_lag_channel = [ "", "" ]
  vars.mysql_replication_lag_include_delay = true
}}
object Service "threads" {{
  host_name = "db2"
  check_interval = 1s
  check_command = "mysql_replication_threads"
  vars.mysql_replication_threads_socket = "{replica.socket}"
  vars.mysql_replication_threads_defaults_file = "{account}"
  vars.mysql_replication_threads_expect_source = "{source.host}:{source.port}"
  vars.mysql_replication_threads_ssl = false
}}
"""


def test_variables_become_arguments_and_a_broken_pair_is_seen(bench, pair):
    account = monitor_file(bench.directory / "monitor.cnf")
    icinga2 = bench.add(Icinga2(bench.directory / "icinga2", SERVICES.format(
        examples=EXAMPLES, replica=pair.replica, source=pair.source, account=account))).start()

    def finished(name, code):
        arguments = [words for words, seen in icinga2.runs(name) if seen == code]
        return arguments[0] if arguments else None
    lag = wait_until(lambda: finished(plugin.LAG, 0), 60, f"an OK of {plugin.LAG}")
    assert sorted(lag) == sorted(["--hostname", pair.replica.host, "--port", str(pair.replica.port),
                                  "--defaults-file", str(account), "--channel", "", "--channel", "",
                                  "--include-delay"])
    threads = wait_until(lambda: finished(plugin.THREADS, 0), 60, f"an OK of {plugin.THREADS}")
    assert sorted(threads) == sorted(["--socket", pair.replica.socket, "--defaults-file",
                                      str(account), "--expect-source",
                                      f"{pair.source.host}:{pair.source.port}"]), "no host, no flag"
    pair.replica.stop_replication(thread="SQL")
    for name in (plugin.LAG, plugin.THREADS):
        wait_until(lambda name=name: finished(name, 2), 60, f"a CRITICAL of {name}")
