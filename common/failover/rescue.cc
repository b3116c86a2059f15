// SPDX-License-Identifier: MIT
#include "common/failover/rescue.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
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

Result<Done> check_whole(const std::string& path) {
  constexpr std::string_view kLastLine = "\n/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n";
  constexpr std::streamoff kTail = 1024;
  std::ifstream file(path, std::ios::ate);
  if (!file) return Error{Errc::kMissing, "cannot read " + path};
  file.seekg(std::max<std::streamoff>(0, file.tellg() - std::streampos(kTail)));
  const std::string tail{std::istreambuf_iterator<char>(file), {}};
  if (tail.find(kLastLine) == tail.npos)
    return Error{Errc::kBadData, "what was printed is not whole: it has no end"};
  return Done{};
}

Result<std::uint64_t> count_transactions(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{Errc::kMissing, "cannot read " + path};
  std::uint64_t count = 0;
  for (std::string line; std::getline(file, line);)
    if (!line.starts_with('#') && begins_transaction(line)) ++count;
  return count;
}

Result<std::uint64_t> apply_events(const std::string& path, SqlSession& session) {
  std::ifstream file(path);
  if (!file) return Error{Errc::kMissing, "cannot read " + path};
  std::uint64_t begun = 0;
  bool open = false;
  const auto done = for_each_statement(file, [&](const std::string& sql) -> Result<Done> {
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

namespace {

// Where MariaDB's tool is to begin: after the last transaction of each domain that both have.
std::string common_position(const MariadbHistory& own, const MariadbHistory& known) {
  std::vector<std::string> gtids;
  const MariadbGtids theirs = unite(known.binlog_state, known.current_position);
  for (const MariadbGtid& newest : own.binlog_state.newest())
    if (const auto last = theirs.last(newest.domain, newest.server))
      gtids.push_back(
          print(MariadbGtid{newest.domain, newest.server, std::min(newest.sequence, *last)}));
  return join(gtids, ",");
}

// True for a replica that has written all itself that it has alone, as far as can be told: not what
// it has replicated, then.
bool wrote_it_itself(const Node& node, const History& own, const History& known) {
  if (node.channels().empty() || std::holds_alternative<MysqlHistory>(own)) return false;
  const auto *mine = std::get_if<MariadbHistory>(&own),
             *theirs = std::get_if<MariadbHistory>(&known);
  if (mine == nullptr || theirs == nullptr) return true;
  const auto alone = subtract(mine->binlog_state, theirs->binlog_state).list();
  return std::ranges::all_of(
      alone, [&](const MariadbGtid& gtid) { return gtid.server == mine->server_id; });
}

}  // namespace

Result<Done> check_binlog_name(std::string_view name) {
  const bool plain = !name.empty() && name[0] != '-' && name[0] != '.' &&
                     name.find_first_of("/\\") == name.npos && printable(name) == name;
  if (plain) return Done{};
  return Error{
      Errc::kBadData,
      fmt::format("the server calls a binlog '{}', which is refused: it could be taken for "
                  "a path or an option",
                  shorten(sanitize(name), 100))};
}

Result<std::vector<std::string>> binlog_arguments(const Node& node, const BinlogPosition& from,
                                                  const std::string& first_file, const History& own,
                                                  const History& known) {
  const std::string& file = from.file.empty() ? first_file : from.file;
  if (const auto plain = check_binlog_name(file); !plain) return plain.error();
  std::vector<std::string> words = {"--read-from-remote-server", "--host=" + node.host,
                                    fmt::format("--port={}", node.port), "--to-last-log", "-vv"};
  std::string position;
  // What was written to a replica stands between what it has replicated. Before 10.8 the tool did
  // not look at the order.
  if (std::holds_alternative<MariadbHistory>(own))
    words.emplace_back("--loose-skip-gtid-strict-mode");
  if (const auto* mine = std::get_if<MysqlHistory>(&own),
      *theirs = std::get_if<MysqlHistory>(&known);
      mine && theirs)
    words.push_back("--include-gtids=" +
                    subtract(mine->executed, unite(theirs->executed, theirs->retrieved)).print());
  if (!from.file.empty()) {
    position = std::to_string(from.offset);
  } else if (wrote_it_itself(node, own, known)) {
    words.push_back(fmt::format("--server-id={}", node.facts->server_id));
  } else if (const auto* mine = std::get_if<MariadbHistory>(&own),
             *theirs = std::get_if<MariadbHistory>(&known);
             mine && theirs) {
    position = common_position(*mine, *theirs);
  }
  if (!position.empty()) words.push_back("--start-position=" + position);
  words.insert(words.end(), {"--", file});
  return words;
}

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
