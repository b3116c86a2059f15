// SPDX-License-Identifier: MIT
#include "common/execute/run_statements.h"

#include <fmt/format.h>

#include <map>

#include "common/execute/failure.h"

namespace ha {

namespace {

using Words = std::map<std::string, std::string>;

// Replaces words outside of quotes.
std::string replace_words(std::string_view sql, const Words& values) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'') quoted = !quoted;
    const std::size_t end = sql[i] == '{' && !quoted ? sql.find('}', i) : sql.npos;
    const auto value =
        end == sql.npos ? values.end() : values.find(std::string(sql.substr(i, end - i + 1)));
    if (value == values.end()) {
      text += sql[i];
    } else {
      text += value->second;
      i = end;
    }
  }
  return text;
}

Result<Done> add_position(Placeholder placeholder, const std::optional<BinlogPosition>& position,
                          Words& words) {
  const LogPosition names = position_for(placeholder);
  if (!position)
    return failure(fmt::format("the position {}:{} is not known", names.file, names.offset));
  const LogPosition value = log_position(*position);
  words[names.file] = value.file;
  words[names.offset] = value.offset;
  return Done{};
}

Result<Done> add_words(Placeholder placeholder, const PlaceholderValues& values, Words& words) {
  switch (placeholder) {
    case Placeholder::kBinlogEnd:
      return add_position(placeholder, values.binlog_end, words);
    case Placeholder::kApplied:
      return add_position(placeholder, values.applied, words);
    case Placeholder::kRelay:
      return add_position(placeholder, values.relay, words);
    case Placeholder::kReplPassword:
      break;
  }
  if (!values.repl_password)
    return Error{Errc::kUsage,
                 "the password of the replication account is not known (--repl-defaults-file)"};
  words[kReplPassword] = quote_text(*values.repl_password);
  return Done{};
}

}  // namespace

Result<std::string> complete(const Statement& statement, const PlaceholderValues& values) {
  Words words;
  for (const Placeholder placeholder : statement.placeholders)
    if (const auto added = add_words(placeholder, values, words); !added) return added.error();
  return words.empty() ? statement.sql : replace_words(statement.sql, words);
}

Result<Done> run_statements(const Statements& statements, SqlSession& session,
                            const PlaceholderValues& values, const Deadline& deadline) {
  for (const Statement& one : statements) {
    // What was given up is being rolled back already.
    if (deadline.passed()) return failure("no time was left for: " + one.sql);
    const auto sql = complete(one, values);
    if (!sql) return sql.error();
    if (sql->find('\\') != sql->npos)
      if (const auto set = session.query("SET SESSION sql_mode=''"); !set) return set.error();
    if (const auto rows = session.query(*sql); !rows) return rows.error();
  }
  return Done{};
}

}  // namespace ha
