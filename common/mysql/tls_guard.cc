// SPDX-License-Identifier: MIT
#include "common/mysql/tls_guard.h"

#ifdef MARIADB_PACKAGE_VERSION_ID

// Exported by the library, declared in a header that is not for its users.
extern "C" int ma_pvio_register_callback(my_bool add,
                                         void (*callback)(int, MYSQL*, const unsigned char*,
                                                          std::size_t));

namespace ha {

thread_local TlsGuard* TlsGuard::current_ = nullptr;

TlsGuard::TlsGuard(MYSQL* mysql, const MysqlOptions& options) : mysql_(mysql), options_(options) {
  [[maybe_unused]] static const int registered = ma_pvio_register_callback(1, &after_transfer);
  current_ = this;
  set_login_rules(&rules_);
}

TlsGuard::~TlsGuard() {
  current_ = nullptr;
  set_login_rules(nullptr);
}

bool TlsGuard::refused() const {
  constexpr unsigned kTlsError = 2026, kPluginNotAllowed = 5010;
  const unsigned error = mysql_errno(mysql_);
  return requires_tls_ && state_ == State::kRead &&
         (mysql_->server_capabilities & CLIENT_SSL) == 0 &&
         (error == kTlsError || error == kPluginNotAllowed || refusal() != LoginRefusal::kNone);
}

void TlsGuard::after_transfer(int written, MYSQL* mysql, const unsigned char*, std::size_t) {
  if (current_ == nullptr || current_->mysql_ != mysql) return;
  if (written == 0 && current_->state_ == State::kBegun) current_->before_login();
  if (written != 0 && current_->state_ == State::kRead) current_->before_tls();
}

void TlsGuard::before_login() {
  state_ = State::kRead;
  const TlsMode mode = effective_tls_mode(options_);
  requires_tls_ = mode >= TlsMode::kRequired;
  if (options_.clear_text)
    rules_.clear_text = mode >= TlsMode::kVerifyCa ? ClearText::kVerified : ClearText::kLocally;
  mysql_get_option(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies_);
  // With this the library itself gives up without TLS, and has sent nothing.
  const my_bool on = 1;
  if (requires_tls_) mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
}

void TlsGuard::before_tls() {
  state_ = State::kWritten;
  rules_.sent = true;
  mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies_);
}

}  // namespace ha

#endif
