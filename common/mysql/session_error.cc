// SPDX-License-Identifier: MIT
#include "common/mysql/session_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>

#include "common/machine.h"
#include "common/reach.h"
#include "common/text.h"

// Error numbers of clients and servers; the names differ between the two libraries' headers.
namespace {
constexpr unsigned kClientErrors = 2000, kClientErrorsEnd = 3000;
constexpr unsigned kTooManyConnections = 1040, kDbAccessDenied = 1044, kAccessDeniedForUser = 1045,
                   kUnknownDatabase = 1049, kHostBlocked = 1129, kHostNotPrivileged = 1130,
                   kTableAccessDenied = 1142, kColumnAccessDenied = 1143, kNoSuchTable = 1146,
                   kTooManyUserConnections = 1203, kUserLimitReached = 1226,
                   kSpecificAccessDenied = 1227, kAccessDeniedNoPassword = 1698,
                   kMustChangePassword = 1820, kMustChangePasswordLogin = 1862,
                   kAccountLocked = 3118, kAccountHasBeenLocked = 4151, kServerShutdown = 1053,
                   kNotSupportedAuth = 1251, kUnknownCommand = 1047, kOutOfSync = 2014,
                   kServerIsOffline = 3032, kPluginNotAllowed = 5010;
constexpr int kHighestErrno = 4096;
}  // namespace

