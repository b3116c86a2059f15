// SPDX-License-Identifier: MIT
// The steps of a decided failover or switchover, in the one order that loses nothing: fence before
// a node is promoted, drain before promotion, writable only when all that must be done is done.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/plan.h"
#include "common/failover/revocation.h"

namespace ha {

// Places in the topology.
struct Roles {
  std::size_t primary = 0;
  std::size_t candidate = 0;
  std::optional<std::size_t> ahead = {};   // has received more than the candidate
  std::set<std::size_t> left_behind = {};  // too, and cannot hand it on
  std::vector<Receiver> revoked = {};      // stop, so that the primary gets no acknowledgement
};

// Writes the steps into the plan, and warnings for siblings that cannot be repointed. The
// candidate has a channel to the primary, or none at all.
class StepWriter {
 public:
  // The memory tells how a silent primary was set up.
  StepWriter(const Topology& topology, const Policy& policy, const Context& context,
             const Roles& roles, Plan& plan);

  void write_failover();
  void write_switchover();

 private:
  static Step at(Action action, const Node& node, Statements statements, std::string text);
  void add(Step step);
  void add(Action action, const Node& node, Statements statements, std::string text);
  void run(Action action, const std::vector<std::vector<std::string>>& commands,
           const std::string& text);

  void lock();
  void wait_equal(std::size_t i);
  void revoke();
  void fence();
  void lift_delays();
  Statement change_delay(std::size_t i, double delay_s) const;
  Statements delay_statements(std::size_t i, const Statement& change, bool resume) const;
  void stop_receivers();
  void let_apply(Step& step, std::size_t i);
  void add_drain(std::size_t i);
  void drain();
  void record();
  void rescue();
  void promote();
  void judge_semi_sync();
  void repoint_acknowledging();
  void repoint_others();
  void finish_relay_log(std::size_t i);
  void repoint(std::size_t i);
  void move_vip();
  void ask_others();
  void stop_address();
  void shut_down();
  void start_address();
  void stop_planned_address();
  void report();
  void recheck();
  void lease();
  void open();
  void disable_events();
  void enable_events();
  void demote();
  void finish(const std::vector<std::vector<std::string>>& hooks);

  // The channel to the primary, null for a node without one.
  const ChannelStatus* channel_of(std::size_t i) const;
  ChannelStatus candidates_channel() const;
  bool is_sibling(std::size_t i) const;
  // Whether the candidate is to wait for acknowledgements.
  bool under_semi_sync() const;
  // The siblings that can follow the candidate and acknowledge to it.
  std::vector<std::size_t> acknowledging() const;
  // Whether the old primary of a switchover will acknowledge.
  bool primary_will_acknowledge() const;
  // Whether the candidate waits from its opening on.
  bool waits_when_opened() const;
  static Statement wait_for_acknowledgements(const ServerFacts& facts, bool wait);
  // Whether it has to apply all that it received, to be promoted or to hand it on or to be
  // repointed.
  bool must_drain(std::size_t i) const;
  bool repoints_by_gtid(std::size_t i) const;
  // Why a sibling cannot follow the candidate, empty when it can.
  std::string why_not_repointed(std::size_t i) const;
  // `begin` is where the channel begins when it does not ask by GTID.
  Statements follow_statements(std::size_t i, const Node& source,
                               std::optional<Placeholder> begin) const;
  Statements repoint_statements(std::size_t i, const Node& source,
                                std::optional<Placeholder> begin) const;
  Statements new_replica_statements(const Node& node, const ChannelStatus& like,
                                    const Node& source) const;

  const std::vector<Node>& nodes_;
  const Policy& policy_;
  const Context& context_;
  const Node& primary_;
  const Node& candidate_;
  const std::optional<SemiSync> semi_sync_;  // of the primary; nullopt: not known
  const Roles roles_;
  const ChannelStatus like_;  // the candidate's channel, or what it was like
  Plan& plan_;
  std::set<std::size_t> repointed_;
  std::set<std::size_t> undelayed_;     // apply at once, until they are repointed
  std::set<std::size_t> asynchronous_;  // are let apply, and no semi-sync source meanwhile
  bool opened_ = false;
};

}  // namespace ha
