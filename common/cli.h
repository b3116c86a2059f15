// SPDX-License-Identifier: MIT
// The command line of every binary: the standard options, --extra-opts and --config, help, and the
// way out. CLI11 does the parsing, behind this wrapper, because its own exits use codes that mean
// something else to a monitoring engine.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/check_result.h"
#include "common/cli/arguments.h"
#include "common/clock.h"
#include "common/deadline.h"
#include "common/report.h"
#include "common/result.h"

namespace ha {

// Each plugin's entry point; `clock` is the system's. Returns the exit code.
int plugin_main(Clock& clock, const Arguments& arguments);

class Cli {
 public:
  // Takes over one occurrence of an option, or fails with what is wrong and what is accepted.
  using Accept = std::function<Result<Done>(const std::string&)>;

  // What runs and how its exit codes are read. Checks: states, five voices, -t SECONDS[:STATE].
  // Handlers: common/exit_code.h, -t SECONDS. Tools: likewise, without -t, and -h and -V exit with
  // 0.
  enum class Kind { kCheck, kHandler, kTool };

  // `clock` measures the budget; `binary` is the program's name, `purpose` one sentence for the
  // help.
  Cli(const Clock& clock, std::string binary, std::string purpose, Kind kind = Kind::kCheck);
  ~Cli();
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  // Each adds an option. `names` are written "-H,--hostname". The last occurrence wins, a list
  // keeps them all. Targets must outlive parse().
  void flag(const char* names, bool& target, const char* help);
  void text(const char* names, const char* metavar, std::string& target, const char* help);
  void list(const char* names, const char* metavar, std::vector<std::string>& target,
            const char* help);
  void seconds(const char* names, double& target, const char* help);
  // SECONDS[:STATE]; the state stays as it was when none is given.
  void seconds_state(const char* names, double& target, State& target_state, const char* help);
  void state(const char* names, State& target, const char* help);
  void port(const char* names, unsigned& target, const char* help);
  // A whole number from `least` to `most`.
  void count(const char* names, unsigned& target, unsigned least, unsigned most, const char* help);
  // A command, split as a shell splits words (common/process.h); commands() keeps every occurrence.
  void command(const char* names, std::vector<std::string>& target, const char* help);
  void commands(const char* names, std::vector<std::vector<std::string>>& target, const char* help);
  void option(const char* names, const char* metavar, Accept accept, const char* help);

  // Accepts words that belong to no option, such as a command and what it is about; `usage` shows
  // them: "COMMAND [NODE]".
  void operands(const char* usage, std::vector<std::string>& target);

  // Adds an option that names a file shared with other binaries, read as --config is, except that
  // keys which this binary does not know are passed over. At most one.
  void shared_file(const char* name, const char* help);

  // Returns a remark for -v on what was passed over in the shared file, or none.
  std::vector<std::string> passed_over() const;

  // Adds an option that takes one of the given words.
  template <class Enum>
  void choice(const char* names, const std::vector<std::pair<std::string, Enum>>& words,
              Enum& target, const char* help) {
    std::vector<std::string> accepted;
    for (const auto& [word, value] : words) accepted.push_back(word);
    choice_index(names, accepted, help,
                 [words, &target](std::size_t i) { target = words[i].second; });
  }

  // Adds -w/--warning and -c/--critical, or --OF-warning and --OF-critical; `what` names what they
  // judge.
  void thresholds(Thresholds& target, const char* what, const std::string& of = "");

  // How many options were added so far.
  std::size_t count_options() const;

  // Marks the options from the place `first` on as those of mysql_ha as well: complete() repeats
  // them.
  void repeat_options(std::size_t first);

  // Likewise where the commands in texts are of this program itself, with the files of options that
  // it was given.
  void repeat_own_options(std::size_t first);

  // Returns `text` with the commands to type in it made complete: with the options that the command
  // line gave to reach this cluster, without secrets, and as the user who runs this where a reader
  // is another one. All that is printed through this class is completed.
  std::string complete(std::string_view text) const;

  // Wipes the passwords from the process list and parses the command line, after the files it
  // names. Returns nothing when the program is to go on, with the hard stop armed; otherwise all is
  // printed and this is the exit code.
  std::optional<int> parse(const Arguments& arguments);

  // Names what is about to be waited for; it is what the hard stop would complain of. Not for
  // tools.
  void waiting_for(std::string_view what) const;

  // Sets what the hard stop of a handler prints instead, "binary: text", and its exit code.
  void prepare_last_words(int exit_code, std::string_view text) const;

  // Prints a check's result in the voice that was asked for; returns the exit code.
  int report(const CheckResult& result) const;

  // Prints a handler's or tool's last words, "binary: text", and below them `details` as they are;
  // returns `exit_code`.
  int finish(int exit_code, std::string_view text,
             const std::vector<std::string>& details = {}) const;

  // Prints a mistake of the operator that only shows after parsing; returns the exit code.
  int usage_error(std::string_view text) const;

  // The file that the last --config on the command line names, or "".
  const std::string& config_path() const;

  // The end of the budget. Not for tools.
  const Deadline& deadline() const;
  double timeout_s() const;
  State timeout_state() const;  // of a check whose budget ends
  int verbosity() const;

 private:
  struct Impl;
  void add_voices();
  void add_timeout();
  void watch_files(const std::vector<Occurrence>& options);
  std::optional<std::string> take_operands();
  void choice_index(const char* names, const std::vector<std::string>& words, const char* help,
                    std::function<void(std::size_t)> take);
  std::unique_ptr<Impl> impl_;
};

// Prints lines of a tool. What a server, a program or a file said may stand in them: see
// printable().
void print_lines(std::string_view lines);

// Parses "SECONDS": a positive decimal number.
Result<double> parse_seconds(std::string_view text);

// Prints that the program failed in itself, in the voice asked for; returns the exit code.
int report_internal_error(const std::string& binary, const std::vector<std::string>& words,
                          std::string_view text);

}  // namespace ha
