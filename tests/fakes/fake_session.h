// SPDX-License-Identifier: MIT
// A server of canned answers: the first whose fragment stands in the statement is given. Records
// what was asked; a statement without an answer fails.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/mysql/session.h"

namespace ha {

class FakeSession : public SqlSession {
 public:
  explicit FakeSession(std::string_view greeting) : version_(parse_version(greeting)) {}

  FakeSession& answer(std::string fragment, Result<Rows> rows) {
    answers_.emplace_back(std::move(fragment), std::move(rows));
    return *this;
  }

  Result<Rows> query(const std::string& sql) override {
    asked.push_back(sql);
    for (const auto& [fragment, rows] : answers_)
      if (sql.find(fragment) != sql.npos) return rows;
    return Error{Errc::kInternal, "unexpected statement: " + sql};
  }

  const Version& version() const override { return version_; }

  std::vector<std::string> asked;

 private:
  Version version_;
  std::vector<std::pair<std::string, Result<Rows>>> answers_;
};

}  // namespace ha
