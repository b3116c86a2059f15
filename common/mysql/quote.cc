// SPDX-License-Identifier: MIT
#include "common/mysql/quote.h"

#include <fmt/format.h>

namespace ha {

std::string quote_identifier(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) quoted.append(c == '`' ? 2 : 1, c);
  return quoted + "`";
}

std::string quote_table(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return quote_identifier(name);
  return quote_identifier(name.substr(0, dot)) + "." + quote_identifier(name.substr(dot + 1));
}

std::string quote_text(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return quoted + "'";
}

std::string quote_string(std::string_view text) {
  bool plain = true;
  for (char c : text) plain = plain && c >= ' ' && c < 0x7F && c != '\'' && c != '\\';
  if (plain) return fmt::format("'{}'", text);
  return hex_literal(text);
}

std::string hex_literal(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text = "X'";
  text.reserve(bytes.size() * 2 + 3);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text + "'";
}

}  // namespace ha
