// SPDX-License-Identifier: MIT
// One connection to a server, whose answers are rows of text. What makes one is in
// common/mysql/connect.h.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/mysql/options.h"
#include "common/mysql/quote.h"
#include "common/mysql/rows.h"
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

  // The descriptor of the connection, which can be read when the server has ended it; -1: none.
  virtual int socket() const { return -1; }
};

// Runs a statement and returns the one cell of its first row; kBadData when there is none.
Result<std::string> query_value(SqlSession& session, const std::string& sql);

// Returns the statement that gives the session's account `privilege` on `object`, ready to be run
// by an administrator.
std::string grant_statement(SqlSession& session, std::string_view privilege,
                            std::string_view object);

// True when an error says that nothing answered. Any other proves that a server is there, such as
// one that takes no more connections, or whose certificate has expired.
bool is_no_answer(const Error& error);

// True when the machine of a server answered that nothing listens there.
bool is_refused(const Error& error);

// True when a server that starts again may answer so: not at all, or that it takes no connection.
// One that shuts down tells new connections that there are too many (1040).
bool may_be_restarting(const Error& error);

}  // namespace ha
