// SPDX-License-Identifier: MIT
#include "common/failover/completeness.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/text.h"

namespace ha {

namespace {

std::set<std::string> parse_names(std::string_view list) {
  std::set<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const auto name = trim(list.substr(0, comma)); !name.empty()) names.emplace(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

// True when a filter lets pass all that a binlog of this scope holds.
bool passes_all(std::string_view filter, const BinlogScope& scope) {
  const std::size_t equals = filter.find('=');
  if (equals == filter.npos) return false;
  const std::string_view kind = filter.substr(0, equals);
  const auto names = parse_names(filter.substr(equals + 1));
  const auto logged = parse_names(scope.do_db), unlogged = parse_names(scope.ignore_db);
  if (kind == "Replicate_Do_DB") return !logged.empty() && std::ranges::includes(names, logged);
  if (kind == "Replicate_Ignore_DB") return std::ranges::includes(unlogged, names);
  if (kind != "Replicate_Wild_Do_Table" || logged.empty()) return false;
  return std::ranges::all_of(logged,
                             [&](const std::string& name) { return names.contains(name + ".%"); });
}

}  // namespace

std::vector<std::string> lossy_filters(const ChannelStatus& channel,
                                       const std::optional<BinlogScope>& source) {
  std::vector<std::string> filters = channel.filters;
  if (source)
    std::erase_if(filters, [&](const std::string& one) { return passes_all(one, *source); });
  return filters;
}

std::string describe_unlogged(const std::string& node, const BinlogScope& scope) {
  if (!scope.filtered() || scope.format.empty() || to_lower(scope.format) == "row") return "";
  return fmt::format(
      "{0} filters its binlog ({1}) by the default database of each statement: with "
      "binlog_format={2} no replica gets what a session in another database writes to these. Set "
      "binlog_format=ROW on all nodes",
      node,
      sanitize(scope.do_db.empty() ? "binlog-ignore-db=" + scope.ignore_db
                                   : "binlog-do-db=" + scope.do_db),
      sanitize(scope.format));
}

}  // namespace ha
