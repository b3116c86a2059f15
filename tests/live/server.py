# SPDX-License-Identifier: MIT
"""One throwaway MariaDB or MySQL server: start, ask, break, and put into replication.

Both flavours answer to the same methods; the spelling of each stands in its class at the end of the
file. A server belongs to a Bench (servers.py), which chooses its port and ends its process.
"""

import concurrent.futures
import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import threading
import time

import pymysql

import cache

REPLICATION_USER = "replication"
REPLICATION_PASSWORD = "replication-secret"
MONITOR_USER = "monitor"
MONITOR_PASSWORD = "monitor-secret"
MANAGER_USER = "manager"
MANAGER_PASSWORD = "manager-secret"

# A server dies with its parent *thread* (PR_SET_PDEATHSIG), so one thread that lives as long as
# this program starts them all: a test may start servers from threads that end before the server.
_spawner = concurrent.futures.ThreadPoolExecutor(max_workers=1)


def wait_until(condition, timeout=20.0, what=None):
    """Return the first true value of condition(); raise TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s in vain for {what or condition}: {value!r}")
        time.sleep(0.02)


def spawn(command, log, directory):
    """Start a process in a session of its own that the kernel kills when this program ends."""
    with open(log, "ab") as output:
        return _spawner.submit(
            subprocess.Popen, ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory,
            start_new_session=True).result()


@contextlib.contextmanager
def uninterrupted():
    """Put off Ctrl-C and requests to end until the end of the block: a process whose start was
    interrupted before its id was noted could not be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []
    previous = {number: signal.signal(number, lambda which, _: came.append(which))
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for number in came:  # Also when the block failed: on a terminal Ctrl-C ends what it runs too.
            signal.raise_signal(number)


@dataclasses.dataclass
class Channel:
    """One row of the replication status, under the same names for both flavours."""
    name: str
    io: str  # Yes, No, Connecting
    sql: str  # Yes, No
    lag: int | None
    source_host: str
    source_port: int
    source_position: tuple  # (file, position) in the source's binary log, as far as applied
    io_errno: int
    io_error: str
    sql_errno: int
    sql_error: str
    delay: int
    row: dict  # as the server sent it


class Server:
    """A server process with a data directory, a port and a socket that stay over restarts."""
    flavour: str
    monitor_grants: tuple  # what the README asks an administrator to grant
    manager_grants: tuple  # what the man page of mysql_ha asks for

    def __init__(self, name, directory, port, options=(), tls=None):
        self.name = name
        self.directory = directory
        self.host = "127.0.0.1"
        self.port = port
        self.server_id = port  # distinct on this machine, and easy to recognise in a log
        self.socket = f"{directory}/sock"
        self.datadir = f"{directory}/data"
        self.log = f"{directory}/log"
        self.options = list(options)
        self.tls = tls  # Certificate, False for none, None for what a new installation offers
        self.inside = []  # command that starts it elsewhere, such as in a Machine of lan.py
        self.process = None

    # The process

    def start(self, wait=True):
        """Start the process; the first time on a new data directory with the replication user."""
        new = not os.path.exists(self.datadir)
        template = self._template() if new else None
        command = [*self.inside, *self._command(), *self._common_options(), *self._tls_options(), *self.options]
        with uninterrupted():
            if new:
                os.makedirs(self.directory, exist_ok=True)
                subprocess.run(["cp", "-a", "--sparse=always", template, self.datadir],
                               check=True, timeout=60)
            self.process = spawn(command, self.log, self.directory)
        self._is_new = new
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=60.0):
        """Wait until the server answers; raise RuntimeError with its log when it ends instead."""
        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended at its start:{self.log_tail()}")
            try:
                return self.sql("SELECT 1 AS one")
            except pymysql.err.OperationalError:
                return None
        wait_until(answers, timeout, f"{self.name} to answer")
        if self._is_new:
            self._is_new = False
            self.create_user(REPLICATION_USER, REPLICATION_PASSWORD, ["REPLICATION SLAVE ON *.*"])
        return self

    @property
    def running(self):
        """Tell whether the process exists (a frozen one does)."""
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=60.0):
        """Shut the server down as an administrator would."""
        self._end(signal.SIGTERM, timeout)

    def kill(self):
        """End the server as a crash would; the data directory stays for a later start()."""
        self._end(signal.SIGKILL, 20.0)

    def freeze(self):
        """Stop every thread of the server; the kernel still accepts connections for it."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Let a frozen server go on."""
        self.process.send_signal(signal.SIGCONT)

    def _end(self, number, timeout):
        if self.running:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(timeout)

    def log_tail(self):
        """Return the end of the server's error log, for the message of a failure."""
        return f"\nerror log of {self.name}:\n{self.log_text()[-3000:]}"

    def log_text(self):
        """Return the server's error log."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    # SQL

    def connect(self, timeout=10.0, **arguments):
        """Open a session, as root through the socket unless pymysql arguments say otherwise."""
        settings = {"unix_socket": self.socket, "user": "root", "autocommit": True,
                    "charset": "utf8mb4", "cursorclass": pymysql.cursors.DictCursor,
                    "connect_timeout": timeout, "read_timeout": timeout, "write_timeout": timeout}
        return pymysql.connect(**{**settings, **arguments})

    def sql(self, *statements, **arguments):
        """Run statements in one new session; return the rows of the last one as dictionaries."""
        with self.connect(**arguments) as session, session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def value(self, expression):
        """Return the value of one SQL expression."""
        return self.sql(f"SELECT {expression} AS value")[0]["value"]

    def create_user(self, name, password, grants=(), require=""):
        """Create an account on this server alone (it is not replicated); grants end in `ON x.y`."""
        account = f"'{name}'@'%'"
        self.sql("SET SESSION sql_log_bin = 0",
                 f"CREATE USER {account} IDENTIFIED BY '{password}' {require}",
                 *(f"GRANT {grant} TO {account}" for grant in grants))

    def create_monitor(self, *more_grants):
        """Create the account that the README describes for monitoring."""
        self.create_user(MONITOR_USER, MONITOR_PASSWORD, [*self.monitor_grants, *more_grants])

    def create_manager(self):
        """Create the account that mysql_ha's man page describes."""
        self.create_user(MANAGER_USER, MANAGER_PASSWORD, self.manager_grants)

    # Replication

    def channels(self):
        """Return every replication channel of this server."""
        return [self._channel(row) for row in self.sql(self._show_channels)]

    def channel(self, name=""):
        """Return one channel, or None."""
        return next((c for c in self.channels() if c.name == name), None)

    def position(self):
        """Return (file, position) of the end of this server's binary log."""
        row = self.sql(self._show_position)[0]
        return row["File"], int(row["Position"])

    def start_replication(self, channel="", thread="", until=""):
        """Start both threads, or thread IO or SQL, of one channel."""
        self._replication("START", channel, thread, until)

    def stop_replication(self, channel="", thread=""):
        """Stop both threads, or thread IO or SQL, of one channel."""
        self._replication("STOP", channel, thread, "")

    def wait_channel(self, channel="", timeout=20.0, **expected):
        """Wait until the channel's fields have these values; return it. E.g. io="Yes", sql="No"."""
        def matches():
            found = self.channel(channel)
            good = found and all(getattr(found, k) == v for k, v in expected.items())
            return found if good else None
        try:
            return wait_until(matches, timeout)
        except TimeoutError:
            raise TimeoutError(f"{self.name} channel '{channel}': wanted {expected} in {timeout} s, "
                               f"have {self.channel(channel)}") from None

    def wait_caught_up(self, source, channel="", timeout=20.0):
        """Wait until everything that `source` has written by now is applied here."""
        end = source.position()
        wait_until(lambda: self.channel(channel).source_position >= end, timeout,
                   f"{self.name} to apply {source.name} up to {end}")

    def start_over(self):
        """Forget all replication, binary logs and GTIDs, drop the database shop; accept writes."""
        for channel in self.channels():
            self.stop_replication(channel.name)
        self.sql(*self._start_over)

    def waits_for_replicas(self):
        """Tell whether this server, as a semi-sync source, has not gone back to asynchronous."""
        states = self.sql("SHOW GLOBAL STATUS LIKE 'rpl_semi_sync_%_status'")
        return any(row["Value"] == "ON" for row in states
                   if row["Variable_name"].split("_")[3] in ("master", "source"))

    # The flavours differ in these

    def _template(self):
        raise NotImplementedError

    def _command(self):
        raise NotImplementedError

    def _tls_options(self):
        if not self.tls:
            return []
        return [f"--ssl-ca={self.tls.ca}", f"--ssl-cert={self.tls.cert}", f"--ssl-key={self.tls.key}"]

    def _common_options(self):
        return [f"--datadir={self.datadir}", f"--socket={self.socket}", f"--port={self.port}",
                f"--bind-address={self.host}", f"--pid-file={self.directory}/pid",
                # Beside servers in process id namespaces of their own, names by process id are not unique.
                f"--tmpdir={self.directory}",
                f"--server-id={self.server_id}", f"--report-host={self.host}",
                f"--report-port={self.port}", "--log-bin=binlog", "--relay-log=relay",
                "--skip-name-resolve", "--innodb-buffer-pool-size=16M", "--sync-binlog=0",
                "--innodb-flush-log-at-trx-commit=2", "--secure-file-priv="]


