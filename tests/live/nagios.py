# SPDX-License-Identifier: MIT
"""A throwaway Nagios Core 4: configure, start, ask, command, break.

Objects come from the files that users copy; what differs from a user's machine comes from where it
does there too: the resource file, nagios.cfg and the hosts. Time runs sixty times faster: an
interval of 1 is a second. Notifications go into a file (see `notifications()`).

A Nagios that is given to Bench.add() ends with the bench, and all that it started with it.

    nagios = watching(bench, plugins, source, replica).start()
    wait_until(lambda: nagios.service("Replication lag").state == "CRITICAL")
"""

import contextlib
import dataclasses
import grp
import os
import pwd
import re
import signal
import subprocess
import time
from pathlib import Path

import cache
from server import MONITOR_PASSWORD, MONITOR_USER, spawn, uninterrupted, wait_until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "conf-examples/nagios"
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
# Debian's own files that users' objects build upon: generic-host, generic-service, 24x7.
_DEBIAN_OBJECTS = ("templates.cfg", "timeperiods.cfg")

_PEOPLE = """\
define command {
    command_name    notify-service-by-file
    command_line    /usr/bin/printf '%s\\t%s\\t%s\\t%s\\t%s\\n' '$TIMET$' '$NOTIFICATIONTYPE$' '$HOSTNAME$' '$SERVICEDESC$' '$SERVICESTATE$' >> __FILE__
}
define command {
    command_name    notify-host-by-file
    command_line    /usr/bin/printf '%s\\t%s\\t%s\\t\\t%s\\n' '$TIMET$' '$NOTIFICATIONTYPE$' '$HOSTNAME$' '$HOSTSTATE$' >> __FILE__
}
# What Debian's generic-contact, which nobody uses here, refers to.
define command {
    command_name    notify-service-by-email
    command_line    /bin/false
}
define command {
    command_name    notify-host-by-email
    command_line    /bin/false
}
define command {
    command_name    check-host-alive
    command_line    /bin/true
}
define contact {
    contact_name                    admin
    service_notification_period     24x7
    host_notification_period        24x7
    service_notification_options    w,u,c,r
    host_notification_options       d,u,r
    service_notification_commands   notify-service-by-file
    host_notification_commands      notify-host-by-file
}
define contactgroup {
    contactgroup_name   admins
    members             admin
}
"""


_REPLICA = """\
define host {{
    use              mysql-replica
    host_name        {replica.name}
    address          {replica.host}
    _MYSQL_PORT      {replica.port}
    _MYSQL_SOURCE    {source.host}:{source.port}
}}
"""


@dataclasses.dataclass
class Notification:
    """One message to people; `service` is empty when it is about the host."""
    time: int
    kind: str  # PROBLEM, RECOVERY, ...
    host: str
    service: str
    state: str


@dataclasses.dataclass
class Service:
    """The fields of a service in status.dat that tests and viewers ask for."""
    host: str
    name: str
    checked: bool
    state: str  # OK, WARNING, CRITICAL, UNKNOWN
    hard: bool
    attempt: int
    max_attempts: int
    since: int  # epoch of the last change of state
    output: str
    long_output: str
    perfdata: str


