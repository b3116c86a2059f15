// SPDX-License-Identifier: MIT
// One connection to a server. session.cc is the only user of mysql.h, with the calls that Oracle's
// libmysqlclient and MariaDB Connector/C share; everything above works on rows of text.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/options.h"
#include "common/mysql/version.h"
#include "common/result.h"

namespace ha {

// A result set. SQL NULL is nullopt.
struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> cells;
};

// One row of a result set, read by column name. Refers to its Rows.
class Row {
 public:
  Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

  bool has(std::string_view column) const;
  // All three: nullopt when the column is absent, NULL or (for numbers) not a number.
  std::optional<std::string> text(std::string_view column) const;
  std::optional<double> number(std::string_view column) const;
  std::optional<long long> integer(std::string_view column) const;

 private:
  std::optional<std::size_t> find(std::string_view column) const;
  const Rows* rows_;
  std::size_t index_;
};

class SqlSession {
 public:
  virtual ~SqlSession() = default;

  // Runs one statement and reads all of its result: at most 10,000 rows and 32 MiB of memory. Of a
  // server that sends more nothing more is taken, and the session has ended.
  virtual Result<Rows> query(const std::string& sql) = 0;

  // The same for what may be long on a sound server, such as lists of tables or clients: at most a
  // million rows and 256 MiB.
  virtual Result<Rows> query_long(const std::string& sql) { return query(sql); }

  // What the server said it is when it greeted us.
  virtual const Version& version() const = 0;
};

// Connects and logs in, by complete options (complete_login()). Fails with kUnreachable, kRefused,
// kAccessDenied or kUsage (the host). Blocks as long as the network does: the caller's hard stop
// bounds it.
Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options);

// Runs a statement and returns the one cell of its first row; kBadData when there is none.
Result<std::string> query_value(SqlSession& session, const std::string& sql);

// True when an error says that nothing answered. Any other proves that somebody is there, such as
// one that takes no more connections, or whose certificate has expired.
bool is_no_answer(const Error& error);

// Returns the statement that gives the session's account `privilege` on `object`, ready to be run
// by an administrator.
std::string grant_statement(SqlSession& session, std::string_view privilege,
                            std::string_view object);

// Quotes one identifier with backticks, "db.table" as two.
std::string quote_identifier(std::string_view name);
std::string quote_table(std::string_view name);

// Quotes a string literal. Safe in every sql_mode: the text goes as hexadecimal when it holds
// anything but plain printable characters.
std::string quote_string(std::string_view text);

// Quotes a string for CHANGE ... TO and the names of channels, which take no hexadecimal literals.
// Where it has a backslash, sql_mode must not have NO_BACKSLASH_ESCAPES.
std::string quote_text(std::string_view text);

}  // namespace ha
