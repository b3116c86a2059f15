// SPDX-License-Identifier: MIT
#include "common/mysql/connector.h"

#include "common/mysql/connect.h"
#include "common/resolve.h"

namespace ha {

Result<std::unique_ptr<SqlSession>> MysqlConnector::connect(const MysqlOptions& options) {
  return ha::connect(options);
}

std::set<std::string> SystemResolver::resolve(const std::string& host) {
  return resolve_host(host);
}

ProbeEnv system_probe_env(Clock& clock) {
  // A call that was abandoned uses them until the program leaves.
  static MysqlConnector connector;
  static SystemResolver resolver;
  static ThreadWorkers workers;
  return {clock, connector, resolver, workers};
}

}  // namespace ha