class Nagios:
    """A Nagios process with a directory that stays over restarts.

    `objects` are object files in use as they are, `hosts` the text of one more; `macros` are lines
    of the resource file beside $USER1$, e.g. {"USER3": path}; `settings` are lines of nagios.cfg.
    """

    def __init__(self, directory, plugins, objects, hosts="", macros=None, settings=None):
        self.directory = Path(directory)
        self.command_file = self.directory / "nagios.cmd"
        self.status_file = self.directory / "status.dat"
        self.log = self.directory / "nagios.log"
        self.process = None
        self._config = self.directory / "nagios.cfg"
        self._notifications = self.directory / "notifications"
        self.directory.mkdir(parents=True)
        self._write_config(plugins, objects, hosts, macros or {}, settings or {})

    # The process

    def verify(self):
        """Return (accepted, what Nagios says) of its own look at the configuration."""
        program, config = self.argv
        done = subprocess.run([program, "-v", config], text=True, capture_output=True)
        return done.returncode == 0, done.stdout + done.stderr

    @property
    def argv(self):
        """Return the command line that starts it in the foreground."""
        return [str(_program()), str(self._config)]

    def start(self, timeout=20.0):
        """Start the process and wait for its status file and pipe; RuntimeError when it ends instead."""
        for path in (self.status_file, self.command_file):
            path.unlink(missing_ok=True)
        with uninterrupted():
            self.process = spawn(self.argv, self.directory / "output", self.directory)

        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"Nagios ended at its start:\n{self.verify()[1][-3000:]}")
            return self.status_file.exists() and self.command_file.exists()
        wait_until(ready, timeout, "Nagios to write its status and open its pipe")
        return self

    @property
    def running(self):
        """Tell whether the process exists (a frozen one does)."""
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=20.0):
        """Shut Nagios down as an administrator would."""
        self._end(signal.SIGTERM, timeout)

    def kill(self):
        """End Nagios as a crash would; its status file stays."""
        self._end(signal.SIGKILL, 20.0)

    close = kill

    def freeze(self):
        """Stop the main process, as a hang would; its command pipe still takes commands."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Let a frozen Nagios go on."""
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number, timeout):
        if self.process is None:
            return
        if self.running:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(timeout)
        # Its workers and their checks lead groups of their own, but stay in its session.
        wait_until(lambda: not kill_session(self.process.pid), timeout, "the workers to end")

    # What it knows

    def blocks(self, kind):
        """Return the blocks of one kind in status.dat as dictionaries; none without the file."""
        try:
            lines = self.status_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        found, fields = [], None
        for line in lines:
            if line == f"{kind} {{":
                fields = {}
                found.append(fields)
            elif line == "\t}":
                fields = None
            elif fields is not None:
                key, _, value = line.strip().partition("=")
                fields[key] = value
        return found

    def program(self):
        """Return the state of Nagios itself, e.g. enable_notifications; empty without the file."""
        return (self.blocks("programstatus") or [{}])[0]

    def services(self):
        """Return every service, sorted by host and name."""
        return [Service(fields["host_name"], fields["service_description"],
                        fields["has_been_checked"] == "1",
                        STATES[int(fields["current_state"])], fields["state_type"] == "1",
                        int(fields["current_attempt"]), int(fields["max_attempts"]),
                        int(fields["last_state_change"]), fields["plugin_output"],
                        fields["long_plugin_output"], fields["performance_data"])
                for fields in self.blocks("servicestatus")]

    def service(self, name, host=None):
        """Return one service by its description; LookupError when there is none."""
        for service in self.services():
            if service.name == name and host in (None, service.host):
                return service
        raise LookupError(f"no service {name} in {self.status_file}")

    def notifications(self):
        """Return the messages that people would have got, oldest first."""
        if not self._notifications.exists():
            return []
        rows = [line.split("\t") for line in self._notifications.read_text().splitlines()]
        return [Notification(int(when), *rest) for when, *rest in rows]

    def command(self, text):
        """Write one external command, e.g. DISABLE_NOTIFICATIONS, into the command pipe."""
        pipe = os.open(self.command_file, os.O_WRONLY | os.O_NONBLOCK)
        with os.fdopen(pipe, "w") as stream:
            stream.write(f"[{int(time.time())}] {text}\n")

    # Its configuration

    def _write_config(self, plugins, objects, hosts, macros, settings):
        debian = cache.nagios_root() / "etc/nagios4/objects"
        people, own_hosts = self.directory / "people.cfg", self.directory / "hosts.cfg"
        people.write_text(_PEOPLE.replace("__FILE__", str(self._notifications)))
        own_hosts.write_text(hosts)
        resources = {"USER1": plugins, **macros}
        (self.directory / "resource.cfg").write_text(
            "".join(f"${name}$={value}\n" for name, value in resources.items()))
        (self.directory / "checkresults").mkdir()
        lines = [("cfg_file", path) for path in
                 (*(debian / name for name in _DEBIAN_OBJECTS), people, own_hosts, *objects)]
        lines += {
            "resource_file": self.directory / "resource.cfg",
            "status_file": self.status_file,
            "command_file": self.command_file,
            "query_socket": self.directory / "nagios.qh",
            "log_file": self.log,
            "lock_file": self.directory / "nagios.pid",
            "temp_file": self.directory / "nagios.tmp",
            "temp_path": self.directory,
            "check_result_path": self.directory / "checkresults",
            "object_cache_file": self.directory / "objects.cache",
            "precached_object_file": self.directory / "objects.precache",
            "state_retention_file": self.directory / "retention.dat",
            "debug_file": self.directory / "nagios.debug",
            "nagios_user": pwd.getpwuid(os.geteuid()).pw_name,
            "nagios_group": grp.getgrgid(os.getegid()).gr_name,
            "use_syslog": 0,
            "check_for_updates": 0,
            "daemon_dumps_core": 0,
            "enable_environment_macros": 0,
            "check_external_commands": 1,
            "retain_state_information": 1,
            "illegal_macro_output_chars": "`~$&|'\"<>",  # as Debian's nagios.cfg says
            "log_service_retries": 1,
            "interval_length": 1,
            "status_update_interval": 1,
            "check_result_reaper_frequency": 1,
            "service_inter_check_delay_method": "n",
            "host_inter_check_delay_method": "n",
            "check_workers": 2,
            **settings,
        }.items()
        self._config.write_text("".join(f"{key}={value}\n" for key, value in lines))


