// SPDX-License-Identifier: MIT
#include "common/failover/statement.h"

#include <algorithm>
#include <iterator>

namespace ha {

namespace {

// In the order of Part.
constexpr std::string_view kPartNames[] = {
    "close",         "lock",         "unlock",        "open",         "stop",
    "forget",        "begin",        "point",         "delay",        "start",
    "semi-sync-off", "semi-sync-on", "disable-event", "enable-event", "insert-event"};

// In the order of Placeholder.
constexpr std::string_view kPlaceholderNames[] = {"binlog-end", "applied", "relay",
                                                  "repl-password"};

template <typename Enum, std::size_t kCount>
std::optional<Enum> parse(const std::string_view (&names)[kCount], std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<Enum>(found - std::begin(names));
}

bool is_one_of(const Statement& statement, std::initializer_list<Part> parts) {
  return std::ranges::find(parts, statement.part) != parts.end();
}

}  // namespace

bool Statement::needs(Placeholder placeholder) const {
  return std::ranges::find(placeholders, placeholder) != placeholders.end();
}

bool need(const Statements& statements, Placeholder placeholder) {
  return std::ranges::any_of(statements,
                             [&](const Statement& one) { return one.needs(placeholder); });
}

Statements only(const Statements& statements, std::initializer_list<Part> parts) {
  Statements found = statements;
  std::erase_if(found, [&](const Statement& one) { return !is_one_of(one, parts); });
  return found;
}

Statements without(const Statements& statements, std::initializer_list<Part> parts) {
  Statements left = statements;
  std::erase_if(left, [&](const Statement& one) { return is_one_of(one, parts); });
  return left;
}

std::vector<std::string> sql_of(const Statements& statements) {
  std::vector<std::string> sql;
  for (const Statement& one : statements) sql.push_back(one.sql);
  return sql;
}

LogPosition position_for(Placeholder placeholder) {
  switch (placeholder) {
    case Placeholder::kBinlogEnd:
      return {"{binlog_file}", "{binlog_position}"};
    case Placeholder::kApplied:
      return {"{applied_file}", "{applied_position}"};
    case Placeholder::kRelay:
      return {"{relay_file}", "{relay_position}"};
    case Placeholder::kReplPassword:
      break;
  }
  return {};
}

std::string_view part_name(Part part) { return kPartNames[static_cast<std::size_t>(part)]; }

std::optional<Part> parse_part(std::string_view name) { return parse<Part>(kPartNames, name); }

std::string_view placeholder_name(Placeholder placeholder) {
  return kPlaceholderNames[static_cast<std::size_t>(placeholder)];
}

std::optional<Placeholder> parse_placeholder(std::string_view name) {
  return parse<Placeholder>(kPlaceholderNames, name);
}

}  // namespace ha
