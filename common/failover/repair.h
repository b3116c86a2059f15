// SPDX-License-Identifier: MIT
// Decides how a cluster in which several nodes accept writes, or a replica is broken, has one
// primary with replicas again: which node stays the primary, and how each other one returns. Pure.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/failover/choose_winner.h"
#include "common/failover/plan.h"

namespace ha {

// What is known of a node beside its facts.
struct ReturnFacts {
  std::optional<CrashRecord> record = {};
  std::string obstacle = {};  // why nothing can be done to it now; empty: it can
  bool half_copied = false;   // it holds no complete copy
  bool replaced = false;      // a run has closed or replaced it
};

// Which closed nodes that follow no server are made replicas: all, or those that a run has left so.
// The latter where no operator has asked for it.
enum class RepairScope { kAll, kReplaced };

struct RepairFacts {
  WriterFacts writers = {};
  std::map<std::string, ReturnFacts> nodes = {};
  RepairScope scope = RepairScope::kAll;
};

enum class ReturnWay { kNone, kRejoin, kResync };

struct RepairTask {
  std::string node = {};
  ReturnWay way = ReturnWay::kNone;
  std::string why = {};
};

struct Repair {
  Refusal refusal = Refusal::kNone;
  std::string reason = {};  // of the refusal
  std::string winner = {};
  std::vector<Sign> signs = {};        // what shows the winner, and what does not
  Plan closing = {};                   // of the writers beside it; without steps: there are none
  std::vector<RepairTask> tasks = {};  // in this order, afterwards
  std::vector<Rejection> left = {};    // nodes that stay as they are, or only closed

  bool possible() const { return refusal == Refusal::kNone; }
  bool needed() const { return !closing.steps.empty() || !tasks.empty(); }
};

Repair decide_repair(const Topology& topology, const Policy& policy, const Context& context,
                     const RepairFacts& facts);

// Returns the lines that tell what each sign speaks for: "for db2: virtual IP: ...".
std::vector<std::string> describe_signs(const std::vector<Sign>& signs);

// Prints a repair for people; a refusal with its reason and the signs.
std::string render(const Repair& repair);

// Returns the same as one line of JSON.
std::string repair_to_json(const Repair& repair);

}  // namespace ha
