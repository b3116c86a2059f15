// SPDX-License-Identifier: MIT
#include "common/journal_record.h"

namespace ha {

std::string journal_value(const JournalRecord& record, std::string_view name) {
  for (const auto& [key, value] : record)
    if (key == name) return value;
  return "";
}

}  // namespace ha
