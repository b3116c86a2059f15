// SPDX-License-Identifier: MIT
#include "common/execute/binlog_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <string_view>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kDelimiterWord = "DELIMITER ";

bool is_comment(std::string_view line) {
  return line.empty() || line[0] == '#' || line == "--" || line.starts_with("-- ");
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

// MySQL sets GTID_NEXT, to ANONYMOUS without GTIDs and to AUTOMATIC at the end; MariaDB has numbers
// always.
bool begins_transaction(std::string_view statement) {
  const std::size_t next = statement.find("SET @@SESSION.GTID_NEXT= '");
  return (next != statement.npos && statement.find("AUTOMATIC", next) == statement.npos) ||
         statement.find("SET @@session.gtid_seq_no=") != statement.npos;
}

Result<Done> check_whole(Files& files, const std::string& path) {
  constexpr std::string_view kLastLine = "\n/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n";
  constexpr std::streamoff kTail = 1024;
  const auto opened = files.open(path);
  if (!opened) return opened.error();
  std::istream& file = **opened;
  file.seekg(0, std::ios::end);
  file.seekg(std::max<std::streamoff>(0, file.tellg() - std::streampos(kTail)));
  const std::string tail{std::istreambuf_iterator<char>(file), {}};
  if (tail.find(kLastLine) == tail.npos)
    return Error{Errc::kBadData, "the printed events are not complete: they have no end"};
  return Done{};
}

Result<std::uint64_t> count_transactions(Files& files, const std::string& path) {
  const auto file = files.open(path);
  if (!file) return file.error();
  std::uint64_t count = 0;
  for (std::string line; std::getline(**file, line);)
    if (!line.starts_with('#') && begins_transaction(line)) ++count;
  return count;
}

Result<std::uint64_t> apply_events(Files& files, const std::string& path, SqlSession& session) {
  const auto file = files.open(path);
  if (!file) return file.error();
  std::uint64_t begun = 0;
  bool open = false;
  const auto done = for_each_statement(**file, [&](const std::string& sql) -> Result<Done> {
    // A command to the mysql client: it would choose a character set.
    if (sql.starts_with("/*!\\C ")) return Done{};
    if (begins_transaction(sql)) ++begun;
    const auto rows = session.query(sql);
    if (!rows) return rows.error();
    const std::string_view words = trim(sql);
    if (words == "BEGIN" || words == "START TRANSACTION") open = true;
    // So the tool ends a log whose last transaction is torn.
    if (open && words.starts_with("ROLLBACK")) --begun;
    if (words.starts_with("COMMIT") || words.starts_with("ROLLBACK")) open = false;
    return Done{};
  });
  if (!done)
    return Error{done.error().code, fmt::format("{} of the rescued transactions applied, then: {}",
                                                begun > 0 ? begun - 1 : 0, done.error().text)};
  return begun;
}

}  // namespace ha
