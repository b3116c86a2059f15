// SPDX-License-Identifier: MIT
// Asks the winner which of the loser's rows have no parent there, or a key that another row has.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/merge/table_sql.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// A row of the loser that the winner lacks.
struct FoundRow {
  std::string digest = {};
  std::uint64_t copies = 0;  // how often it is to be there in addition
  std::vector<MergeValue> values = {};
};

class RowLookup {
 public:
  RowLookup(SqlSession& winner, const TablePlan& plan) : winner_(winner), plan_(plan) {}

  // Each returns, for each row, why it is one; empty: it is none.
  Result<std::vector<std::string>> find_orphans(const std::vector<FoundRow>& rows);
  Result<std::vector<std::string>> find_conflicts(const std::vector<FoundRow>& rows);

 private:
  // The expression about a row; nullopt: there is nothing to ask.
  using About = std::function<Result<std::optional<std::string>>(const FoundRow&)>;

  // Returns for each row whether the expression is 1; `otherwise` where there is nothing to ask.
  // What was 1 is not asked again.
  Result<std::vector<bool>> ask(const std::vector<FoundRow>& rows, const About& about,
                                bool otherwise);
  Result<Done> ask_some(const std::vector<std::string>& expressions);

  SqlSession& winner_;
  const TablePlan& plan_;
  std::unordered_set<std::string> true_ = {};
};

}  // namespace ha
