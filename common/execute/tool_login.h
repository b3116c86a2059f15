// SPDX-License-Identifier: MIT
// How a tool of MySQL's or MariaDB's (mysqldump, mysqlbinlog) logs in to a node with our account:
// by an option file, with no client plugin but those that neither print, ask nor give a password
// away, and through a port of this machine's loopback where a LoginGuard sees to it that nothing
// leaves before TLS is up. With verify-identity, or verify-ca without a CA, the tools see to that
// themselves. Within TLS that is not verified the guard sees nothing.

#pragma once

#include <memory>
#include <string>

#include "common/context/login_relay.h"
#include "common/env.h"
#include "common/mysql/options.h"
#include "common/mysql/topology.h"
#include "common/process.h"
#include "common/result.h"

namespace ha {

class ToolLogin {
 public:
  // Makes PATH.cnf and PATH.plugins, which the destructor removes. `node` is the one whose facts
  // tell the flavour.
  static Result<std::unique_ptr<ToolLogin>> prepare(const Env& env, const Node& node,
                                                    const MysqlOptions& options,
                                                    const std::string& path);
  explicit ToolLogin(Files& files) : files_(files) {}
  ToolLogin(const ToolLogin&) = delete;
  ToolLogin& operator=(const ToolLogin&) = delete;
  ~ToolLogin();

  // The node at the address where the tool is to connect.
  const Node& node() const { return node_; }
  // Adds the option file, as the first option, and an environment that loads nothing.
  void add_to(Command& command) const;
  // Returns why a tool failed that has said `words`: its login was ended, or these words, with what
  // to do about a plugin that it did not get.
  std::string explain(const std::string& words) const;

 private:
  Result<Done> link_plugins(const MysqlOptions& options) const;

  Files& files_;
  Node node_ = {};
  std::string file_, plugins_;
  std::unique_ptr<LoginRelay> relay_;
};

// Returns a MySQL option file with the account and TLS settings of `options`; the tools take client
// plugins from `plugins` alone.
std::string client_options(const MysqlOptions& options, Flavour flavour,
                           const std::string& plugins);

// Removes the option files and plugin directories that runs have left in a store when they were
// killed: there are passwords in them. Precondition: no run is at work there.
void remove_login_files(Files& files, const std::string& store);

}  // namespace ha
