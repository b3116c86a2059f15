// SPDX-License-Identifier: MIT
#include "common/mysql/variables.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Result<Variables> read_variables(SqlSession& session, const std::string& query) {
  const auto rows = session.query(query);
  if (!rows) return rows.error();
  Variables variables;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    variables[to_lower(row.text("Variable_name").value_or(""))] = row.text("Value").value_or("");
  }
  return variables;
}

bool is_on(std::string_view value) {
  const std::string word = to_lower(value);
  return word != "off" && word != "0" && word != "disabled";
}

std::optional<bool> flag(const Variables& variables, const std::string& name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(is_on(found->second));
}

Result<std::optional<double>> read_uptime_s(SqlSession& session) {
  const auto status = read_variables(session, "SHOW GLOBAL STATUS LIKE 'Uptime'");
  if (!status) return status.error();
  const auto uptime = status->find("uptime");
  return uptime == status->end() ? std::nullopt : parse_number(uptime->second);
}

Result<bool> read_switch(SqlSession& session, std::string_view name) {
  const auto value = query_value(session, fmt::format("SELECT @@GLOBAL.{}", name));
  if (!value) return value.error();
  return is_on(*value);
}

}  // namespace ha
