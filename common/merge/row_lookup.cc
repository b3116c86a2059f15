// SPDX-License-Identifier: MIT
#include "common/merge/row_lookup.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMostAsked = 500;              // in one statement
constexpr std::uint64_t kMostRemembered = 8u << 20;  // bytes
constexpr std::size_t kMostNumbers = 100'000;

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

std::vector<std::vector<std::string>> RowLookup::cut(std::vector<std::string> list) const {
  std::vector<std::vector<std::string>> parts;
  std::uint64_t bytes = 0;
  for (std::string& one : list) {
    if (parts.empty() || parts.back().size() == kMostAsked || bytes + one.size() > most_bytes_) {
      parts.emplace_back();
      bytes = 0;
    }
    bytes += one.size() + 2;
    parts.back().push_back(std::move(one));
  }
  return parts;
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
  for (const auto& some : cut(std::move(open)))
    if (const auto answered = ask_some(some, known); !answered) return answered.error();
  std::vector<bool> answers;
  for (const auto& expression : of_row)
    answers.push_back(expression ? known.true_.contains(*expression) : otherwise);
  return answers;
}

// An expression for each row would cost the server more than to insert the row. A number that comes
// back as it was sent is there; of any other the expression decides.
Result<Done> RowLookup::find_numbers(const std::vector<FoundRow>& rows, const ParentKey& parent,
                                     Numbers& there) {
  const std::size_t column = parent.columns.front();
  if (there.size() > kMostNumbers) there.clear();
  Numbers asked;
  std::vector<std::string> open;
  for (const FoundRow& row : rows) {
    const MergeValue& value = row.values[column];
    if (!value || there.contains(*value) || !asked.insert(*value).second) continue;
    auto literal = value_literal(plan_.columns[column], value);
    if (!literal) return literal.error();
    open.push_back(std::move(*literal));
  }
  for (const auto& some : cut(std::move(open))) {
    const auto found = winner_.query(parents_among(parent, some));
    if (!found) return found.error();
    for (const auto& cells : found->cells)
      if (!cells.empty() && cells[0]) there.insert(*cells[0]);
  }
  return Done{};
}

Result<std::vector<bool>> RowLookup::find(const std::vector<FoundRow>& rows, const About& about) {
  Known known;
  return ask(rows, about, false, known);
}

Result<std::vector<std::string>> RowLookup::find_orphans(const std::vector<FoundRow>& rows) {
  std::vector<std::string> reasons(rows.size());
  for (std::size_t p = 0; p < plan_.parents.size(); ++p) {
    const ParentKey& parent = plan_.parents[p];
    const std::size_t column = parent.columns.front();
    Numbers& numbers = numbers_[p];
    if (parent.columns.size() == 1 && plan_.columns[column].kind == ValueKind::kNumber)
      if (const auto found = find_numbers(rows, parent, numbers); !found) return found.error();
    const auto about = [&](const FoundRow& row) -> Result<std::optional<std::string>> {
      const MergeValue& value = row.values[column];
      if (value && numbers.contains(*value)) return std::optional<std::string>();
      return parent_exists(plan_, parent, row.values);
    };
    const auto there = ask(rows, about, true, parents_);
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
