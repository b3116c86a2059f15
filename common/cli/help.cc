// SPDX-License-Identifier: MIT
#include "common/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 30;  // where the descriptions begin

std::string render_option(const Parser& options, std::size_t i) {
  std::string head = "  ";
  if (const auto letter = options.letter(i); !letter.empty()) head += fmt::format("-{}, ", letter);
  if (const auto name = options.name(i); !name.empty()) head += fmt::format("--{}", name);
  const std::string value = options.metavar(i);
  if (!value.empty()) head += (value.starts_with("[=") ? "" : "=") + value;
  std::string text, line = head;
  line.resize(std::max(line.size() + 1, kColumn), ' ');
  if (line.size() > kColumn) {
    text = head + "\n";
    line.assign(kColumn, ' ');
  }
  for (const std::string& word : split(options.help(i), ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line.assign(kColumn, ' ');
    }
    line += " " + word;
  }
  return text + line + "\n";
}

}  // namespace

std::string render_help(const Parser& options, const std::string& binary,
                        const std::string& purpose, const std::string& operands) {
  std::string text =
      fmt::format("Usage: {} [OPTION]...{}\n{}\n\nOptions:\n", binary, operands, purpose);
  for (std::size_t i = 0; i < options.size(); ++i) text += render_option(options, i);
  return text;
}

}  // namespace ha
