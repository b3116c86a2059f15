// SPDX-License-Identifier: MIT
// Runs other programs, without a shell between us and them, within a deadline and with bounded
// output. A program that outlives its deadline is killed with its process group; one that cannot
// be killed (it hangs in the kernel) is abandoned, never waited for.
//
// A program may also have to end when we do, however we end (SIGKILL, a hang-up): then a process of
// ours leads its group and kills it. PR_SET_PDEATHSIG would reach the program but not its children,
// and would strike when the thread ends that started it.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/result.h"

namespace ha {

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in $PATH unless it holds a slash
  // Added to our environment.
  std::vector<std::pair<std::string, std::string>> environment = {};
  // Standard output goes into this new file, mode 0600, instead of the outcome; empty: it does not.
  std::string output_file = {};
  // Asked about once a second; false ends the command as its deadline does. Empty: not asked.
  std::function<bool()> may_go_on = {};
  // It and what it has started in its process group is killed when we end before it.
  bool ends_with_us = false;
};

struct ProcessOutcome {
  enum class End { kExited, kSignalled, kTimedOut };
  End end = End::kExited;
  int code = 0;        // exit code or signal number; 0 after a timeout
  std::string output;  // standard output and error together, the first kMaxProcessOutput bytes
  double seconds = 0;

  bool succeeded() const { return end == End::kExited && code == 0; }
};

inline constexpr std::size_t kMaxProcessOutput = 64 << 10;

class Process {
 public:
  virtual ~Process() = default;

  // Runs a command to its end or the deadline. Its standard input is empty, it inherits no other
  // descriptor, and its signals are as a login shell would give them. A daemon that it leaves
  // behind is not waited for. Fails with kMissing or kUsage when the program cannot be started.
  virtual Result<ProcessOutcome> run(const Command& command, const Deadline& deadline) = 0;

  // Returns the path of the program that run() would start for this argv[0], as find_program().
  virtual Result<std::string> find(const std::string& name) { return name; }
};

// The real thing.
class PosixProcess : public Process {
 public:
  Result<ProcessOutcome> run(const Command& command, const Deadline& deadline) override;
  Result<std::string> find(const std::string& name) override;
};

// Returns the path of the program that run() would start for this argv[0]. Fails with kMissing when
// there is none, kUsage when it may not be executed; what a script's first line asks for is not
// looked at.
Result<std::string> find_program(const std::string& name);

// Splits a command as a shell splits words: blanks separate, '...' and "..." group, a backslash
// takes the next character as it is (inside "..." before ", \, $ and ` only). Nothing is expanded.
// Fails when a quote is not closed or there is no word.
Result<std::vector<std::string>> split_command(std::string_view text);

// Returns one sentence: "exited with 3", "was killed by signal 9", "did not end within 10s".
std::string describe(const ProcessOutcome& outcome);

}  // namespace ha
