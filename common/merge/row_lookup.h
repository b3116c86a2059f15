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
  // No statement has more than `most_bytes`, unless a single question has.
  RowLookup(SqlSession& winner, const TablePlan& plan, std::uint64_t most_bytes)
      : winner_(winner), plan_(plan), most_bytes_(most_bytes), numbers_(plan.parents.size()) {}

  // Each returns, for each row, why it is one; empty: it is none.
  Result<std::vector<std::string>> find_orphans(const std::vector<FoundRow>& rows);
  Result<std::vector<std::string>> find_conflicts(const std::vector<FoundRow>& rows);

  // The expression about a row; nullopt: there is nothing to ask.
  using About = std::function<Result<std::optional<std::string>>(const FoundRow&)>;

  // Returns for each row whether the expression is 1, false where there is nothing to ask.
  Result<std::vector<bool>> find(const std::vector<FoundRow>& rows, const About& about);

 private:
  // Expressions that were 1.
  struct Known {
    std::unordered_set<std::string> true_ = {};
    std::uint64_t bytes = 0;
  };

  // Numbers that are keys of a parent, as the server writes them.
  using Numbers = std::unordered_set<std::string>;

  // Returns for each row whether the expression is 1; `otherwise` where there is nothing to ask.
  // What is known is not asked again.
  Result<std::vector<bool>> ask(const std::vector<FoundRow>& rows, const About& about,
                                bool otherwise, Known& known);
  Result<Done> ask_some(const std::vector<std::string>& expressions, Known& known);
  // Finds at once which of the rows' parents are there, where their key is one number.
  Result<Done> find_numbers(const std::vector<FoundRow>& rows, const ParentKey& parent,
                            Numbers& there);
  // Cuts a list into those of one statement.
  std::vector<std::vector<std::string>> cut(std::vector<std::string> list) const;

  SqlSession& winner_;
  const TablePlan& plan_;
  const std::uint64_t most_bytes_;
  Known parents_ = {};
  std::vector<Numbers> numbers_;  // of each parent of the plan
};

}  // namespace ha
