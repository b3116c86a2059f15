// SPDX-License-Identifier: MIT
#include "common/mysql/privileges.h"

#include "common/text.h"

namespace ha {

Result<std::set<std::string>> read_privileges(SqlSession& session) {
  const auto rows = session.query("SHOW GRANTS");
  if (!rows) return rows.error();
  constexpr std::string_view kBegin = "GRANT ", kEnd = " ON *.* TO ";
  std::set<std::string> privileges;
  for (const auto& cells : rows->cells) {
    const std::string grant = cells.empty() ? "" : cells[0].value_or("");
    const std::size_t end = grant.find(kEnd);
    if (!grant.starts_with(kBegin) || end == grant.npos) continue;
    const std::string list = grant.substr(kBegin.size(), end - kBegin.size());
    for (const std::string& privilege : split(list, ',')) privileges.emplace(trim(privilege));
  }
  return privileges;
}

bool holds(const std::set<std::string>& privileges, std::string_view privilege) {
  return privileges.contains(std::string(privilege)) || privileges.contains("ALL PRIVILEGES");
}

}  // namespace ha
