# SPDX-License-Identifier: MIT
"""A real Icinga 2 accepts the shipped objects, and runs the checks as its variables say."""

import os
import re
import subprocess

import pytest

import cache
import plugin
from nagios import ROOT, kill_session, monitor_file
from servers import wait_until

EXAMPLES = ROOT / "conf-examples/icinga2"


class Icinga2:
    """Icinga 2 with all its files in one directory and one configuration file."""

    def __init__(self, directory, config):
        root = cache.icinga2_root()
        directory.mkdir()
        self.log = directory / "output"
        self.process = None
        (directory / "icinga2.conf").write_text(
            f'const PluginDir = "{plugin.BUILD}/plugins"\n'
            f"include <itl>\ninclude <plugins>\n{config}")
        places = [word for name in ("DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")
                  for word in ("-D", f"Configuration.{name}={directory}")]
        program = next(root.glob("usr/lib/*/icinga2/sbin/icinga2"))
        self._command = [program, "daemon", "-c", directory / "icinga2.conf", "-I",
                         root / "usr/share/icinga2/include", *places,
                         "-D", f"Configuration.PidPath={directory}/pid"]
        self._environment = {"PATH": os.environ["PATH"], "ICINGA2_USER": "root",
                             "ICINGA2_GROUP": "root"}

    def validate(self):
        """Return (accepted, what Icinga says) of its own look at the configuration."""
        done = subprocess.run([*self._command, "-C"], env=self._environment, text=True,
                              capture_output=True, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def start(self):
        """Start the daemon; it logs every command that it runs."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self._command, "-x", "notice"], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self._environment,
                                            start_new_session=True)
        return self

    def close(self):
        """End the daemon and whatever it started."""
        if self.process:
            wait_until(lambda: not kill_session(self.process.pid), what="Icinga 2 to end")
            self.process.wait()

    def runs(self, name):
        """Return [(arguments, exit code)] of the finished runs of a check, in no order."""
        pattern = rf"PID \d+ \('[^']*/{name}'((?: '[^']*')*)\) terminated with exit code (\d+)"
        return [(re.findall(r"'([^']*)'", arguments), int(code))
                for arguments, code in re.findall(pattern, self.log.read_text())]


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