class MariaDb(Server):
    """MariaDB as Debian packages it."""
    flavour = "mariadb"
    monitor_grants = ("REPLICA MONITOR ON *.*",)
    manager_grants = ("REPLICA MONITOR, BINLOG MONITOR, REPLICATION SLAVE, REPLICATION SLAVE ADMIN, "
                      "REPLICATION MASTER ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN, RELOAD, PROCESS "
                      "ON *.*",)
    _show_channels = "SHOW ALL SLAVES STATUS"
    _show_position = "SHOW MASTER STATUS"
    _innodb = ["--innodb-log-file-size=8M"]
    _install = ["mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db",
                "--auth-root-authentication-method=normal", "--skip-name-resolve", *_innodb]
    _start_over = ("RESET SLAVE ALL", "SET GLOBAL read_only = OFF", "SET SESSION sql_log_bin = 0",
                   "DROP DATABASE IF EXISTS shop", "RESET MASTER", "SET GLOBAL gtid_slave_pos = ''")

    def _template(self):
        def build(scratch):
            subprocess.run([*self._install, f"--datadir={scratch}/data"], check=True,
                           stdout=subprocess.DEVNULL)
        version = _version(["mariadbd"])
        return f"{cache.prepared(f'mariadb-{version}-template', build)}/data"

    def _command(self):
        return ["mariadbd", "--no-defaults", "--user=root", *self._innodb, "--log-slave-updates",
                "--binlog-format=ROW", "--aria-pagecache-buffer-size=1M", "--key-buffer-size=1M"]

    def _tls_options(self):
        return ["--skip-ssl"] if self.tls is False else super()._tls_options()

    def change_source(self, source_host, source_port, channel="", *, gtid=True, position=None,
                      delay=0, heartbeat_period=None, tls_ca=None, user=REPLICATION_USER,
                      password=REPLICATION_PASSWORD):
        """Point a connection to its source without starting it; see replicate() in servers.py."""
        fields = {"MASTER_HOST": source_host, "MASTER_PORT": source_port, "MASTER_USER": user,
                  "MASTER_PASSWORD": password, "MASTER_CONNECT_RETRY": 1, "MASTER_DELAY": delay}
        if gtid:
            fields["MASTER_USE_GTID"] = _Bare("slave_pos")
        else:
            fields |= {"MASTER_USE_GTID": _Bare("no"), "MASTER_LOG_FILE": position[0],
                       "MASTER_LOG_POS": position[1]}
        if heartbeat_period is not None:
            fields["MASTER_HEARTBEAT_PERIOD"] = heartbeat_period
        if tls_ca:
            fields |= {"MASTER_SSL": 1, "MASTER_SSL_CA": str(tls_ca),
                       "MASTER_SSL_VERIFY_SERVER_CERT": 1}
        if self.tls is False:
            fields["MASTER_SSL"] = 0
        self.sql(f"CHANGE MASTER '{channel}' TO {_assignments(fields)}")

    def enable_semi_sync(self, timeout_ms=10000):
        """Make this server wait, as a source, for one replica; and acknowledge, as a replica."""
        self.sql(f"SET GLOBAL rpl_semi_sync_master_timeout = {timeout_ms}",
                 "SET GLOBAL rpl_semi_sync_master_enabled = ON",
                 "SET GLOBAL rpl_semi_sync_slave_enabled = ON")

    def disable_semi_sync(self):
        """Wait for nobody any more, and acknowledge nothing."""
        # MariaDB waits for its thread that reads acknowledgements to end.
        self.sql("SET GLOBAL rpl_semi_sync_master_enabled = OFF",
                 "SET GLOBAL rpl_semi_sync_slave_enabled = OFF", timeout=30)

    def set_semi_sync_timeout(self, timeout_ms):
        """Set how long this server waits, as a source, before it goes on without a replica."""
        self.sql(f"SET GLOBAL rpl_semi_sync_master_timeout = {timeout_ms}")

    def _replication(self, verb, channel, thread, until):
        self.sql(f"{verb} SLAVE '{channel}' {thread and thread + '_THREAD'} {until and 'UNTIL'} {until}")

    def _channel(self, row):
        return Channel(row["Connection_name"], row["Slave_IO_Running"], row["Slave_SQL_Running"],
                       row["Seconds_Behind_Master"], row["Master_Host"], row["Master_Port"],
                       (row["Relay_Master_Log_File"], int(row["Exec_Master_Log_Pos"])),
                       row["Last_IO_Errno"], row["Last_IO_Error"], row["Last_SQL_Errno"],
                       row["Last_SQL_Error"], row["SQL_Delay"], row)


