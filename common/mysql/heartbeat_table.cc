// SPDX-License-Identifier: MIT
#include "common/mysql/heartbeat_table.h"

#include <fmt/format.h>

#include <cmath>

#include "common/text.h"

namespace ha {

Result<std::vector<HeartbeatRow>> read_heartbeat_table(SqlSession& session,
                                                       const HeartbeatTable& heartbeat) {
  const std::string table = quote_table(heartbeat.table);
  std::string condition = "<> @@GLOBAL.server_id";
  if (heartbeat.own_counts) condition = ">= 0";
  if (heartbeat.server_id) condition = fmt::format("= {}", *heartbeat.server_id);
  const std::string columns =
      heartbeat.utc
          ? exact_stamp_columns("ts", "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ts) / 1000000")
          : local_stamp_columns("CAST(ts AS DATETIME(6))");
  const auto rows = session.query(fmt::format("SELECT server_id, ts, {} FROM {} WHERE server_id {}",
                                              columns, table, condition));
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
    const LocalStamp stamp = read_local_stamp(row);
    if (!id || !stamp.written_s)
      return Error{Errc::kBadData,
                   fmt::format("{}: the stamp of server {} is no time: '{}'", heartbeat.table,
                               row.text("server_id").value_or("?"),
                               shorten(sanitize(row.text("ts").value_or("NULL")), 40))};
    const StampAge age = age_of(stamp, nullptr);
    heartbeats.push_back({static_cast<std::uint32_t>(*id), *age.age_s, stamp, age.other_age_s});
  }
  return heartbeats;
}

std::optional<double> age_near(const HeartbeatRow& row, std::optional<double> about_s) {
  if (!row.other_age_s) return row.age_s;
  if (!about_s) return std::nullopt;
  const bool other = std::abs(*row.other_age_s - *about_s) < std::abs(row.age_s - *about_s);
  return other ? *row.other_age_s : row.age_s;
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
