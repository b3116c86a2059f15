// SPDX-License-Identifier: MIT
#include "common/failover/rescue.h"

#include <fmt/format.h>

#include <fstream>
#include <string_view>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kDelimiterWord = "DELIMITER ";

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '#' || line.starts_with("-- ");
}

}  // namespace

Result<Done> for_each_statement(std::istream& text,
                                const std::function<Result<Done>(const std::string&)>& take) {
  std::string delimiter = ";", statement, line;
  while (std::getline(text, line)) {
    const bool between = statement.empty();
    if (between && line.starts_with(kDelimiterWord)) {
      delimiter = trim(std::string_view(line).substr(kDelimiterWord.size()));
      continue;
    }
    if (between && is_comment(line)) continue;
    statement += line;
    if (!statement.ends_with(delimiter)) {
      statement += '\n';
      continue;
    }
    statement.resize(statement.size() - delimiter.size());
    if (!trim(statement).empty())
      if (const auto taken = take(statement); !taken) return taken;
    statement.clear();
  }
  if (!trim(statement).empty())
    return Error{Errc::kBadData, "the events end in the middle of a statement"};
  return Done{};
}

Result<std::uint64_t> apply_events(const std::string& path, SqlSession& session) {
  std::ifstream file(path);
  std::uint64_t commits = 0;
  const auto done = for_each_statement(file, [&](const std::string& sql) -> Result<Done> {
    if (const auto rows = session.query(sql); !rows) return rows.error();
    const std::string word = to_lower(trim(sql).substr(0, 6));
    if (word == "commit") ++commits;
    return Done{};
  });
  if (!done)
    return Error{done.error().code,
                 fmt::format("after {} transactions: {}", commits, done.error().text)};
  return commits;
}

}  // namespace ha
