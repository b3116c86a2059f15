// SPDX-License-Identifier: MIT
#include "common/heartbeat/sql_sources.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

void take_age(HeartbeatFacts& facts, const Row& row, StampMemory& memory, const std::string& name) {
  const StampAge age = memory.age_of(name, read_local_stamp(row));
  facts.age_s = age.age_s;
  facts.other_age_s = age.other_age_s;
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
