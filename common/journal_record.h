// SPDX-License-Identifier: MIT
// One record of a journal (journal.h). Pure.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ha {

// Names and values, in their order. Values are text.
using JournalRecord = std::vector<std::pair<std::string, std::string>>;

// Returns the value of a name, "" when the record has none.
std::string journal_value(const JournalRecord& record, std::string_view name);

}  // namespace ha
