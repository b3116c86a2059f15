// SPDX-License-Identifier: MIT
// One copying, from the first query to the end: what copy.cc and the three methods share.

#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "common/resync/copy.h"
#include "common/resync/copy_method.h"
#include "common/resync/copy_sessions.h"
#include "common/resync/copy_target.h"
#include "common/resync/copy_verify.h"
#include "common/resync/copy_watch.h"
#include "common/resync/dump.h"

namespace ha {

std::string mebibytes(double bytes);

// The databases that are not data, as a list in SQL.
inline constexpr char kSystemDatabases[] =
    "('information_schema', 'mysql', 'performance_schema', 'sys')";

class Copier {
 public:
  Copier(const Env& env, const CopyTask& task, const FailoverOptions& options,
         const ResyncOptions& resync, const CopyBegins& begins, const Log& log);

  Result<CopyResult> copy();
  Result<Done> check();

 private:
  using Session = CopySessions::Session;

  Result<CopyMethod> prepare();
  // Fails when the account lacks a privilege on either side that the method needs.
  Result<Done> expect_privileges(CopyMethod method) const;
  // Asks the source how much there is, and what does not suit every method.
  Result<Done> survey();
  Result<CopyMethod> choose();

  Result<BinlogPosition> dump_and_load(const std::string& path);
  Result<Done> complete_gtids(CopyMoment& moment);
  double size_of(const std::string& path) const;
  Result<CopyMoment> dump(const std::string& path);
  Result<Done> load(const std::string& path);
  Result<Done> load_statements(const std::string& path);
  static Result<Done> drop_databases(SqlSession& session);
  // Returns MariaDB's gtid_binlog_state of the copy.
  Result<std::string> logged_gtids(const CopyMoment& moment) const;
  // Its history is that of the data from now on.
  Result<Done> finish(const CopyMoment& moment);

  Result<BinlogPosition> run_command(const std::string& path);
  Result<Done> copy_by_command(const std::string& path);
  // Fails when a server that was started again works already, without our knowing what it did.
  static Result<Done> expect_idle(SqlSession& session);

  Result<BinlogPosition> clone();
  static Result<Done> install_clone(SqlSession& session);
  Result<Done> keep_closed();
  Result<std::string> clone_statement() const;
  std::string describe_clone();
  Result<Done> await_clone(const std::string& error);

  const Env env_;
  const CopyTask& task_;
  const FailoverOptions& options_;
  const ResyncOptions& resync_;
  const Log& log_;
  CopySessions sessions_;
  CopyWatch watch_;
  CopyVerifier verifier_;
  CopyTarget target_;
  CopyFacts facts_ = {};
  double bytes_ = 0;  // of the source
  // MariaDB's gtid_slave_pos and gtid_binlog_state, before the copying.
  std::string source_applied_ = {}, source_logged_ = {};
};

}  // namespace ha
