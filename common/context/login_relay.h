// SPDX-License-Identifier: MIT
// A port of this machine for a tool's login, between which and the server a LoginGuard stands
// (common/execute/tool_login.h).

#pragma once

#include <memory>
#include <string>

#include "common/address.h"
#include "common/context/login_guard.h"
#include "common/result.h"

namespace ha {

// A port of 127.0.0.1 that leads to a server, through a LoginGuard for each connection.
class LoginRelay {
 public:
  // Resolves the server's name, which blocks as long as the resolver does. Fails with kUnreachable
  // when it has none, with kInternal when this machine has no port, descriptor or thread for it.
  static Result<std::unique_ptr<LoginRelay>> start(const HostPort& server, LoginTls tls);
  LoginRelay() = default;
  LoginRelay(const LoginRelay&) = delete;
  LoginRelay& operator=(const LoginRelay&) = delete;
  // Ends the connections that are left.
  virtual ~LoginRelay() = default;

  virtual unsigned port() const = 0;
  // Why the last login was ended, the tool's or that of another user of this machine; empty: none
  // was.
  virtual std::string refusal() const = 0;
};

}  // namespace ha
