// SPDX-License-Identifier: MIT
// What a Cli holds; for the files of this directory alone.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/cli.h"
#include "common/cli/arguments.h"
#include "common/cli/option_files.h"
#include "common/cli/parser.h"
#include "common/commands.h"
#include "common/deadline.h"
#include "common/report.h"

namespace ha {

// Returns the name of a check in its reports: the binary's without "check_".
std::string check_name(const std::string& binary);

struct Cli::Impl {
  // An aggregate made of temporaries is destroyed twice by GCC 12 when memory ends in between.
  Impl(const Clock& a_clock, Kind a_kind, const std::string& a_binary, std::string a_purpose)
      : clock(a_clock), kind(a_kind), binary(a_binary), purpose(std::move(a_purpose)) {
    style.check = check_name(binary);
  }

  const Clock& clock;
  Kind kind;
  std::string binary;
  std::string purpose;
  ReportStyle style = {};
  Parser parser = {};
  bool help = false, version = false;
  std::vector<std::string>* operands = nullptr;  // null: none is accepted
  std::string operand_usage = {};
  std::string shared_option = {};  // with its dashes; empty: none
  std::string shared_path = {};
  std::string config_path = {};                // the last --config
  std::vector<std::string> unknown_keys = {};  // of the shared file
  double timeout_s = 10;
  State timeout_state = State::kCritical;
  std::optional<Deadline> deadline = {};
  std::set<std::size_t> repeated = {};  // in the commands that texts name
  // How many of an option's values came from a file that is named there itself.
  std::map<std::size_t, std::size_t> in_files = {};
  bool repeats_files = kind == Kind::kTool;  // commands to type are of this program
  std::vector<std::string> file_words = {};  // the options that name these files
  CommandWords words = {};                   // set by parse()

  // Returns what each registered option takes.
  Grammar grammar() const;

  // Takes the options that name files out of `args` and applies the files in their order.
  Result<Done> apply_files(std::vector<std::string>& args, const std::vector<Occurrence>& options);
  Result<Done> apply_file(const std::string& name, const Occurrence& option);
  Result<Done> apply(const std::vector<FileSetting>& settings);
  Result<Done> apply_shared(const std::string& path);
  std::optional<std::size_t> find(const std::string& key) const;
  void set(std::size_t option, const FileSetting& setting);

  // Sets `words` from what the command line has given.
  void find_words(const std::string& program);
  enum class Of { kThis, kOthers };  // the command line that is running, or those that texts name
  std::string words_of(const std::vector<std::size_t>& options, Of of) const;

  std::string last_words(std::string_view text) const;
};

// Prints the output and ends the hard stop's watch; returns `exit_code`.
int print_last(std::string_view output, int exit_code);
int print_last(const Report& report);

// Renders a mistake or an internal error of a check.
Report render_error(const ReportStyle& style, std::string_view text);

// Returns the voice of errors: JSON where it is asked for, wherever that stands.
Voice guess_voice(const std::vector<Occurrence>& options);

}  // namespace ha
