// SPDX-License-Identifier: MIT
#include "common/merge/unmerged_rows.h"

#include "common/mysql/quote.h"

namespace ha {

Result<Done> UnmergedRows::append(std::string_view sql) {
  std::string text;
  if (file_ == nullptr) {
    auto file = files_.open_append(path_);
    if (!file) return file.error();
    file_ = std::move(*file);
  }
  if (size_ == 0)
    text = heading_ +
           "\nSET NAMES binary;\nSET SESSION time_zone='+00:00';\n"
           "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n";
  text += sql;
  if (const auto appended = file_->append(text); !appended) return appended;
  size_ += text.size();
  return Done{};
}

Result<Done> UnmergedRows::cut_to(std::uint64_t size) {
  if (file_ == nullptr || size == size_) return Done{};
  if (const auto cut = file_->truncate(size); !cut) return cut;
  size_ = size;
  return Done{};
}

}  // namespace ha
