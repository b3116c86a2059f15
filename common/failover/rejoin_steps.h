// SPDX-License-Identifier: MIT
// The steps by which a node returns as a replica of the primary. Pure.

#pragma once

#include <optional>

#include "common/failover/plan.h"

namespace ha {

class RejoinSteps {
 public:
  // Writes into the plan. All of these must outlive it; both nodes have facts.
  RejoinSteps(const Topology& topology, const Policy& policy,
              const std::optional<CrashRecord>& record, const Node& node, const Node& primary,
              Plan& plan)
      : topology_(topology),
        policy_(policy),
        record_(record),
        node_(node),
        primary_(primary),
        plan_(plan) {}

  // Locks the nodes and closes the one that returns.
  void close();
  // Keeps what would be lost.
  void save();
  // Lets it follow, from `position` unless it asks by GTID.
  void follow(const std::optional<LogPosition>& position);

  // The channel to the primary of a replica that it has; null: there is none.
  const ChannelStatus* channel_of_a_replica() const;
  // How a channel to the primary looks: as that of a replica that it has, else as the one was that
  // the primary had itself before it was promoted.
  ChannelStatus model_channel() const;

 private:
  Statements follow_statements(const std::optional<LogPosition>& position,
                               const std::string& channel) const;
  void disable_events();
  bool under_semi_sync() const;
  void move_semi_sync();
  void add(Step step);

  const Topology& topology_;
  const Policy& policy_;
  const std::optional<CrashRecord>& record_;
  const Node& node_;
  const Node& primary_;
  Plan& plan_;
};

}  // namespace ha
