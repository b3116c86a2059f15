// SPDX-License-Identifier: MIT
#include "common/mysql/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace ha {

Result<std::string> query_value(SqlSession& session, const std::string& sql) {
  const auto rows = session.query(sql);
  if (!rows) return rows.error();
  if (rows->cells.empty() || rows->cells[0].empty() || !rows->cells[0][0])
    return Error{Errc::kBadData, "no value from: " + sql};
  return *rows->cells[0][0];
}

std::string grant_statement(SqlSession& session, std::string_view privilege,
                            std::string_view object) {
  const auto account = query_value(session, "SELECT CURRENT_USER()");
  std::string user = account ? *account : "USER@HOST";
  const std::size_t at = user.rfind('@');
  if (at != user.npos) user = "'" + user.substr(0, at) + "'@'" + user.substr(at + 1) + "'";
  return fmt::format("GRANT {} ON {} TO {}", privilege, object, user);
}

bool is_no_answer(const Error& error) {
  constexpr unsigned kTlsError = 2026;
  // Sources: mysqld_error.h and errmsg.h. No socket, no connection, unknown host; gone, lost; lost
  // with a reason of the system's; shutting down.
  constexpr unsigned kNoAnswer[] = {2001, 2002, 2003, 2004, 2005, 2006, 2013, 2055, 1053};
  // The words of OpenSSL for a connection that broke in the handshake.
  constexpr std::string_view kBroken[] = {"unexpected eof", "(104)", "(110)", "(11)", "(32)"};
  if (error.code != Errc::kUnreachable) return false;
  if (error.server_errno == kTlsError)
    return std::ranges::any_of(kBroken, [&](std::string_view words) {
      return error.text.find(words) != std::string::npos;
    });
  return std::ranges::find(kNoAnswer, error.server_errno) != std::end(kNoAnswer);
}

bool is_refused(const Error& error) {
  // Those of the two client libraries: no connection, no host.
  return (error.server_errno == 2002 || error.server_errno == 2003) &&
         (error.text.find("(111)") != std::string::npos ||
          error.text.find("refused") != std::string::npos);
}

bool may_be_restarting(const Error& error) {
  return is_no_answer(error) || error.code == Errc::kRefused;
}

}  // namespace ha
