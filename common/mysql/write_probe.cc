// SPDX-License-Identifier: MIT
#include "common/mysql/write_probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

// No limit for the statement itself: ending one that waits for disk space makes MySQL abort
// (binlog_error_action).
constexpr char kSettings[] =
    "SET SESSION autocommit = 1, SESSION lock_wait_timeout = {0},"
    " SESSION innodb_lock_wait_timeout = {0}";

// The server_id is a number of ours: under binlog_format=STATEMENT replicas would put in their own.
constexpr char kUpdate[] =
    "UPDATE {} SET ts = DATE_FORMAT(NOW(6), '%Y-%m-%dT%H:%i:%s.%f') WHERE server_id = {}";

ProbeResult judge(SqlSession& session, const std::string& table, const Error& error) {
  const std::string quoted = quote_table(table);
  switch (error.code) {
    case Errc::kPrivilege:
      return {"", fmt::format("--write-probe: {}; run: {}", error.text,
                              grant_statement(session, "SELECT, UPDATE", quoted))};
    case Errc::kMissing:
      return {"", fmt::format("--write-probe: {}; run: CREATE TABLE {} (ts VARCHAR(26) NOT NULL, "
                              "server_id INT UNSIGNED NOT NULL PRIMARY KEY)",
                              error.text, quoted)};
    case Errc::kInternal:
      return ProbeResult(error);
    default:
      return {fmt::format("the write probe of {} failed: {}", sanitize(table), error.text), ""};
  }
}

// Waits at most `wait_s` for locks; a full disk holds it longer.
ProbeResult write(SqlSession& session, const std::string& table, std::uint32_t server_id,
                  unsigned wait_s) {
  if (const auto set = session.query(fmt::format(kSettings, wait_s)); !set)
    return judge(session, table, set.error());
  const std::string quoted = quote_table(table);
  if (const auto updated = session.query(fmt::format(kUpdate, quoted, server_id)); !updated)
    return judge(session, table, updated.error());
  const auto rows = query_value(session, "SELECT ROW_COUNT()");
  if (!rows) return judge(session, table, rows.error());
  if (*rows != "0") return {};
  return {"", fmt::format("--write-probe: {0} has no row of the server; run: INSERT INTO {1} (ts, "
                          "server_id) VALUES (NOW(6), {2})",
                          sanitize(table), quoted, server_id)};
}

}  // namespace

std::vector<ProbeResult> try_writes(Workers& workers, const std::vector<WriteTarget>& servers,
                                    const std::string& table, const Deadline& deadline) {
  constexpr double kLongest_s = 3, kShortest_s = 1.5;
  const double bound_s = std::min(kLongest_s, 0.8 * deadline.remaining_s());
  // What does not end in less proves nothing.
  if (bound_s < kShortest_s)
    return std::vector(servers.size(),
                       ProbeResult{"", "--write-probe: no time is left for it; give more (-t)"});
  // A little earlier than we give up, so that the server says itself what it waits for.
  const auto wait_s = static_cast<unsigned>(bound_s - 0.5);
  const auto ended = run_each<ProbeResult>(
      workers, servers.size(), deadline.from_now(bound_s), [servers, table, wait_s](std::size_t i) {
        if (!servers[i].session)
          return ProbeResult{"", "--write-probe: the server answers too slowly"};
        return write(*servers[i].session, table, servers[i].server_id, wait_s);
      });
  const ProbeResult hung{fmt::format("the write probe of {} did not end within {}", sanitize(table),
                                     format_duration(bound_s)),
                         ""};
  std::vector<ProbeResult> results;
  for (const auto& one : ended) results.push_back(one.value_or(hung));
  return results;
}

}  // namespace ha
