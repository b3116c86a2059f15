// SPDX-License-Identifier: MIT
#include "common/mysql/connector.h"

#include "common/address.h"
#include "common/mysql/session.h"

namespace ha {

Result<std::unique_ptr<SqlSession>> MysqlConnector::connect(const MysqlOptions& options) {
  return ha::connect(options);
}

std::set<std::string> SystemResolver::resolve(const std::string& host) {
  return resolve_host(host);
}

}  // namespace ha
