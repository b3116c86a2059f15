// SPDX-License-Identifier: MIT
#include "common/mysql/variables.h"

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

std::optional<bool> flag(const Variables& variables, const std::string& name) {
  const auto found = variables.find(name);
  if (found == variables.end()) return std::nullopt;
  const std::string value = to_lower(found->second);
  return value != "off" && value != "0" && value != "disabled";
}

}  // namespace ha
