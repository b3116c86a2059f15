// SPDX-License-Identifier: MIT
// Holds the client library to the TLS mode while it logs in. MariaDB's takes the mode for a wish:
// where the server offers no TLS, it logs in without, and has sent the account's name before we
// could know. It asks us nothing, but calls back after each transfer. When the greeting has been
// read, nothing has been sent yet; the first thing that is written is our wish for TLS, or else the
// login without it. So between the two the library is told to verify the certificate, with which it
// gives up by itself where there is no TLS. For session.cc only.

#pragma once

#include <mysql.h>

#include "common/mysql/login_plugins.h"
#include "common/mysql/options.h"

namespace ha {

#ifdef MARIADB_PACKAGE_VERSION_ID

// Guards the login that this thread makes on `mysql` while it lives, and sets its LoginRules. One
// at a time in a thread.
class TlsGuard {
 public:
  TlsGuard(MYSQL* mysql, const MysqlOptions& options);
  ~TlsGuard();
  TlsGuard(const TlsGuard&) = delete;
  TlsGuard& operator=(const TlsGuard&) = delete;

  // True when the login was given up because the server offers no TLS.
  bool refused() const;

  // Why the login was given up otherwise.
  LoginRefusal refusal() const { return rules_.refusal; }

 private:
  enum class State { kBegun, kRead, kWritten };

  static void after_transfer(int written, MYSQL* mysql, const unsigned char*, std::size_t);
  void before_login();
  void before_tls();

  // The callback has no argument of ours.
  static thread_local TlsGuard* current_;
  MYSQL* mysql_;
  const MysqlOptions& options_;
  LoginRules rules_;
  State state_ = State::kBegun;
  bool requires_tls_ = false;
  my_bool verifies_ = 0;  // whether the certificate is to be checked
};

#else

// Oracle's library needs no such care.
class TlsGuard {
 public:
  TlsGuard(MYSQL*, const MysqlOptions&) {}
  bool refused() const { return false; }
  LoginRefusal refusal() const { return LoginRefusal::kNone; }
};

#endif

}  // namespace ha
