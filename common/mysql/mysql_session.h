// SPDX-License-Identifier: MIT
// A session by the client library, whose results are read within limits. For session.cc only.

#pragma once

#include <mysql.h>

#include <mutex>
#include <string>

#include "common/mysql/max_packet.h"
#include "common/mysql/session.h"
#include "common/mysql/session_error.h"
#include "common/mysql/transfer_limit.h"

namespace ha {

// The descriptions of a result's columns, or all that a server sends at the login.
inline constexpr std::size_t kMaxHeader = 1u << 20;

// What is read of one result.
struct ResultLimit {
  std::size_t rows, bytes;
};

class MysqlSession : public SqlSession {
 public:
  MysqlSession(Peer peer, unsigned answer_timeout_s);
  ~MysqlSession() override;
  MysqlSession(const MysqlSession&) = delete;
  MysqlSession& operator=(const MysqlSession&) = delete;

  // Null when there was no memory for it.
  MYSQL* handle() { return mysql_; }
  // Keeps what the greeting says, once the login has succeeded.
  void remember_version();
  // Returns what went wrong with the login.
  Error login_error(const TransferLimit& transfer) const;

  const Version& version() const override { return version_; }
  int socket() const override { return socket_of(mysql_); }
  Result<Rows> query(const std::string& sql) override;
  Result<Rows> query_long(const std::string& sql) override;

 private:
  Result<Rows> run(const std::string& sql, const ResultLimit& limit);
  Result<Done> read_rows(MYSQL_RES* result, TransferLimit& transfer, const ResultLimit& limit,
                         const std::string& sql, Rows& rows);
  Error error(const TransferLimit& transfer, const ResultLimit& limit,
              const std::string& sql) const;
  Error too_large(const ResultLimit& limit, const std::string& sql) const;

  // A probe that did not wait for an answer leaves a thread behind, which is still reading it.
  std::mutex in_use_;
  Peer peer_;
  MYSQL* mysql_;
  unsigned answer_timeout_s_;
  Version version_;
};

}  // namespace ha
