// SPDX-License-Identifier: MIT
#include "common/mysql/replica_status.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

// Reads the cells of one channel and remembers the first that could not be read.
class ChannelReader {
 public:
  ChannelReader(const Row& row, const Spelling& words) : row_(row), words_(words) {}

  // `column` may hold {r} or {s} for the flavour's word for replica or source.
  std::string spell(std::string_view column) const {
    std::string name(column);
    if (const std::size_t at = column.find('{'); at != column.npos)
      name.replace(at, 3, column[at + 1] == 'r' ? words_.replica : words_.source);
    return name;
  }

  std::string text(std::string_view column) {
    const std::string name = spell(column);
    auto cell = row_.text(name);
    if (!cell && !row_.has(name)) fail(name, "is missing");
    return std::move(cell).value_or("");
  }

  // NULL is nullopt, anything else must be a number.
  std::optional<double> number(std::string_view column) {
    const std::string cell = text(column);
    if (cell.empty()) return std::nullopt;
    const auto value = parse_number(cell);
    if (!value) fail(spell(column), fmt::format("is not a number: '{}'", sanitize(cell)));
    return value;
  }

  std::uint64_t whole(std::string_view column) {
    const double value = number(column).value_or(0);
    return value < 0 || value > 1.8e19 ? 0 : static_cast<std::uint64_t>(value);
  }

  // What the thread says that it does, in lower case; no check fails for the want of it.
  std::string doing(std::string_view column) const {
    return to_lower(row_.text(spell(column)).value_or(""));
  }