class NewestMariaDb(MariaDb):
    """MariaDB as Debian unstable packages it."""

    def _template(self):
        def build(scratch):
            # The script finds its programs only where they are installed; --force: no host has a name
            # there.
            subprocess.run(["unshare", "--mount", "sh", "-ec",
                            'mount --bind "$0" "$1/mnt"; exec chroot "$@"', scratch,
                            cache.mariadb_root(), *self._install, "--force",
                            "--datadir=/mnt/data"], check=True, stdout=subprocess.DEVNULL)
        version = _version(cache.mariadb_command("mariadbd"))
        return f"{cache.prepared(f'mariadb-{version}-template', build)}/data"

    def _command(self):
        program, *options = super()._command()
        return [*cache.mariadb_command(program), *options, f"--basedir={cache.mariadb_root()}/usr"]


class MySql(Server):
    """MySQL as Debian unstable packages it."""
    flavour = "mysql"
    monitor_grants = ("REPLICATION CLIENT ON *.*", "SELECT ON performance_schema.*")
    manager_grants = ("REPLICATION CLIENT, REPLICATION SLAVE, REPLICATION_SLAVE_ADMIN, "
                      "SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, SYSTEM_USER, RELOAD, PROCESS "
                      "ON *.*",
                      "SELECT ON performance_schema.*")
    _show_channels = "SHOW REPLICA STATUS"
    _show_position = "SHOW BINARY LOG STATUS"
    # With less, a server that takes in a large copy can end for want of a free redo log file.
    _innodb = ["--innodb-redo-log-capacity=64M"]
    _start_over = ("RESET REPLICA ALL", "SET GLOBAL read_only = OFF", "SET SESSION sql_log_bin = 0",
                   "DROP DATABASE IF EXISTS shop", "RESET BINARY LOGS AND GTIDS")

    def start_over(self):
        # An applier that has come to half a transaction waits a minute for the rest before it stops.
        for row in self.sql("SELECT PROCESSLIST_ID AS id FROM performance_schema.replication_applier"
                            "_status_by_coordinator JOIN performance_schema.threads USING (THREAD_ID)"):
            with contextlib.suppress(pymysql.err.OperationalError):  # It has ended by itself.
                self.sql(f"KILL {row['id']}")
        super().start_over()

    def _template(self):
        def build(scratch):
            with open(scratch / "log", "wb") as log:
                subprocess.run([*self._command(), "--initialize-insecure",
                                f"--datadir={scratch}/data"], check=True, stdout=log, stderr=log)
            os.remove(scratch / "data/auto.cnf")  # Holds the server's UUID: each copy gets its own.
        version = _version(cache.mysql_command("mysqld"))
        return f"{cache.prepared(f'mysql-{version}-template', build)}/data"

    def _command(self):
        root = cache.mysql_root()
        return [*cache.mysql_command("mysqld"), "--no-defaults", "--user=root",
                f"--basedir={root}/usr", f"--plugin-dir={root}/usr/lib/mysql/plugin",
                f"--lc-messages-dir={root}/usr/share/mysql",
                f"--character-sets-dir={root}/usr/share/mysql/charsets", *self._innodb,
                "--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]

    def _tls_options(self):
        return ["--tls-version="] if self.tls is False else super()._tls_options()

    def change_source(self, source_host, source_port, channel="", *, gtid=True, position=None,
                      delay=0, heartbeat_period=None, tls_ca=None, user=REPLICATION_USER,
                      password=REPLICATION_PASSWORD):
        """Point a channel to its source without starting it; see replicate() in servers.py."""
        fields = {"SOURCE_HOST": source_host, "SOURCE_PORT": source_port, "SOURCE_USER": user,
                  "SOURCE_PASSWORD": password, "SOURCE_CONNECT_RETRY": 1, "SOURCE_DELAY": delay,
                  "GET_SOURCE_PUBLIC_KEY": 1, "SOURCE_RETRY_COUNT": 86400}
        if gtid:
            fields["SOURCE_AUTO_POSITION"] = 1
        else:
            fields |= {"SOURCE_AUTO_POSITION": 0, "SOURCE_LOG_FILE": position[0],
                       "SOURCE_LOG_POS": position[1]}
        if heartbeat_period is not None:
            fields["SOURCE_HEARTBEAT_PERIOD"] = heartbeat_period
        if tls_ca:
            fields |= {"SOURCE_SSL": 1, "SOURCE_SSL_CA": str(tls_ca),
                       "SOURCE_SSL_VERIFY_SERVER_CERT": 1}
        self.sql(f"CHANGE REPLICATION SOURCE TO {_assignments(fields)} FOR CHANNEL '{channel}'")

    def enable_semi_sync(self, timeout_ms=10000):
        """Make this server wait, as a source, for one replica; and acknowledge, as a replica."""
        if not self.sql("SELECT 1 FROM information_schema.plugins"
                        " WHERE plugin_name = 'rpl_semi_sync_source'"):
            self.sql("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
                     "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'")
        self.sql(f"SET GLOBAL rpl_semi_sync_source_timeout = {timeout_ms}",
                 "SET GLOBAL rpl_semi_sync_source_enabled = ON",
                 "SET GLOBAL rpl_semi_sync_replica_enabled = ON")

    def disable_semi_sync(self):
        """Wait for nobody any more, and acknowledge nothing."""
        for role in ("source", "replica"):
            if self.sql(f"SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_{role}_enabled'"):
                self.sql(f"SET GLOBAL rpl_semi_sync_{role}_enabled = OFF")

    def set_semi_sync_timeout(self, timeout_ms):
        """Set how long this server waits, as a source, before it goes on without a replica."""
        self.sql(f"SET GLOBAL rpl_semi_sync_source_timeout = {timeout_ms}")

    def _replication(self, verb, channel, thread, until):
        self.sql(f"{verb} REPLICA {thread and thread + '_THREAD'} {until and 'UNTIL'} {until} "
                 f"FOR CHANNEL '{channel}'")

    def _channel(self, row):
        return Channel(row["Channel_Name"], row["Replica_IO_Running"], row["Replica_SQL_Running"],
                       row["Seconds_Behind_Source"], row["Source_Host"], row["Source_Port"],
                       (row["Relay_Source_Log_File"], int(row["Exec_Source_Log_Pos"])),
                       row["Last_IO_Errno"], row["Last_IO_Error"], row["Last_SQL_Errno"],
                       row["Last_SQL_Error"], row["SQL_Delay"], row)


class _Bare(str):
    """A word of SQL, not a string value."""


def _assignments(fields):
    """Return `NAME = value, ...` with strings quoted."""
    return ", ".join(f"{k} = '{v}'" if isinstance(v, str) and not isinstance(v, _Bare)
                     else f"{k} = {v}" for k, v in fields.items())


def _version(command):
    """Return the version number that a server program reports."""
    text = subprocess.run([*command, "--no-defaults", "--version"], check=True, text=True,
                          capture_output=True).stdout
    return re.search(r"Ver (\d+\.\d+\.\d+)", text)[1]
