// SPDX-License-Identifier: MIT
// What a statement returns: rows of text. Plain values.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ha {

// A result set. SQL NULL is nullopt.
struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> cells;
};

// One row of a result set, read by column name. Refers to its Rows.
class Row {
 public:
  Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

  bool has(std::string_view column) const;
  // All three: nullopt when the column is absent, NULL or (for numbers) not a number.
  std::optional<std::string> text(std::string_view column) const;
  std::optional<double> number(std::string_view column) const;
  std::optional<long long> integer(std::string_view column) const;

 private:
  std::optional<std::size_t> find(std::string_view column) const;
  const Rows* rows_;
  std::size_t index_;
};

}  // namespace ha
