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

}  // namespace ha
