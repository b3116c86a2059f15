// SPDX-License-Identifier: MIT
// How we prove to a server that we know the password. It is the server that names the way, in its
// greeting or later, and an impostor that answers in its place can name one that gives the password
// away.
// So each way that sends the password itself is ours, and asks the rules of the login first.

#pragma once

namespace ha {

// Where the password may be sent in clear text, to a plugin made for that (PAM, LDAP).
enum class ClearText {
  kNever,
  kLocally,   // only over a Unix socket
  kVerified,  // and over TLS with a server whose certificate was checked
};

// Why a login was given up before anything was given away.
enum class LoginRefusal {
  kNone,
  kUnprotected,  // caching_sha2_password or sha256_password wants the password, without TLS
  kNoTls,        // sha256_password wants it, and takes it over TLS only
  kClearText,    // it is wanted in clear text, and ClearText says no
};

// The rules of one login, and what became of it. A login without rules gives away nothing.
struct LoginRules {
  ClearText clear_text = ClearText::kNever;
  LoginRefusal refusal = LoginRefusal::kNone;
  bool sent = false;  // something was sent: TLS is up by now, or never
};

// The ways to log in that are allowed, for MARIADB_OPT_RESTRICTED_AUTH. The library looks for the
// server's word within this text, which is why mysql_old_password must not be part of any.
inline constexpr char kAllowedPlugins[] =
    "mysql_native_password,client_ed25519,parsec,caching_sha2_password,sha256_password,"
    "mysql_clear_password,dialog";

// Puts our plugins before those of files and of the library itself. Call it once, after the library
// has been started and before any login. Returns false when the library does not take them.
bool install_login_plugins();

// Sets the rules of this thread's next login; null when it is over.
void set_login_rules(LoginRules* rules);

}  // namespace ha
