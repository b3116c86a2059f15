// SPDX-License-Identifier: MIT
// MySQL's JSON as its server stores and logs it. Source: sql-common/json_binary.h. Pure.

#pragma once

#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

// Returns the document as text that the server reads as the same document. Fails with kBadData when
// the bytes are none, or hold what JSON has no text for: a date, a time, a decimal, bytes.
Result<std::string> json_text(std::string_view binary);

}  // namespace ha
