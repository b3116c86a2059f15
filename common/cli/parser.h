// SPDX-License-Identifier: MIT
// The options of a program and their parsing, by CLI11. It is included in parser.cc alone: its
// headers bring static initialisers into each file that includes them, and every program would pay
// for each at its start.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/cli/arguments.h"
#include "common/result.h"

namespace ha {

// Options are numbered in the order in which they are added; they are taken over in it, too.
class Parser {
 public:
  using Accept = std::function<Result<Done>(const std::string&)>;

  Parser();
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Each adds an option; `names` are written "-H,--hostname".
  void flag(const char* names, bool& target, const char* help);
  void counter(const char* names, int& target, const char* help);
  void action(const char* names, std::function<void()> act, const char* help);
  // `accept` gets each value.
  void option(const char* names, const char* metavar, Accept accept, const char* help);
  // One that is read by find_options() and is here for the help.
  void shown(const char* names, const char* metavar, Takes takes, const char* help);

  std::size_t size() const;
  std::string_view letter(std::size_t option) const;  // without dash; "" when it has none
  std::string_view name(std::size_t option) const;    // without dashes; "" when it has none
  std::string metavar(std::size_t option) const;      // "" of a flag
  const std::string& help(std::size_t option) const;
  Takes takes(std::size_t option) const;

  // Returns the values that were given so far.
  const std::vector<std::string>& values(std::size_t option) const;
  void add_value(std::size_t option, const std::string& value);

  // nullopt: there is none of this name or letter.
  std::optional<std::size_t> find(std::string_view name) const;

  // Parses a command line, whose first word is the program's name, and hands all values over. Fails
  // with kUsage.
  Result<Done> parse(const std::vector<std::string>& words);

  // Returns the words that belong to no option.
  std::vector<std::string> rest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ha
