// SPDX-License-Identifier: MIT
#include "common/execute/binlog_events.h"

#include <fmt/format.h>

#include <string>

#include "common/text.h"

namespace ha {

Result<bool> ends_before(SqlSession& session, const BinlogPosition& position) {
  const auto logs = session.query_long("SHOW BINARY LOGS");
  if (!logs) return logs.error();
  for (std::size_t i = 0; i < logs->cells.size(); ++i) {
    const Row row(*logs, i);
    if (row.text("Log_name") != position.file) continue;
    const auto size = row.integer("File_size");
    return size && static_cast<std::uint64_t>(*size) < position.offset;
  }
  return false;
}

Result<std::optional<std::uint64_t>> count_after(SqlSession& session,
                                                 const BinlogPosition& position) {
  const auto logs = session.query_long("SHOW BINARY LOGS");
  if (!logs) return logs.error();
  bool found = false;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < logs->cells.size() && count < kMostCounted; ++i) {
    const std::string file = Row(*logs, i).text("Log_name").value_or("");
    const bool first = file == position.file;
    found = found || first;
    if (!found) continue;
    constexpr std::uint64_t kFirstEvent = 4;
    const auto events = session.query_long(
        fmt::format("SHOW BINLOG EVENTS IN {} FROM {} LIMIT {}", quote_string(file),
                    first ? position.offset : kFirstEvent, kMostCounted));
    if (!events) return events.error();
    for (std::size_t e = 0; e < events->cells.size(); ++e) {
      const std::string type = to_lower(Row(*events, e).text("Event_type").value_or(""));
      // Not Gtid_list or Previous_gtids.
      if (type == "gtid" || type == "anonymous_gtid" || type == "gtid_tagged") ++count;
    }
  }
  if (!found) return std::optional<std::uint64_t>();
  return std::optional(count);
}

}  // namespace ha