def watching(bench, plugins, source, replica, name="nagios", cluster=None):
    """Return a Nagios of the bench, not started, that watches a replica with the examples' objects;
    with the file of a cluster it watches that too, and lets it fail over."""
    objects = [EXAMPLES / "commands.cfg", EXAMPLES / "services.cfg"]
    return bench.add(Nagios(
        bench.directory / name, plugins, objects + (cluster_objects(cluster) if cluster else []),
        _REPLICA.format(source=source, replica=replica),
        {"USER3": monitor_file(bench.directory / f"{name}-monitor.cnf"), "USER4": plugins}))


def cluster_objects(cluster):
    """Write the examples' objects of a cluster without a virtual IP beside its file, which takes the
    place of the examples' files; return their paths."""
    paths = []
    for name in ("cluster.cfg", "failover.cfg"):
        text = re.sub(r"^# Without a virtual IP.*?^}\n", "", (EXAMPLES / name).read_text(),
                      flags=re.DOTALL | re.MULTILINE)
        text, count = re.subn(r"!/etc/\S*\.conf$", f"!{cluster}", text, flags=re.MULTILINE)
        assert count >= 2
        paths.append(Path(cluster).with_name(name))
        paths[-1].write_text(text)
    return paths


def monitor_file(path, *more_lines):
    """Write an option file of the monitoring account that only we can read; return its path."""
    path.touch(mode=0o600)
    lines = ["[client]", f"user={MONITOR_USER}", f"password={MONITOR_PASSWORD}", *more_lines]
    path.write_text("\n".join(lines) + "\n")
    return path


def _program():
    """Return the path of the Nagios binary."""
    return cache.nagios_root() / "usr/sbin/nagios4"


def kill_session(session):
    """Kill every process of a session; return whether there was one."""
    return _kill(lambda _, of_session: of_session == session)


def kill_children():
    """Kill every child of this process."""
    _kill(lambda parent, _: parent == os.getpid())


def _kill(is_meant):
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if is_meant(int(parent), int(session)) and state != "Z":
            members.append(int(stat.parent.name))
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(members)
