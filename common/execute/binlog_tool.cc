// SPDX-License-Identifier: MIT
#include "common/execute/binlog_tool.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

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
  return Error{Errc::kBadData, fmt::format("the server names a binlog '{}'; this name is refused, "
                                           "because it could be taken for a path or an option",
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

}  // namespace ha
