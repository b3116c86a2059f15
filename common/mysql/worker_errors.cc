// SPDX-License-Identifier: MIT
#include "common/mysql/worker_errors.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

WorkerErrors name_privilege(SqlSession& session, const std::vector<ChannelStatus>& channels) {
  WorkerErrors errors;
  const std::string grant = grant_statement(session, "SELECT", "performance_schema.*");
  for (const ChannelStatus& channel : channels)
    if (channel.sql.error_number != 0)
      errors[channel.name] =
          fmt::format("error {}: {}; to see the workers' errors run: {}", channel.sql.error_number,
                      shorten(sanitize(channel.sql.error), 300), grant);
  return errors;
}

}  // namespace

WorkerErrors read_worker_errors(SqlSession& session, const std::vector<ChannelStatus>& channels) {
  const bool failed =
      std::ranges::any_of(channels, [](const ChannelStatus& c) { return c.sql.error_number != 0; });
  // MariaDB puts a worker's error into Last_SQL_Error itself.
  if (!failed || session.version().flavour != Flavour::kMysql) return {};
  const auto rows = session.query(
      "SELECT CHANNEL_NAME, WORKER_ID, LAST_ERROR_NUMBER, LAST_ERROR_MESSAGE"
      " FROM performance_schema.replication_applier_status_by_worker"
      " WHERE LAST_ERROR_NUMBER <> 0");
  if (!rows && rows.error().code == Errc::kPrivilege) return name_privilege(session, channels);
  if (!rows) return {};
  WorkerErrors errors;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    std::string& text = errors[row.text("CHANNEL_NAME").value_or("")];
    text += fmt::format("{}worker {}: error {}: {}", text.empty() ? "" : "; ",
                        row.text("WORKER_ID").value_or("?"),
                        row.text("LAST_ERROR_NUMBER").value_or("?"),
                        shorten(sanitize(row.text("LAST_ERROR_MESSAGE").value_or("")), 300));
  }
  return errors;
}

std::string describe_applier_stop(const ChannelStatus& channel, const WorkerErrors& errors) {
  const auto workers = errors.find(channel.name);
  if (workers == errors.end()) return describe_stop("SQL", channel.sql);
  return "SQL thread stopped, " + workers->second;
}

}  // namespace ha
