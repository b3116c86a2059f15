// SPDX-License-Identifier: MIT
#include "common/heartbeat/sql_sources.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

std::string local_age_columns(const std::string& stamp) {
  // What UNIX_TIMESTAMP takes for one of two readings turns into the same local time when the other
  // is turned back.
  return fmt::format(
      "{0} - NULLIF(UNIX_TIMESTAMP({1}), 0) AS age,"
      " FROM_UNIXTIME(UNIX_TIMESTAMP({1}) + 3600) = {1} AS has_later,"
      " FROM_UNIXTIME(UNIX_TIMESTAMP({1}) - 3600) = {1} AS has_earlier",
      kServerNow, stamp);
}

std::optional<double> local_age_s(const Row& row) {
  constexpr double kHour_s = 3600;
  const auto age = row.number("age");
  if (!age) return age;
  double later = *age, earlier = *age;
  if (row.integer("has_later") == 1) later -= kHour_s;
  if (row.integer("has_earlier") == 1) earlier += kHour_s;
  return later >= -kMaxFuture_s ? later : earlier;
}

HeartbeatTableName::HeartbeatTableName(const HeartbeatSpec& spec, std::string_view name)
    : sql(quote_identifier(spec.database) + "." +
          quote_identifier(spec.prefix + std::string(name))),
      text(fmt::format("{}.{}{}", spec.database, spec.prefix, name)) {}

Result<Rows> select(SqlSession& session, const std::string& sql, const std::string& table) {
  auto rows = session.query(sql);
  if (rows || rows.error().code != Errc::kPrivilege) return rows;
  Error error = rows.error();
  error.text += "; run: " + grant_statement(session, "SELECT", table);
  return error;
}

std::optional<bool> flag(const Row& row, std::string_view column) {
  const auto text = row.text(column);
  if (text == "y" || text == "n") return text == "y";
  const auto number = row.integer(column);
  return number ? std::optional(*number != 0) : std::nullopt;
}

std::string list_names(const std::vector<std::string>& names) {
  return names.empty() ? "none" : join(names, ", ");
}

}  // namespace ha
