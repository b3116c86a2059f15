# SPDX-License-Identifier: MIT
"""The databases of monitoring engines, with their real tables, and writers that do as they do.

Where Debian packages an engine, its tables are made by the statements of that package, unpacked
into the cache; the other tables are written down here with the types and defaults of the original.
"""

import gzip
import hashlib
import re
import subprocess

import cache

PACKAGES = ("icinga2-ido-mysql", "zabbix-server-mysql", "icingadb")
SCHEMAS = {"ido": "usr/share/icinga2-ido-mysql/schema/mysql.sql",
           "zabbix": "usr/share/zabbix-server-mysql/schema.sql.gz",
           "icingadb": "usr/share/icingadb/schema/mysql/schema.sql"}

# nagios-1.4.1, contrib/database/create_mysql
NAGIOS1 = """CREATE TABLE {prefix}programstatus (
    last_update datetime DEFAULT '0000-00-00 00:00:00' NOT NULL,
    program_start datetime DEFAULT '0000-00-00 00:00:00' NOT NULL,
    daemon_mode tinyint(4) DEFAULT '0' NOT NULL,
    nagios_pid int(11) DEFAULT '0' NOT NULL,
    last_command_check datetime DEFAULT '0000-00-00 00:00:00' NOT NULL,
    last_log_rotation datetime DEFAULT '0000-00-00 00:00:00' NOT NULL,
    execute_service_checks tinyint(4) DEFAULT '0' NOT NULL,
    accept_passive_service_checks tinyint(4) DEFAULT '0' NOT NULL,
    enable_event_handlers tinyint(4) DEFAULT '0' NOT NULL,
    obsess_over_services tinyint(4) DEFAULT '0' NOT NULL,
    enable_flap_detection tinyint(4) DEFAULT '0' NOT NULL,
    enable_notifications tinyint(4) DEFAULT '0' NOT NULL,
    enable_failure_prediction tinyint(4) DEFAULT '0' NOT NULL,
    process_performance_data tinyint(4) DEFAULT '0' NOT NULL)"""

# NDOUtils, db/mysql.sql
NDO = ("""CREATE TABLE {prefix}instances (
    instance_id smallint(6) NOT NULL auto_increment PRIMARY KEY,
    instance_name varchar(64) NOT NULL default '',
    instance_description varchar(128) NOT NULL default '') ENGINE=MyISAM""",
       """CREATE TABLE {prefix}programstatus (
    programstatus_id int(11) NOT NULL auto_increment PRIMARY KEY,
    instance_id smallint(6) NOT NULL default '0',
    status_update_time datetime NOT NULL default '0000-00-00 00:00:00',
    program_start_time datetime NOT NULL default '0000-00-00 00:00:00',
    program_end_time datetime NOT NULL default '0000-00-00 00:00:00',
    is_currently_running smallint(6) NOT NULL default '0',
    process_id int(11) NOT NULL default '0',
    daemon_mode smallint(6) NOT NULL default '0',
    last_command_check datetime NOT NULL default '0000-00-00 00:00:00',
    last_log_rotation datetime NOT NULL default '0000-00-00 00:00:00',
    notifications_enabled smallint(6) NOT NULL default '0',
    active_service_checks_enabled smallint(6) NOT NULL default '0',
    passive_service_checks_enabled smallint(6) NOT NULL default '0',
    active_host_checks_enabled smallint(6) NOT NULL default '0',
    passive_host_checks_enabled smallint(6) NOT NULL default '0',
    event_handlers_enabled smallint(6) NOT NULL default '0',
    flap_detection_enabled smallint(6) NOT NULL default '0',
    failure_prediction_enabled smallint(6) NOT NULL default '0',
    process_performance_data smallint(6) NOT NULL default '0',
    obsess_over_hosts smallint(6) NOT NULL default '0',
    obsess_over_services smallint(6) NOT NULL default '0',
    modified_host_attributes int(11) NOT NULL default '0',
    modified_service_attributes int(11) NOT NULL default '0',
    global_host_event_handler varchar(255) NOT NULL default '',
    global_service_event_handler varchar(255) NOT NULL default '',
    UNIQUE KEY instance_id (instance_id)) ENGINE=MyISAM""")

# Pandora FMS, pandora_console/pandoradb.sql; {stamp} is a column of newer versions only
PANDORA = """CREATE TABLE {prefix}tserver (
    id_server INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL DEFAULT '', ip_address VARCHAR(100) NOT NULL DEFAULT '',
    status INT NOT NULL DEFAULT 0, laststart DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00',
    keepalive DATETIME NOT NULL DEFAULT '1970-01-01 00:00:00',
    snmp_server TINYINT UNSIGNED NOT NULL DEFAULT 0,
    master TINYINT UNSIGNED NOT NULL DEFAULT 0,
    server_type TINYINT UNSIGNED NOT NULL DEFAULT 0,
    version VARCHAR(25) NOT NULL DEFAULT '', server_keepalive INT NOT NULL DEFAULT 0,
    stat_utimestamp BIGINT NOT NULL DEFAULT 0 {stamp}) ENGINE=InnoDB"""

