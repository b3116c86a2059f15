// SPDX-License-Identifier: MIT
// A server whose answers stand in a text. The first line is its greeting; the answers follow, one
// after the other, an empty line between them, as `mysql --batch` prints them: a line of columns
// and one for each row, tabs between the cells, \N for NULL. An answer "!NUMBER text" is an error.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/session.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

namespace ha {

class ScriptedSession : public SqlSession {
 public:
  explicit ScriptedSession(std::string_view text) {
    const auto [greeting, answers] = split_in_two(text, "\n");
    version_ = parse_version(greeting);
    rest_ = answers;
  }

  Result<Rows> query(const std::string&) override {
    if (rest_.empty()) return Error{Errc::kUnreachable, "lost", 2013};
    const auto [answer, rest] = split_in_two(rest_, "\n\n");
    rest_ = rest;
    if (answer.starts_with('!')) return error(answer.substr(1));
    Rows rows;
    for (const std::string& line : split(answer, '\n')) add_line(rows, split(line, '\t'));
    return rows;
  }

  const Version& version() const override { return version_; }

 private:
  static Error error(std::string_view text) {
    const auto [number, words] = split_in_two(text, " ");
    const auto code = static_cast<unsigned>(parse_integer(number).value_or(0));
    return {code == 1227 || code == 1142 ? Errc::kPrivilege
            : code == 1146               ? Errc::kMissing
                                         : Errc::kBadData,
            std::string(words), code};
  }

  static void add_line(Rows& rows, std::vector<std::string> cells) {
    if (rows.columns.empty()) {
      rows.columns = std::move(cells);
      return;
    }
    cells.resize(rows.columns.size());  // servers give each row all of its cells
    auto& row = rows.cells.emplace_back();
    for (std::string& cell : cells)
      row.push_back(cell == "\\N" ? std::nullopt : std::optional(std::move(cell)));
  }

  Version version_;
  std::string_view rest_;
};

}  // namespace ha
