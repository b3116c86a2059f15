// SPDX-License-Identifier: MIT
#include "common/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 30;  // where the descriptions begin

std::string render_option(const CLI::Option& option) {
  std::string head = "  ";
  for (const std::string& name : option.get_snames()) head += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) head += "--" + name;
  const std::string value = option.get_type_name();
  if (!value.empty()) head += (value.starts_with("[=") ? "" : "=") + value;
  std::string text, line = head;
  line.resize(std::max(line.size() + 1, kColumn), ' ');
  if (line.size() > kColumn) {
    text = head + "\n";
    line.assign(kColumn, ' ');
  }
  for (const std::string& word : split(option.get_description(), ' ')) {
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line.assign(kColumn, ' ');
    }
    line += " " + word;
  }
  return text + line + "\n";
}

}  // namespace

std::string render_help(const CLI::App& app, const std::string& binary,
                        const std::string& operands) {
  std::string text = fmt::format("Usage: {} [OPTION]...{}\n{}\n\nOptions:\n", binary, operands,
                                 app.get_description());
  for (const CLI::Option* option : app.get_options()) text += render_option(*option);
  return text;
}

}  // namespace ha
