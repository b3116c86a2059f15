// SPDX-License-Identifier: MIT
// Is a program running on this machine? Asked of /proc.

#pragma once

#include <regex.h>

#include <memory>
#include <optional>
#include <string>

#include "common/result.h"

namespace ha {

// A POSIX extended regular expression.
class ProcessPattern {
 public:
  // Fails with what the regex library says.
  static Result<ProcessPattern> compile(const std::string& text);

  // True when the expression matches anywhere in a command line.
  bool matches(const std::string& command_line) const;
  const std::string& text() const { return text_; }

 private:
  struct Free {
    void operator()(regex_t* regex) const;
  };
  ProcessPattern(std::string text, std::unique_ptr<regex_t, Free> regex)
      : text_(std::move(text)), regex_(std::move(regex)) {}
  std::string text_;
  std::unique_ptr<regex_t, Free> regex_;
};

// Returns the id of a process whose full command line, its words joined by blanks, matches. Not
// considered: ourselves, our ancestors (they may quote the pattern), other runs of this program,
// kernel threads and zombies.
std::optional<int> find_process(const ProcessPattern& pattern);

}  // namespace ha
