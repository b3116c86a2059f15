// SPDX-License-Identifier: MIT
// One connection to a server. The files of this folder that include mysql.h are the only ones that
// know the client library, and use the calls that Oracle's libmysqlclient and MariaDB Connector/C
// share; everything above works on rows of text.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mysql/options.h"
#include "common/mysql/quote.h"
#include "common/mysql/rows.h"
#include "common/mysql/session_error.h"
#include "common/mysql/version.h"
#include "common/result.h"

namespace ha {

class SqlSession {
 public:
  virtual ~SqlSession() = default;

  // Runs one statement and reads all of its result: at most 10,000 rows and 32 MiB of memory. Of a
  // server that sends more nothing more is taken, and the session has ended.
  virtual Result<Rows> query(const std::string& sql) = 0;

  // The same for what may be long on a sound server, such as lists of tables or clients: at most a
  // million rows and 256 MiB.
  virtual Result<Rows> query_long(const std::string& sql) { return query(sql); }

  // The version that the server's greeting gave.
  virtual const Version& version() const = 0;
};

// Connects and logs in, by complete options (complete_login()). Fails with kUnreachable, kRefused,
// kAccessDenied or kUsage (the host). Blocks as long as the network does: the caller's hard stop
// bounds it.
Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options);

// Runs a statement and returns the one cell of its first row; kBadData when there is none.
Result<std::string> query_value(SqlSession& session, const std::string& sql);

// Returns the statement that gives the session's account `privilege` on `object`, ready to be run
// by an administrator.
std::string grant_statement(SqlSession& session, std::string_view privilege,
                            std::string_view object);

}  // namespace ha
