// SPDX-License-Identifier: MIT
// Beside which node the lease of the primary is, as the voters tell, and how it ends there: whether
// a guard was heard no more until its votes expired, so that it has closed its server by then, or
// its sessions have ended before. Keeps a session to each voter, to see both.

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/policy.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/parallel.h"
#include "common/result.h"

namespace ha {

// What one voter tells.
struct LeaseReading {
  std::string connection = {};          // that has the vote of the primary; empty: none
  std::string node = {};                // for which; empty: it does not tell
  std::optional<double> silent_s = {};  // since its last word, in whole seconds; nullopt: not told
  std::set<std::string> guards = {};    // nodes whose guards are connected
};

// Asks a voter. Needs no privilege: sessions of our own account are shown.
Result<LeaseReading> read_lease(SqlSession& session, const FailoverOptions& options);

// What was seen of one voter so far.
struct LeaseSighting {
  std::optional<LeaseReading> now = {};  // nullopt: it gives no answer
  std::optional<double> since_s = {};    // when it answered first, in uptime_s()
  LeaseReading last = {};                // the last one with a vote
  std::set<std::string> expired = {};    // nodes for which its vote has expired before our eyes
  std::set<std::string> broken = {};     // and whose sessions have ended before that
  // By node: no later than that was the last word of its guard while it had the vote, in
  // uptime_s().
  std::map<std::string, double> heard_s = {};
};

// Takes over what a voter has said by `now_s`. Pure.
void observe_lease(LeaseSighting& sighting, std::optional<LeaseReading> now, int lease_s,
                   double now_s);

// Returns for how long no vote of that voter can come into the last second before its end, in which
// it has to be seen, from when this was asked. Pure.
double rest_s(const std::optional<LeaseReading>& reading, int lease_s);

// Drops what was seen of the end of the lease of `node`, which answers again. Pure.
void forget_end(LeaseSighting& sighting, const std::string& node);

// What all voters together tell of the lease of one node.
struct LeaseFinding {
  std::size_t held = 0;     // votes that it has
  std::size_t expired = 0;  // that have expired before our eyes
  std::size_t broken = 0;   // whose session has ended before that
  std::size_t guards = 0;   // to which its guard is connected, and that tell for whom their vote is
  std::size_t voters = 0, answering = 0;
  double silent_s = 0;  // since the last word of its guard, as any voter tells
  // When that was at the latest while it had a vote, in uptime_s(); nullopt: it was not seen so.
  std::optional<double> heard_s = {};
  // Since when it would have been seen if it had a majority, in uptime_s(); nullopt: not yet.
  std::optional<double> since_s = {};

  // True when its guard was heard no more until it had no majority, and has closed its server.
  bool proves_closing() const;
  // True when its guard is connected to so many voters that the others are no majority, and has no
  // vote: its server takes no writes.
  bool disclaims() const;
  // True when it has no majority, and might with the votes of voters that give no answer.
  bool is_unknown() const;
};

// Returns that. Pure.
LeaseFinding judge_lease(const std::vector<LeaseSighting>& sightings, const std::string& node);

// What a plan is told of it; see Context.
struct LeaseWord {
  std::string held = {};
  std::optional<std::string> expired = {};
  bool broken = false;
  std::optional<double> until_s = {};
  bool unknown = false;

  bool empty() const { return held.empty() && !expired && !broken && !until_s; }
  void add_to(Context& context) const;
};

// Returns that, for the lease of `node`. Pure.
LeaseWord tell_lease(const LeaseFinding& finding, const std::string& node, int lease_s);

class LeaseWatch {
 public:
  // Nodes that gave `topology` no answer are not asked.
  LeaseWatch(const ProbeEnv& env, const FailoverOptions& options, const Topology& topology);

  // Asks all voters at the same time, logging in where there is no session. One that has not
  // answered by the deadline is waited for the next time, and tells nothing meanwhile.
  // Returns after how many seconds from the call it is time to ask again, rest_s() of all.
  double observe(const Deadline& deadline);

  LeaseFinding find(const std::string& node) const;

  void forget(const std::string& node);
  std::vector<LeaseSighting> sightings() const;

 private:
  struct Answer {
    std::shared_ptr<SqlSession> session = {};  // null: there is none any more
    std::optional<LeaseReading> reading = {};
  };
  struct Place {
    NodeAddress voter;
    std::shared_ptr<SqlSession> session = {};  // null: none, or it is in use
    std::optional<Pending<Answer>> pending = {};
    LeaseSighting sighting = {};
    bool asked = true;
  };
  static Answer ask_voter(const ProbeEnv& env, const FailoverOptions& options,
                          const NodeAddress& voter, std::shared_ptr<SqlSession> session);

  const ProbeEnv env_;
  const std::shared_ptr<const FailoverOptions> options_;  // shared with work that was abandoned
  std::vector<Place> places_;
};

// Watches the voters all the time in a loop of its own, so that a run that begins after the lease
// has ended still knows how it did.
class LeaseVigil : public std::enable_shared_from_this<LeaseVigil> {
 public:
  LeaseVigil(const Env& env, const FailoverOptions& options);

  // Begins the loop, which keeps this alive until stop(). Fails when there is no thread for it.
  Result<Done> start();
  void stop(const Deadline& deadline);

  // Asks all voters once, as the loop does. Returns what LeaseWatch::observe() does.
  double observe();

  // What was seen of the lease of `node` so far. Both may be called from any thread.
  LeaseFinding find(const std::string& node) const;
  // Drops what was seen of its end: the node answers, so it may be opened again by any means.
  void forget(const std::string& node);

 private:
  const Env env_;
  LeaseWatch watch_;  // of the loop alone
  std::unique_ptr<Job> job_ = nullptr;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // of what follows
  std::vector<LeaseSighting> sightings_ = {};
  std::set<std::string> forgotten_ = {};  // that the loop has to forget, too
};

// Asks the voters once for the lease of `node`, all at the same time; nothing without a lease.
LeaseWord look_at_lease(const ProbeEnv& env, const FailoverOptions& options,
                        const Topology& topology, const std::string& node,
                        const Deadline& deadline);

}  // namespace ha
