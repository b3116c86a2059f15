// SPDX-License-Identifier: MIT
// What copy.cc and the files copy_*.cc share: one copying, from the first look to the end.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/compare.h"
#include "common/failover/copy.h"
#include "common/failover/copy_mark.h"
#include "common/failover/dump.h"
#include "common/parallel.h"

namespace ha {

// Runs statements one after the other.
Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements);

std::string mebibytes(double bytes);

// Whether all tables that are copied are InnoDB's.
enum class Engines { kInnodb, kSeveral };

class Copier {
 public:
  Copier(const Env& env, const CopyTask& task, const FailoverOptions& options,
         const ResyncOptions& resync, const CopyBegins& begins, const Log& log)
      : env_(env),
        from_(task.from),
        to_(task.to),
        primary_(task.primary),
        run_id_(task.run_id),
        options_(options),
        resync_(resync),
        begins_(begins),
        log_(log),
        deadline_(Deadline::after(env.clock, resync.timeout_s)),
        record_(env.files, options, task.to.name) {}

  Result<CopyResult> copy();
  Result<Done> check();

 private:
  using Session = std::shared_ptr<SqlSession>;
  static constexpr double kWatch_s = 1, kTell_s = 5, kAlive_s = 60;
  // For one statement, and for a lock that another run has.
  static constexpr double kAnswer_s = 600;
  static constexpr int kPatience_s = 60;
  // For a server to come back after its data were replaced, by itself or by hand.
  static constexpr double kRestart_s = 600, kPoll_s = 0.2;
  // The databases that are not data.
  static constexpr char kSystem[] = "('information_schema', 'mysql', 'performance_schema', 'sys')";
  // What the note says beside that the copy was begun: to be put back when it is whole.
  static constexpr char kBegun[] = "begun", kPersisted[] = "super_read_only",
                        kEvents[] = "event_scheduler";

  bool is_mysql() const { return target_->version().flavour == Flavour::kMysql; }

  Result<Done> open_sessions();
  Result<CopyMethod> prepare();
  // Fails when the account lacks a privilege on either side that the method needs.
  Result<Done> expect_privileges(CopyMethod method) const;
  // `answer_s`: how long one statement may take.
  Result<Session> connect_to(const Node& node, double answer_s) const;
  static Result<Done> take_lock(SqlSession& session, const std::string& name, int patience_s);
  // Returns a session with the target that may be busy for long. What one of a run that was killed
  // still does there has ended before.
  Result<Session> connect_worker() const;
  Result<Done> end_old_worker();
  // Does something to the target while no failover can choose it.
  Result<Done> under_lock(const std::function<Result<Done>()>& work);
  Result<Done> look();
  Result<std::string> why_no_clone() const;
  Result<CopyMethod> choose_method() const;
  // Tells now and then how far it is; false when it is to end, for the reason of `ended_`.
  bool watch(const std::function<std::string()>& progress);
  // Waits for work in a thread of its own, which is abandoned when it is to end: the program leaves
  // by _exit, and the server notices.
  Result<Done> attend(std::function<Result<Done>()> work,
                      const std::function<std::string()>& progress);
  // Before anything is replaced: no channel may write into it, nobody may take it for whole. Until
  // now it could be promoted like any other. Stopping may take long, so nobody waits for that.
  Result<Done> begin();
  // Puts everything back as it was, since nothing was replaced: the `channels` ran.
  void take_back(const std::vector<ChannelStatus>& channels);
  // Fails when somebody has acted on the node, or written to it, since it was looked at.
  Result<Done> expect_unchanged();
  // From here on only we write to it: read_only stays, which leaves administrators, and events that
  // run as one.
  Result<Done> close_and_mark();
  Result<Done> forget_sources();
  // Puts back what was changed for the time of the copying.
  Result<Done> restore();
  Result<Done> disable_events();

  double size_of(const std::string& path) const;
  Result<BinlogPosition> dump_and_load(const std::string& path);
  Result<Done> complete_gtids(CopyMoment& moment);
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
  Result<Session> await_server();
  // Fails when a server that was started again works already, without our knowing what it did.
  static Result<Done> expect_idle(SqlSession& session);
  // A server that was started again knows nothing of us. The copy of a replica follows its source
  // as that one does.
  Result<Done> take_over(const Session& session);

  Engines engines() const;
  // Notes what the source has counted, as long as its rows are not being counted.
  void note_activity();
  // Counts the rows of the source in a thread of its own, which may be abandoned.
  Result<Done> start_counting();
  Result<RowCounts> await_counts();
  Result<RowCounts> count_copy();
  // Fails when the target has not the rows that the source had at a moment.
  Result<Done> verify(const BinlogPosition& moment);
  Error unverified(const Error& error) const;
  enum class Checksums { kEqual, kDiffer, kUnknown };
  Result<Done> compare_checksums(const RowCounts& source, const RowActivity& before,
                                 double budget_s, Differences& found, std::size_t& equal);
  Result<Checksums> compare_checksum(const Session& theirs, const Session& ours,
                                     const std::string& name, const TableRows& table,
                                     const RowActivity& before);

  Result<BinlogPosition> clone();
  static Result<Done> install_clone(SqlSession& session);
  Result<Done> keep_closed();
  Result<std::string> clone_statement() const;
  std::string describe_clone();
  Result<Done> await_clone(const std::string& error);

  const Env env_;
  const Node &from_, &to_, &primary_;
  const std::string& run_id_;
  const FailoverOptions& options_;
  const ResyncOptions& resync_;
  const CopyBegins& begins_;
  const Log& log_;
  const Deadline deadline_;
  CopyRecord record_;
  bool marked_ = false;  // the target was closed and marked, or that was begun
  std::vector<std::string> warnings_ = {};
  std::vector<RowActivity> activity_ = {};                 // of the source, by time
  std::optional<Pending<Result<RowCounts>>> counts_ = {};  // of the source
  std::shared_ptr<std::atomic<std::size_t>> counted_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  Deadline told_ = deadline_.from_now(kTell_s), alive_ = deadline_.from_now(kAlive_s);
  std::optional<Error> ended_ = {};              // why it is not gone on with
  Session source_ = nullptr, target_ = nullptr;  // answer within kAnswer_s
  Session guard_ = nullptr;                      // with the primary, and a lock there
  double bytes_ = 0;
  long long foreigners_ = 0, versioned_ = 0;  // tables that are not InnoDB's; that have a history
  // MariaDB's gtid_slave_pos and gtid_binlog_state, before the copying.
  std::string source_applied_ = {}, source_logged_ = {};
};

}  // namespace ha
