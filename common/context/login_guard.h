// SPDX-License-Identifier: MIT
// What may pass between a tool of MySQL's or MariaDB's and a server, or a man in the middle,
// while the tool logs in. MariaDB's tools take "ssl" for a wish and log in without TLS where the
// greeting offers none, and both flavours' answer whatever way of logging in they are asked for.
// Pure. Source: MySQL's "Client/Server Protocol", "Connection Phase".

#pragma once

#include <string>
#include <string_view>

namespace ha {

enum class LoginTls { kAsOffered, kRequired };

class LoginGuard {
 public:
  // What to type where PAM or LDAP asks by a plugin that no tool gets.
  static constexpr const char* kNoDialog =
      "the tools take no dialog: set pam_use_cleartext_plugin=ON on the server and give "
      "--enable-cleartext-plugin and --ssl-mode=verify-identity";

  explicit LoginGuard(LoginTls tls) : tls_(tls) {}

  // Take what one side has sent and return what may be passed on now, perhaps nothing yet. Once
  // TLS is up, or the tool has begun a command, that is everything.
  std::string from_server(std::string_view bytes);
  std::string from_client(std::string_view bytes);

  // Why nothing may pass any more; empty: it may. Holds no text of the server's.
  const std::string& refusal() const { return refusal_; }

 private:
  enum class Phase { kGreeting, kHandshake, kPlainLogin, kOpen, kRefused };

  static constexpr const char* kOutOfTurn = "the server does not greet as MySQL and MariaDB do";

  std::string refuse(std::string reason);
  std::string judge_first_answer();
  std::string pass_login();
  // Judges one packet of the server's, the greeting without its header; false: refused.
  bool judge_greeting(std::string_view payload);
  bool judge_plain(std::string_view packet);

  const LoginTls tls_;
  Phase phase_ = Phase::kGreeting;
  // Why an answer without TLS would give the password away, as far as we have seen.
  std::string unsafe_ = kOutOfTurn;
  std::string server_, client_;  // held until it is a whole packet
  std::string refusal_;
};

}  // namespace ha
