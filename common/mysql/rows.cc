// SPDX-License-Identifier: MIT
#include "common/mysql/rows.h"

#include <strings.h>

#include "common/text.h"

namespace ha {

std::optional<std::size_t> Row::find(std::string_view column) const {
  const auto& columns = rows_->columns;
  // Of names of one length few have the same end; many begin alike.
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].size() == column.size() && ((columns[i].back() ^ column.back()) & ~0x20) == 0 &&
        strncasecmp(columns[i].data(), column.data(), column.size()) == 0)
      return i;
  return std::nullopt;
}

bool Row::has(std::string_view column) const { return find(column).has_value(); }

std::optional<std::string> Row::text(std::string_view column) const {
  const auto i = find(column);
  return i ? rows_->cells[index_][*i] : std::nullopt;
}

std::optional<double> Row::number(std::string_view column) const {
  const auto cell = text(column);
  return cell ? parse_number(*cell) : std::nullopt;
}

std::optional<long long> Row::integer(std::string_view column) const {
  const auto cell = text(column);
  return cell ? parse_integer(*cell) : std::nullopt;
}

}  // namespace ha
