// SPDX-License-Identifier: MIT
#include "common/merge/row_lookup.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMostAsked = 500;               // in one statement
constexpr std::uint64_t kMostRemembered = 32u << 20;  // bytes

std::string describe_value(const MergeValue& value) {
  return value ? shorten(sanitize(*value), 60) : "NULL";
}

std::string describe_parent(const ParentKey& parent, const FoundRow& row) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < parent.keys.size(); ++i)
    words.push_back(
        fmt::format("{} = {}", parent.keys[i], describe_value(row.values[parent.columns[i]])));
  return fmt::format("{}.{} has no {}", parent.database, parent.table, join(words, ", "));
}

}  // namespace

Result<Done> RowLookup::ask_some(const std::vector<std::string>& expressions, Known& known) {
  const auto rows = winner_.query("SELECT " + join(expressions, ", "));
  if (!rows) return rows.error();
  if (rows->cells.size() != 1 || rows->cells[0].size() != expressions.size())
    return Error{Errc::kBadData, "the answer has not one value for each question"};
  for (std::size_t i = 0; i < expressions.size(); ++i)
    if (rows->cells[0][i] == "1" && known.true_.insert(expressions[i]).second)
      known.bytes += expressions[i].size();
  return Done{};
}

Result<Done> RowLookup::ask_all(const std::vector<std::string>& expressions, Known& known) {
  std::vector<std::string> some;
  std::uint64_t bytes = 0;
  for (const std::string& one : expressions) {
    if (!some.empty() && (some.size() == kMostAsked || bytes + one.size() > most_bytes_)) {
      if (const auto answered = ask_some(some, known); !answered) return answered;
      some.clear();
      bytes = 0;
    }
    some.push_back(one);
    bytes += one.size() + 2;
  }
  return some.empty() ? Result<Done>(Done{}) : ask_some(some, known);
}

Result<std::vector<bool>> RowLookup::ask(const std::vector<FoundRow>& rows, const About& about,
                                         bool otherwise, Known& known) {
  if (known.bytes > kMostRemembered) known = {};
  std::vector<std::optional<std::string>> of_row;
  std::vector<std::string> open;
  std::unordered_set<std::string> asked;
  for (const FoundRow& row : rows) {
    auto expression = about(row);
    if (!expression) return expression.error();
    if (*expression && !known.true_.contains(**expression) && asked.insert(**expression).second)
      open.push_back(**expression);
    of_row.push_back(std::move(*expression));
  }
  if (const auto answered = ask_all(open, known); !answered) return answered.error();
  std::vector<bool> answers;
  for (const auto& expression : of_row)
    answers.push_back(expression ? known.true_.contains(*expression) : otherwise);
  return answers;
}

Result<std::vector<std::string>> RowLookup::find_orphans(const std::vector<FoundRow>& rows) {
  std::vector<std::string> reasons(rows.size());
  for (const ParentKey& parent : plan_.parents) {
    const auto there = ask(
        rows, [&](const FoundRow& row) { return parent_exists(plan_, parent, row.values); }, true,
        parents_);
    if (!there) return there.error();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!(*there)[i] && reasons[i].empty()) reasons[i] = describe_parent(parent, rows[i]);
  }
  return reasons;
}

Result<std::vector<std::string>> RowLookup::find_conflicts(const std::vector<FoundRow>& rows) {
  std::vector<std::string> reasons(rows.size());
  Known taken_keys;
  for (const UniqueKey& key : plan_.unique_keys) {
    const auto taken = ask(
        rows, [&](const FoundRow& row) { return key_exists(plan_, key, row.values); }, false,
        taken_keys);
    if (!taken) return taken.error();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if ((*taken)[i] && reasons[i].empty())
        reasons[i] = fmt::format("another row has its {} key", key.name);
  }
  return reasons;
}

}  // namespace ha
