// SPDX-License-Identifier: MIT
// The system's whole Env: what a program that manages a cluster passes down from its main().

#pragma once

#include "common/env.h"

namespace ha {

class PosixNetwork : public Network {
 public:
  std::set<std::string> resolve(const std::string& host) override;
  bool reach(const HostPort& place, const Deadline& deadline) override;
  std::unique_ptr<VipHost> open_vip_host(const VipOptions& vip, const std::string& host,
                                         Process& process, const Deadline& deadline) override;
  Result<std::unique_ptr<LoginRelay>> start_relay(const HostPort& server, LoginTls tls) override;
};

// Returns the system itself. All but the clock is there to the last word of the program.
Env posix_env(Clock& clock);

}  // namespace ha
