// SPDX-License-Identifier: MIT
// Runs other programs, without a shell between us and them, within a deadline and with bounded
// output. The system's twin is in common/posix_process.h.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/result.h"
#include "common/server_process_id.h"

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

  // Returns the path of the program that run() would start for this argv[0], as find_program()
  // of common/posix_process.h.
  virtual Result<std::string> find(const std::string& name) { return name; }

  // Returns the process of that id, which is a MySQL or MariaDB server that listens on the TCP
  // port. Fails with kMissing when there is none, kRefused when it is another program or may not be
  // looked at.
  virtual Result<ServerProcess> find_server(int id, unsigned port) {
    return Error{Errc::kMissing,
                 "no server of port " + std::to_string(port) + " is process " + std::to_string(id)};
  }

  // True while that process exists, a stopped one too.
  virtual bool is_running(const ServerProcess&) { return false; }

  // Sends it SIGKILL; that it has ended is success. Does not wait for the end.
  virtual Result<Done> kill_server(const ServerProcess&) { return Done{}; }
};

// Splits a command as a shell splits words: blanks separate, '...' and "..." group, a backslash
// takes the next character as it is (inside "..." before ", \, $ and ` only). Nothing is expanded.
// Fails when a quote is not closed or there is no word.
Result<std::vector<std::string>> split_command(std::string_view text);

// Returns one sentence: "exited with 3", "was killed by signal 9", "did not end within 10s".
std::string describe(const ProcessOutcome& outcome);

}  // namespace ha
