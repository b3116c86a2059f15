// SPDX-License-Identifier: MIT
// Puts names and values into SQL. Nothing from outside enters a statement in another way.

#pragma once

#include <string>
#include <string_view>

namespace ha {

// Quotes one identifier with backticks, "db.table" as two.
std::string quote_identifier(std::string_view name);
std::string quote_table(std::string_view name);

// Quotes a string literal. Safe in every sql_mode: the text goes as hexadecimal when it holds
// anything but plain printable characters.
std::string quote_string(std::string_view text);

// Returns bytes as a hexadecimal literal: X'00FF'.
std::string hex_literal(std::string_view bytes);

// Quotes a string for CHANGE ... TO and the names of channels, which take no hexadecimal literals.
// Where it has a backslash, sql_mode must not have NO_BACKSLASH_ESCAPES.
std::string quote_text(std::string_view text);

}  // namespace ha