# pt-heartbeat --create-table
PT_HEARTBEAT = """CREATE TABLE heartbeat (
    ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY,
    file VARCHAR(255) DEFAULT NULL, position BIGINT UNSIGNED DEFAULT NULL,
    relay_master_log_file VARCHAR(255) DEFAULT NULL,
    exec_master_log_pos BIGINT UNSIGNED DEFAULT NULL)"""


def packaged_table(engine, table):
    """Return the statement with which Debian's package of an engine creates one of its tables."""
    def build(scratch):
        subprocess.run(["apt-get", "-qq", "download", *PACKAGES], cwd=scratch, check=True,
                       capture_output=True)
        for package in scratch.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, scratch], check=True)
            package.unlink()
    path = cache.prepared("engine-schemas", build) / SCHEMAS[engine]
    text = (gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="utf-8")).read()
    return re.search(rf"^CREATE TABLE [^\n]*`?\b{table}`? \(.*?;$", text, re.S | re.M)[0].rstrip(";")


def _hash(text, size):
    """Return that many bytes, in hexadecimal, which stand for the text."""
    return hashlib.sha1(text.encode()).hexdigest()[:2 * size]


class Engine:
    """The database of one engine on one server; each preset is a subclass."""
    preset: str
    database: str
    prefix = ""
    # Whether a stamp is a moment, or a local time of the session that wrote it.
    instant = True
    # The time that the server shows to the engine, epoch seconds; None: its own.
    clock = None

    def __init__(self, server, database=None, prefix=None):
        self.server = server
        self.database = database or self.database
        self.prefix = self.prefix if prefix is None else prefix
        self.sql(f"CREATE DATABASE {self.database}", database=None)
        self.sql(*(statement.format(prefix=self.prefix) for statement in self.tables()))

    def options(self):
        """Return the options that make check_heartbeat read this database."""
        return ["--preset", self.preset]

    def sql(self, *statements, zone=None, **arguments):
        """Run statements as the engine does: in its database, in its time zone."""
        arguments = {"database": self.database, **arguments}
        zone = [f"SET time_zone = '{zone}'"] if zone else []
        if self.clock is not None:
            zone.append(f"SET timestamp = {self.clock}")
        # The zero dates of these schemas are from before strict modes.
        return self.server.sql("SET sql_mode = ''", *zone, *statements, **arguments)

    def tables(self):
        """Return the statements that create the tables."""
        raise NotImplementedError

    def beat(self, age_s=0, **fields):
        """Write the heartbeat, as old as wanted."""
        raise NotImplementedError

    def stop(self):
        """Do what a clean stop does."""
        raise NotImplementedError

    def vanish(self):
        """Remove every row."""
        self.sql(f"DELETE FROM {self.prefix}{self.table}")


class Nagios1(Engine):
    preset, database, table, instant = "nagios1", "nagios", "programstatus", False

    def tables(self):
        return [NAGIOS1]

    def beat(self, age_s=0, notifications=1, checks=1, zone=None):
        self.sql(f"DELETE FROM {self.prefix}programstatus",
                 f"INSERT INTO {self.prefix}programstatus SET "
                 f"last_update = FROM_UNIXTIME(UNIX_TIMESTAMP() - {age_s}), "
                 f"enable_notifications = {notifications}, execute_service_checks = {checks}",
                 zone=zone)

    stop = Engine.vanish


class Ndo(Engine):
    preset, database, prefix, table, instant = "ndo", "nagios", "nagios_", "programstatus", False
    instances = ("default",)

    def tables(self):
        return [*NDO, *(f"INSERT INTO {{prefix}}instances VALUES ({number}, '{name}', '')"
                        for number, name in enumerate(self.instances, 1))]

    def beat(self, age_s=0, notifications=1, checks=1, instance=1, running=1, zone=None):
        fields = (f"status_update_time = FROM_UNIXTIME(UNIX_TIMESTAMP() - {age_s}), "
                  f"is_currently_running = {running}, notifications_enabled = {notifications}, "
                  f"active_service_checks_enabled = {checks}")
        self.sql(f"INSERT INTO {self.prefix}programstatus SET instance_id = {instance}, {fields} "
                 f"ON DUPLICATE KEY UPDATE {fields}", zone=zone)

    def stop(self):
        self.sql(f"UPDATE {self.prefix}programstatus "
                 "SET program_end_time = NOW(), is_currently_running = 0")


