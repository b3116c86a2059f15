// SPDX-License-Identifier: MIT
#include "common/mysql/heartbeat_table.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Result<std::vector<HeartbeatRow>> read_heartbeat_table(SqlSession& session,
                                                       const HeartbeatTable& heartbeat) {
  const std::string table = quote_table(heartbeat.table);
  std::string condition = "<> @@GLOBAL.server_id";
  if (heartbeat.own_counts) condition = ">= 0";
  if (heartbeat.server_id) condition = fmt::format("= {}", *heartbeat.server_id);
  const auto rows = session.query(fmt::format(
      "SELECT server_id, ts, TIMESTAMPDIFF(MICROSECOND, ts, {}(6)) / 1000000 AS age FROM {}"
      " WHERE server_id {}",
      heartbeat.utc ? "UTC_TIMESTAMP" : "NOW", table, condition));
  if (!rows) {
    Error error = rows.error();
    if (error.code == Errc::kPrivilege)
      error.text += "; run: " + grant_statement(session, "SELECT", table);
    return error;
  }
  std::vector<HeartbeatRow> heartbeats;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const auto id = row.integer("server_id");
    const auto age = row.number("age");
    if (!id || !age)
      return Error{Errc::kBadData,
                   fmt::format("{}: the stamp of server {} is no time: '{}'", heartbeat.table,
                               row.text("server_id").value_or("?"),
                               shorten(sanitize(row.text("ts").value_or("NULL")), 40))};
    heartbeats.push_back({static_cast<std::uint32_t>(*id), *age});
  }
  return heartbeats;
}

void add_heartbeat_options(Cli& cli, HeartbeatTable& heartbeat, bool& named) {
  cli.option(
      "--heartbeat-table", "DB.TABLE",
      [&](const std::string& value) -> Result<Done> {
        heartbeat.table = value;
        named = true;
        return Done{};
      },
      "pt-heartbeat's table (default: heartbeat.heartbeat)");
  cli.option(
      "--heartbeat-server-id", "ID",
      [&](const std::string& value) -> Result<Done> {
        const auto id = parse_integer(value);
        if (!id || *id < 1 || *id > 4294967295)
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not a server_id (accepted: 1 to 4294967295)", value)};
        heartbeat.server_id = static_cast<std::uint32_t>(*id);
        return Done{};
      },
      "row to read (default: the source's, never our own)");
  cli.flag("--heartbeat-utc", heartbeat.utc, "the table's times are UTC (pt-heartbeat --utc)");
}

}  // namespace ha
