// SPDX-License-Identifier: MIT
// Text that crosses our border: numbers as plugins print them, words from outside made harmless.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ha {

// Formats a number in the C locale without exponent: at most six decimals, no trailing zeros.
std::string format_number(double value);

// Formats a duration for people: "0.4s", "73s", "5m 03s", "2h 14m", "3d 04h". Negative stays so.
std::string format_duration(double seconds);

// Parses a plain decimal number ("10", "0.5", "1e3") over the whole text. No sign but '-', no
// blanks, no hex, no infinity, no overflow; nullopt otherwise.
std::optional<double> parse_number(std::string_view text);

// Parses a whole decimal number that fits; nullopt otherwise.
std::optional<long long> parse_integer(std::string_view text);

// Returns the length of the UTF-8 character at the front of a text that is not empty, 0 when it is
// not one (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

// Replaces by blanks what commands a terminal or hides from a reader: control characters, those
// that turn the direction of writing, and those that are not seen; and by '?' bytes that are not
// UTF-8. So one line stays one line and shows what is in it.
std::string printable(std::string_view text);

// Likewise for the output of a plugin: '|' becomes a blank too, so that no text ends where perfdata
// begins.
std::string sanitize(std::string_view text);

// Likewise for several lines of a tool: each line is printable, the ends of lines stay.
std::string printable_lines(std::string_view text);

// Cuts at most `limit` bytes of valid UTF-8 without tearing a character, "..." at the end if cut.
std::string shorten(std::string_view text, std::size_t limit);

// Removes blanks, tabs and line ends from both sides.
std::string_view trim(std::string_view text);

// Splits at each separator; "a,,b" has three parts.
std::vector<std::string> split(std::string_view text, char separator);

// True for a name that is safe as a file's: letters, digits, '.', '_' and '-', no '.' in front.
bool is_file_name(std::string_view text);

// Returns a part of a file's name for any text: what is neither letter, digit, '.' nor '-' stands
// as '_' and its number in hexadecimal.
std::string to_file_name(std::string_view text);

// Splits at any run of blanks and tabs; no part is empty.
std::vector<std::string> split_words(std::string_view text);

// Splits at commas; a backslash takes the next character as it is.
std::vector<std::string> split_values(std::string_view text);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Quotes a word so that a POSIX shell reads it as this one word; unchanged when it needs no quotes.
std::string quote_word(std::string_view word);

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

}  // namespace ha