namespace ha {

namespace {

Errc classify_errno(unsigned number) {
  switch (number) {
    case kTooManyConnections:
    case kHostBlocked:
    case kTooManyUserConnections:
    case kUserLimitReached:
    case kServerIsOffline:
    case kUnknownCommand:  // the answer of a Galera node that is not ready or rejects queries
      return Errc::kRefused;
    case kAccessDeniedForUser:
    case kHostNotPrivileged:
    case kAccessDeniedNoPassword:
    case kMustChangePassword:
    case kMustChangePasswordLogin:
    case kAccountLocked:
    case kAccountHasBeenLocked:
    case kNotSupportedAuth:
      return Errc::kAccessDenied;
    case kDbAccessDenied:
    case kTableAccessDenied:
    case kColumnAccessDenied:
    case kSpecificAccessDenied:
      return Errc::kPrivilege;
    case kUnknownDatabase:
    case kNoSuchTable:
      return Errc::kMissing;
    case kServerShutdown:
      return Errc::kUnreachable;
    case kOutOfSync:
      return Errc::kInternal;
    default:
      return number >= kClientErrors && number < kClientErrorsEnd ? Errc::kUnreachable
                                                                  : Errc::kBadData;
  }
}

// Returns the errno that ends an error's text, "... (111)", 0 when there is none.
int errno_of(std::string_view text) {
  const std::size_t begin = text.rfind('(');
  if (begin == text.npos || !text.ends_with(')')) return 0;
  const auto number = parse_integer(text.substr(begin + 1, text.size() - begin - 2));
  return number && *number > 0 && *number < kHighestErrno ? static_cast<int>(*number) : 0;
}

// True for an error of this machine's: no descriptor, no memory, no port or buffer for one more
// connection, a packet filter that lets none out. It is no fact of the server.
bool is_our_own(unsigned number, int reason, const std::optional<HostPort>& place) {
  constexpr unsigned kNoSocket = 2001, kNotConnected = 2002, kNotConnectedTo = 2003,
                     kNoTcpSocket = 2004, kOutOfMemory = 2008;
  if (number == kNoSocket || number == kOutOfMemory) return true;
  if (number == kNoTcpSocket && reason != EAFNOSUPPORT) return true;
  if (place && (number == kNotConnected || number == kNotConnectedTo || number == kNoTcpSocket))
    return is_cut_off(reason, *place);
  return is_own_want(reason) || reason == EPERM || reason == EACCES;
}

// MariaDB's library wraps an error that the server sends before TLS is up, such as that it takes no
// more connections: "Received error packet before completion of TLS handshake. ...: 1040 - Too
// many".
void unwrap_early_error(LibraryFailure& failure) {
  constexpr std::string_view kSeparator = " - ";
  std::string& text = failure.text;
  if (!text.starts_with("Received error packet before completion of TLS handshake")) return;
  const std::size_t colon = text.find(": "), dash = text.find(kSeparator);
  if (colon >= dash || dash == text.npos) return;
  const auto number = parse_integer(std::string_view(text).substr(colon + 2, dash - colon - 2));
  if (!number || *number <= 0) return;
  failure.number = static_cast<unsigned>(*number);
  text.erase(0, dash + kSeparator.size());
}

// The library's text for this error has the server's own words in it.
Error describe_plugin_not_allowed(const std::string& label, bool speaks_mysql) {
  if (!speaks_mysql)
    return {Errc::kUnreachable, label + ": the answer is not that of a MySQL server",
            kPluginNotAllowed};
  return {Errc::kAccessDenied,
          label + ": access denied: the server names a way to log in that is not allowed",
          kPluginNotAllowed};
}

// Puts the words that an operator searches for into a text, and takes out those that mislead.
std::string clarify(std::string text, Errc code, int reason) {
  if (code == Errc::kAccessDenied) {
    // Servers speak many languages.
    if (text.starts_with("Access denied"))
      text[0] = 'a';
    else
      text = "access denied: " + text;
  }
  // MariaDB's library gives its own EINPROGRESS, whatever became of the connection. And a name's
  // last address may be one that could not be tried.
  constexpr int kEmpty[] = {EINPROGRESS, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM, EACCES};
  if (code == Errc::kUnreachable && std::ranges::find(kEmpty, reason) != std::end(kEmpty))
    text.replace(text.rfind('(') + 1, text.npos, "refused or unreachable)");
  return text;
}

}  // namespace

Error describe_failure(const Peer& peer, LibraryFailure failure) {
  failure.text = sanitize(failure.text);
  unwrap_early_error(failure);
  const unsigned number = failure.number;
  if (number == kPluginNotAllowed)
    return describe_plugin_not_allowed(peer.label, failure.speaks_mysql);
  if (trim(failure.text).empty())
    failure.text = fmt::format("error {} without a text, in answer to {}", number,
                               name_statement(failure.statement));
  const Errc code = classify_errno(number);
  const int reason = errno_of(failure.text);
  if (code == Errc::kUnreachable && number >= kClientErrors &&
      (is_our_own(number, reason, peer.place) || lacks_resources()))
    return {Errc::kInternal, fmt::format("{}: {}{}", peer.label, failure.text, kOwnWant), number};
  return {code, fmt::format("{}: {}", peer.label, clarify(std::move(failure.text), code, reason)),
          number};
}

Error describe_refusal(const std::string& label, LoginRefusal refusal) {
  if (refusal == LoginRefusal::kNoTls)
    return {Errc::kAccessDenied,
            label +
                ": access denied: sha256_password takes a password over TLS only, also from a "
                "Unix socket: let the server offer TLS, and --ssl-mode not be disabled"};
  if (refusal == LoginRefusal::kUnprotected)
    return {Errc::kAccessDenied,
            label +
                ": access denied: the server wants the password itself, which is sent over TLS "
                "or a Unix socket only: let the server offer TLS, and --ssl-mode not be disabled"};
  return {Errc::kAccessDenied,
          label +
              ": access denied: the server wants the password in clear text, which is sent with "
              "--enable-cleartext-plugin only, over verified TLS (--ssl-mode verify-identity) "
              "or a Unix socket"};
}

std::string name_statement(const std::string& sql) {
  constexpr std::size_t kMost = 60;
  if (sql.empty()) return "the login";
  return "'" + sanitize(shorten(trim(sql.substr(0, sql.find_first_of("'\""))), kMost)) + "'";
}

}  // namespace ha
