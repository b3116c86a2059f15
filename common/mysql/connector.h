// SPDX-License-Identifier: MIT
// Logs in to real servers, whose names the system's resolver knows.

#pragma once

#include "common/env.h"

namespace ha {

class MysqlConnector : public Connector {
 public:
  Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) override;
};

class SystemResolver : public Resolver {
 public:
  std::set<std::string> resolve(const std::string& host) override;
};

// Returns what reading real servers needs. All but the clock is there to the last word of the
// program.
ProbeEnv system_probe_env(Clock& clock);

}  // namespace ha