class Ido(Engine):
    preset, database, prefix, table = "ido", "icinga", "icinga_", "programstatus"

    def tables(self):
        return [*(packaged_table("ido", f"icinga_{name}").replace("icinga_", "{prefix}", 1)
                  for name in ("instances", "programstatus")),
                "INSERT INTO {prefix}instances (instance_id, instance_name) VALUES (1, 'default')"]

    def beat(self, age_s=0, notifications=1, checks=1, endpoint="m1", running=1, zone="+00:00"):
        self.sql(f"DELETE FROM {self.prefix}programstatus WHERE instance_id = 1",
                 f"INSERT INTO {self.prefix}programstatus SET instance_id = 1, "
                 f"status_update_time = FROM_UNIXTIME(UNIX_TIMESTAMP() - {age_s}), "
                 f"endpoint_name = '{endpoint}', is_currently_running = {running}, "
                 f"notifications_enabled = {notifications}, "
                 f"active_service_checks_enabled = {checks}", zone=zone)

    def stop(self):
        self.sql(f"UPDATE {self.prefix}programstatus SET is_currently_running = 0, "
                 "program_end_time = NOW(), process_id = NULL")


class IcingaDb(Engine):
    preset, database, table = "icingadb", "icingadb", "icingadb_instance"

    def tables(self):
        return [packaged_table("icingadb", "endpoint"),
                packaged_table("icingadb", "environment"),
                packaged_table("icingadb", "icingadb_instance")]

    def beat(self, age_s=0, endpoint="m1", responsible="y", identity=None, environment="one"):
        self.sql(f"REPLACE INTO endpoint (id, name, name_ci) "
                 f"VALUES (X'{_hash(endpoint, 20)}', '{endpoint}', '{endpoint}')",
                 f"REPLACE INTO environment (id, name) "
                 f"VALUES (X'{self.id_of(environment)}', '{environment}')",
                 f"REPLACE INTO icingadb_instance (id, environment_id, endpoint_id, heartbeat, "
                 f"responsible) VALUES (X'{_hash((identity or endpoint) + environment, 16)}', "
                 f"X'{self.id_of(environment)}', X'{_hash(endpoint, 20)}', "
                 f"(UNIX_TIMESTAMP() - {age_s}) * 1000, '{responsible}')")

    @staticmethod
    def id_of(environment):
        """Return the id of an environment, as people write it."""
        return _hash(environment, 20)

    stop = Engine.vanish


class Zabbix(Engine):
    preset, database, table = "zabbix", "zabbix", "ha_node"
    STANDBY, STOPPED, UNAVAILABLE, ACTIVE = range(4)

    def tables(self):
        return [packaged_table("zabbix", "ha_node")]

    def beat(self, age_s=0, name="", status=ACTIVE):
        self.sql(f"REPLACE INTO ha_node (ha_nodeid, name, lastaccess, status) VALUES "
                 f"('{_hash(name, 12)}', '{name}', UNIX_TIMESTAMP() - {age_s}, {status})")

    def stop(self):
        self.sql(f"UPDATE ha_node SET status = {self.STOPPED}")


class Pandora(Engine):
    preset, database, table = "pandora", "pandora", "tserver"
    instant = False
    stamp = ""

    def tables(self):
        return [PANDORA.replace("{stamp}", self.stamp)]

    def beat(self, age_s=0, name="pfms1", kind=0, status=1, master=1, zone=None):
        self.sql(f"DELETE FROM tserver WHERE name = '{name}' AND server_type = {kind}",
                 f"INSERT INTO tserver SET name = '{name}', server_type = {kind}, "
                 f"status = {status}, master = {master}, {self._stamp(age_s)} "
                 f"keepalive = FROM_UNIXTIME(UNIX_TIMESTAMP() - {age_s})", zone=zone)

    def _stamp(self, _age_s):
        return ""

    def stop(self):
        self.sql("UPDATE tserver SET status = 0")


class NewPandora(Pandora):
    """With the column that is exact in any zone."""
    instant = True
    stamp = ", server_keepalive_utimestamp BIGINT NOT NULL DEFAULT 0"

    def _stamp(self, age_s):
        return f"server_keepalive_utimestamp = UNIX_TIMESTAMP() - {age_s},"


class PtHeartbeat(Engine):
    preset, database, table, instant = "pt-heartbeat", "heartbeat", "heartbeat", False

    def tables(self):
        return [PT_HEARTBEAT]

    def beat(self, age_s=0, server_id=1, clock="NOW(6)", form="%Y-%m-%dT%H:%i:%s.%f", zone=None):
        self.sql("REPLACE INTO heartbeat (ts, server_id) VALUES "
                 f"(DATE_FORMAT({clock} - INTERVAL {age_s} SECOND, '{form}'), {server_id})",
                 zone=zone)


ENGINES = (Nagios1, Ndo, Ido, IcingaDb, Zabbix, Pandora, NewPandora, PtHeartbeat)
