// SPDX-License-Identifier: MIT
// The statements that change replication, and other statements that differ, in each flavour's and
// version's words. Pure text; the planner decides when they are run. Sources: MySQL manual, "SQL
// Statements for Controlling Replica Servers"; MariaDB Knowledge Base, "Replication Commands".

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/server_event.h"
#include "common/mysql/version.h"

namespace ha {

// Each returns one statement; `channel` is empty for the default channel.
std::string stop_receiver(const Version& version, std::string_view channel);
std::string start_receiver(const Version& version, std::string_view channel);
std::string stop_applier(const Version& version, std::string_view channel);
std::string start_applier(const Version& version, std::string_view channel);
std::string start_replication(const Version& version, std::string_view channel);
std::string stop_replication(const Version& version, std::string_view channel);
// Makes the server forget that it was a replica, relay logs included.
std::string forget_source(const Version& version, std::string_view channel);

// Throws away the server's own binlogs, and with them the GTIDs that it has.
std::string forget_binlogs(const Version& version);

// Where a channel begins in its source's binlog, as SQL: a quoted name and a number.
struct LogPosition {
  std::string file, offset;
};

LogPosition log_position(const BinlogPosition& position);

// What a server needs that never followed another. The password is SQL too.
struct ReplicationLogin {
  std::string user, password;
  ChannelTls tls = {};
  ChannelRetry retry = {};
};

// Points a channel to another source and keeps its account and TLS settings, unless there is a
// `login`. Without a `position` the channel asks by GTID.
std::string follow(const Version& version, std::string_view channel, std::string_view host,
                   unsigned port, const std::optional<LogPosition>& position,
                   const std::optional<ReplicationLogin>& login = {}, double delay_s = 0);

// Changes the delay of a channel and keeps what it has received. MySQL: its applier is stopped, its
// receiver is not. MariaDB: both are, and `relay` is where its applier stands in the relay log; the
// channel asks by position then.
std::string set_delay(const Version& version, std::string_view channel, double delay_s,
                      const LogPosition& relay);

// The same on MariaDB for a channel that asks by GTID, which gets anew what it has not applied.
std::string set_delay_by_gtid(const Version& version, std::string_view channel, double delay_s);

// Lets a channel, whose threads are stopped, hear of its source at least so often.
std::string set_heartbeat(const Version& version, std::string_view channel, double period_s);

// Makes MariaDB's replication begin after the server's own transactions, which only a server that
// was the primary needs.
std::string begin_after_own_transactions();

// Opens the server for writes, or closes it for all accounts that it can be closed for.
std::string make_writable(const Version& version);
std::string make_read_only(const Version& version);

// Statements after which no account can write, administrators included; on MariaDB only as long as
// the session lives. Clients' connections are to be ended after the first.
std::vector<std::string> block_writers(const Version& version);

// Return the settings of a session that copies: it may be idle for a day, its statements are long,
// and what a dump creates was allowed once; and of one that counts rows, in UTC.
std::vector<std::string> settings_for_copying(const Version& version);
std::vector<std::string> settings_for_counting(const Version& version);

// Counts the workers that are applying what a channel has received; on MariaDB those of all
// channels.
std::string count_busy_workers(const Version& version, std::string_view channel);

// Asks in which state an applier waits that ends only when another client does something, and which
// connection (id, user, host) has the lock that it waits for; no row: none. MariaDB tells the lock
// only with a plugin: the oldest open transaction may have it, else the longest connection.
std::string ask_applier_wait(const Version& version);
std::string ask_lock_holder(const Version& version);

// Return one statement. Without its definer the event would become ours.
std::string disable_on_replica(const Version& version, const ServerEvent& event);
std::string enable(const ServerEvent& event);

}  // namespace ha
