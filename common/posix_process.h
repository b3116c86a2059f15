// SPDX-License-Identifier: MIT
// Runs other programs on this machine. A program that outlives its deadline is killed with its
// process group; one that cannot be killed (it hangs in the kernel) is abandoned, never waited for.
//
// A program may also have to end when we do, however we end (SIGKILL, a hang-up): then a process of
// ours leads its group and kills it. PR_SET_PDEATHSIG would reach the program but not its children,
// and would strike when the thread ends that started it.

#pragma once

#include <string>

#include "common/process.h"
#include "common/result.h"
#include "common/server_process.h"

namespace ha {

class PosixProcess : public Process {
 public:
  Result<ProcessOutcome> run(const Command& command, const Deadline& deadline) override;
  Result<std::string> find(const std::string& name) override;
  Result<ServerProcess> find_server(int id, unsigned port) override;
  bool is_running(const ServerProcess& process) override;
  Result<Done> kill_server(const ServerProcess& process) override;

 private:
  ProcessWatch watch_ = {};
};

// Returns the path of the program that run() would start for this argv[0]. Fails with kMissing when
// there is none, kUsage when it may not be executed; what a script's first line asks for is not
// looked at.
Result<std::string> find_program(const std::string& name);

}  // namespace ha
