// SPDX-License-Identifier: MIT
// A machine that an address is moved to or away from: ours, or another by a remote command.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/deadline.h"
#include "common/process.h"
#include "common/result.h"
#include "common/vip/local_address.h"
#include "common/vip/vip_commands.h"
#include "common/vip/vip_options.h"

namespace ha {

class VipHost {
 public:
  virtual ~VipHost() = default;

  // Returns all addresses of the machine.
  virtual Result<std::vector<LocalAddress>> addresses() = 0;

  // Looks whether another machine answers for the address, and fails with kRefused when one does.
  // Returns what is left to the kernel when the address is added.
  virtual Result<KernelCheck> prepare() = 0;

  // Runs a command that has to succeed.
  virtual Result<Done> run(const Argv& command) = 0;

  // Tells the network where the address is now; fails with kRefused when another machine claims it.
  virtual Result<Done> announce() = 0;
};

// Returns the machine of that name or address: ours when it is one of our own addresses or empty,
// else one that is reached by the remote command. Everything ends at the deadline. `vip` and
// `process` must outlive it.
std::unique_ptr<VipHost> open_vip_host(const VipOptions& vip, const std::string& host,
                                       Process& process, const Deadline& deadline);

}  // namespace ha