  ReplicationThread thread(std::string_view state, std::string_view activity,
                           std::string_view kind) {
    ReplicationThread thread;
    const std::string word = text(state);
    if (word == "Yes")
      thread.state = ThreadState::kRunning;
    else if (word == "Connecting" || word == "Preparing")
      thread.state = ThreadState::kConnecting;
    else if (word != "No")
      fail(spell(state), fmt::format("is not Yes, No or Connecting: '{}'", sanitize(word)));
    thread.lacks_space = doing(activity).find("disk space") != std::string::npos;
    thread.error_number = static_cast<unsigned>(whole(fmt::format("Last_{}_Errno", kind)));
    thread.error = text(fmt::format("Last_{}_Error", kind));
    return thread;
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  void fail(std::string_view column, std::string_view what) {
    if (!error_)
      error_ = Error{Errc::kBadData,
                     fmt::format("{}: column {} {}", words_.show_replica_status, column, what)};
  }

  const Row& row_;
  const Spelling& words_;
  std::optional<Error> error_;
};

// Needed only to change replication; no check fails for the want of it.
void read_account(const Row& row, const ChannelReader& reader, ChannelStatus& channel) {
  const auto text = [&](std::string_view column) {
    return row.text(reader.spell(column)).value_or("");
  };
  channel.user = text("{s}_User");
  channel.tls = {to_lower(text("{s}_SSL_Allowed")) == "yes",
                 to_lower(text("{s}_SSL_Verify_Server_Cert")) == "yes",
                 text("{s}_SSL_CA_File"),
                 text("{s}_SSL_CA_Path"),
                 text("{s}_SSL_Cert"),
                 text("{s}_SSL_Key"),
                 text("{s}_SSL_Cipher")};
  const auto count = [&](std::string_view column) -> std::optional<unsigned> {
    const auto value = row.integer(reader.spell(column));
    return value && *value >= 0 ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
  };
  channel.retry = {count("Connect_Retry"), count("{s}_Retry_Count")};
  channel.applier_idle =
      reader.doing("{r}_SQL_Running_State").find("has read all relay log") != std::string::npos;
}

// These columns are of one flavour each, or empty.
void read_gtid_columns(const Row& row, std::string_view uuid_column, ChannelStatus& channel) {
  channel.source_uuid = to_lower(row.text(uuid_column).value_or(""));
  const std::string mariadb = to_lower(row.text("Using_Gtid").value_or("no"));
  channel.uses_gtid = row.integer("Auto_Position") == 1 || mariadb != "no";
  channel.received_gtids =
      row.text("Retrieved_Gtid_Set").value_or(row.text("Gtid_IO_Pos").value_or(""));
  for (const char* filter :
       {"Replicate_Do_DB", "Replicate_Ignore_DB", "Replicate_Do_Table", "Replicate_Ignore_Table",
        "Replicate_Wild_Do_Table", "Replicate_Wild_Ignore_Table", "Replicate_Rewrite_DB",
        "Replicate_Do_Domain_Ids", "Replicate_Ignore_Domain_Ids"})
    if (const std::string value = row.text(filter).value_or(""); !value.empty())
      channel.filters.push_back(std::string(filter) + "=" + value);
}

Result<ChannelStatus> read_channel(const Row& row, const Spelling& words) {
  ChannelReader reader(row, words);
  ChannelStatus channel;
  channel.name = row.text(words.channel_column).value_or("");  // absent before MySQL 5.7.6
  channel.source_host = reader.text("{s}_Host");
  channel.source_port = static_cast<unsigned>(reader.whole("{s}_Port"));
  if (const auto id = reader.number("{s}_Server_Id"); id && *id > 0 && *id <= 4294967295)
    channel.source_server_id = static_cast<std::uint32_t>(*id);
  channel.io = reader.thread("{r}_IO_Running", "{r}_IO_State", "IO");
  channel.sql = reader.thread("{r}_SQL_Running", "{r}_SQL_Running_State", "SQL");
  if (const std::string until = reader.text("Until_Condition"); to_lower(until) != "none")
    channel.until_condition = until;
  channel.until = {row.text("Until_Log_File").value_or(""),
                   static_cast<std::uint64_t>(row.integer("Until_Log_Pos").value_or(0))};
  channel.seconds_behind = reader.number("Seconds_Behind_{s}");
  channel.sql_delay_s = reader.number("SQL_Delay").value_or(0);
  channel.relay_log_space = reader.number("Relay_Log_Space");
  channel.read = {reader.text("{s}_Log_File"), reader.whole("Read_{s}_Log_Pos")};
  channel.executed = {reader.text("Relay_{s}_Log_File"), reader.whole("Exec_{s}_Log_Pos")};
  channel.relay = {row.text("Relay_Log_File").value_or(""),
                   static_cast<std::uint64_t>(row.integer("Relay_Log_Pos").value_or(0))};
  read_account(row, reader, channel);
  channel.heartbeat_period_s = row.number("Slave_heartbeat_period");
  if (const auto count = row.integer("Slave_received_heartbeats"))
    channel.received_heartbeats = static_cast<std::uint64_t>(*count);
  read_gtid_columns(row, reader.spell("{s}_UUID"), channel);
  if (reader.error()) return *reader.error();
  return channel;
}

}  // namespace

Result<std::vector<ChannelStatus>> read_replica_status(SqlSession& session) {
  const Spelling& words = spelling(session.version());
  const auto rows = session.query(std::string(words.show_replica_status));
  if (!rows) {
    Error error = rows.error();
    if (error.code == Errc::kPrivilege)
      error.text += "; run: " + grant_statement(session, words.monitor_privilege, "*.*");
    return error;
  }
  std::vector<ChannelStatus> channels;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    auto channel = read_channel(Row(*rows, i), words);
    if (!channel) return channel.error();
    channels.push_back(std::move(*channel));
  }
  return channels;
}

std::vector<ChannelStatus> select_channels(const std::vector<ChannelStatus>& channels,
                                           const std::vector<std::string>& names,
                                           std::vector<std::string>& missing) {
  if (names.empty()) return channels;
  const auto same = [](const std::string& a, const std::string& b) {
    return strcasecmp(a.c_str(), b.c_str()) == 0;
  };
  std::vector<ChannelStatus> selected;
  for (const ChannelStatus& channel : channels)
    if (std::ranges::any_of(names, [&](const auto& name) { return same(name, channel.name); }))
      selected.push_back(channel);
  for (const std::string& name : names)
    if (std::ranges::none_of(channels, [&](const auto& c) { return same(name, c.name); }))
      missing.push_back(name);
  return selected;
}

}  // namespace ha
