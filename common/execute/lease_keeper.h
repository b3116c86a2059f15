// SPDX-License-Identifier: MIT
// Keeps the lease of the primary beside one server: while that takes writes, its guard has the
// votes of a majority, which no other guard can have then (common/context/ballot.h). When they are
// lost the server is closed before the lease ends, and killed when that takes too long
// (common/failover/lease_decision.h).
//
// On each voter one session shows that the guard runs (FailoverOptions::guard_lock()), and has the
// vote while the server takes writes. One loop decides and begins what is due at the voters, at the
// server and on disk, each in a thread of its own: none of them waits for what hangs elsewhere.

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/ballot.h"
#include "common/env.h"
#include "common/execute/closing_record.h"
#include "common/execute/duties.h"
#include "common/execute/log.h"
#include "common/execute/majority_record.h"
#include "common/execute/own_server.h"
#include "common/failover/lease_decision.h"
#include "common/parallel.h"
#include "common/result.h"
#include "common/watchdog.h"

namespace ha {

struct LeaseStatus {
  std::size_t votes = 0, voters = 0;  // that are ours at this moment, of how many
  std::optional<double> left_s = {};  // until the server is closed; nullopt: there is no lease
  std::string obstacle = {};          // why votes are missing; empty: none is
  bool recalled = false;              // that is what an earlier guard of this node has left
  bool wanted = false;                // the server takes writes, so it is to have the lease
  std::string unkillable = {};        // why it could not be killed if it hung; empty: it could be
};

class LeaseKeeper : public std::enable_shared_from_this<LeaseKeeper> {
 public:
  // `log` is called from several threads.
  LeaseKeeper(const Env& env, const FailoverOptions& options, const NodeAddress& node, Log log);

  // Has a watchdog fed from then on, as may_feed() says. Before start().
  void arm(std::unique_ptr<Watchdog> watchdog) { watchdog_ = std::move(watchdog); }

  // Begins the loop, which keeps this alive until stop(). Fails when this machine has no thread.
  Result<Done> start();

  // Gives all votes back and ends the loop: another node may be the primary at once, and this
  // server is guarded no more. Returns when that is done, or the deadline has passed.
  void stop(const Deadline& deadline);

  LeaseStatus status() const;

  // Another node is the primary: what this guard has closed stays so.
  void note_other_primary() { record_.end(); }

  // One turn of each. tend(): a word with the voter at place `i`.
  void tend(std::size_t i);
  void look();
  LeaseAct judge();
  void remember();

  std::size_t voters() const { return seats_.size(); }

 private:
  struct Seat {
    NodeAddress voter;
    std::shared_ptr<SqlSession> session = {};  // of tend() alone
    // The following are guarded by mutex_.
    std::string server = {};  // its identity, while there is a session
    std::string obstacle = "it was not asked yet";
    bool shows = false;       // that this guard runs
    bool ours = false;        // its vote
    bool failed = false;      // the last login, and it will not do in a moment
    bool given_away = false;  // its vote, to another primary
    double away_since_s = 0;  // when that was found first
    double sent_s = 0;        // of what it answered last, while its vote is ours
    double taken_s = 0;       // when its vote was ours at the latest
    bool wanted = false;      // its vote, at the last word
    double due_s = 0;         // for the next word
  };

  bool connect(Seat& seat);
  Result<Done> exchange(Seat& seat);
  Result<Done> ask_for_vote(Seat& seat);
  Result<Done> give_back(Seat& seat);
  void lose(Seat& seat, const std::string& obstacle);
  void note_majority();
  bool was_kept(double certain_until_s) const;
  void note_pause(double now_s);
  void tend_watchdog(const LeaseView& now, LeaseAct act);
  std::string find_obstacle() const;
  LeaseView view(double now_s) const;
  bool has_work(const Seat& seat, double now_s) const;
  bool may_show(const Seat& seat) const;
  void recall();
  void note_state(OwnServer::State state);
  void say(const std::string& line);
  void finish_deed();
  void carry_out(const LeaseView& now, LeaseAct act);
  Duties list_duties();
  void disarm();

  const Env env_;
  const FailoverOptions options_;
  const NodeAddress node_;
  const Log log_;
  const VoteTerms terms_;
  const LeaseLimits limits_;
  OwnServer own_;
  MajorityRecord majority_record_;
  ClosingRecord record_;
  std::vector<Seat> seats_;
  std::unique_ptr<Job> loop_ = nullptr;           // null: it was not begun
  std::unique_ptr<Watchdog> watchdog_ = nullptr;  // null: there is none; of the loop alone
  std::atomic<bool> stopping_ = false, wanted_ = false;
  // Whether votes are wanted: before, this guard says nothing of its server by being connected.
  std::atomic<bool> known_ = false;

  mutable std::mutex mutex_;  // held for moments, never while a server is asked
  OwnServer::State state_ = OwnServer::State::kClosed;
  bool answered_ = false;  // the server has, so that its state is known
  // When the question was sent that is not answered yet, and the first one that had no answer.
  std::optional<double> asking_since_s_ = {}, silent_since_s_ = {};
  double judged_s_ = 0, awake_since_s_ = 0;  // the last turn, and since when turns are on time
  std::optional<double> closing_since_s_ = {};
  double seen_writable_s_ = -1;  // when the last question was sent that found it so
  // Without an answer yet: it was writable when an earlier guard ended.
  std::optional<double> writable_since_s_ = {};
  std::optional<double> majority_s_ = {};
  bool recalled_ = false;                       // majority_s_ is of an earlier guard
  bool closed_ = false;                         // the server was seen to be, or to have ended
  bool had_lease_ = false, restarted_ = false;  // see LeaseView

  // Of judge() alone.
  std::pair<LeaseAct, bool> last_ = {};                        // the last act, on what was recalled
  std::optional<Pending<Result<OwnServer::Deed>>> deed_ = {};  // closing or killing
  LeaseAct deed_act_ = LeaseAct::kRelease;
  bool deed_for_other_ = false;  // another primary has the votes
  std::string said_ = {};        // the last line of a deed or of the watchdog

  std::string forgets_ = {};  // of remember() alone: why the disk has not what it should
};

}  // namespace ha
