// SPDX-License-Identifier: MIT
// What the guard does next, from what each node has said in the last rounds of its watch: wait, try
// a silent node again soon, read the whole cluster, or replace a primary that is gone. Whether it
// may be replaced is for the plan to say, not for the watch. Pure; all times are monotonic seconds.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ha {

struct GuardTiming {
  double interval_s = 0.5;         // between two rounds
  unsigned retries = 3;            // failed tries in all before a node counts as gone
  double retry_interval_s = 0.05;  // between two of them
};

// What a node said to the question of one round.
struct NodeWord {
  enum class Kind {
    kNone,      // nothing yet, it is still being waited for
    kAnswers,   // the rest of this is its answer
    kRefuses,   // it is alive and does not let us in
    kFails,     // no connection, or its end
    kNotAsked,  // an error of our own machine: says nothing of the node
  };
  Kind kind = Kind::kNone;
  std::optional<bool> read_only = {};
  bool new_session = false;  // the one before has ended
  std::string error = {};
};

enum class NodeLife { kUnknown, kAnswers, kRefuses, kGone };

// Returns "unknown", "answers", "refuses" or "gone".
std::string_view life_name(NodeLife life);

struct WatchedNode {
  std::string name = {};
  double heard_s = 0;  // when it last said anything
  NodeLife life = NodeLife::kUnknown;
  std::optional<bool> read_only = {};
  unsigned failures = 0;  // tries without an answer, one after the other
  std::string error = {};

  bool operator==(const WatchedNode&) const = default;
};

// Returns how a node is, for people: "db1 gives no answer: ...".
std::string describe(const WatchedNode& node);

struct GuardTurn {
  enum class Kind {
    kWait,     // until the next round
    kConfirm,  // likewise, a short time
    kLook,     // read the whole cluster, and carry out the plan that follows if there is one
    kReplace,  // the primary is gone: fail over
  };
  Kind kind = Kind::kWait;
  double wait_s = 0;

  bool operator==(const GuardTurn&) const = default;
};

class GuardWatch {
 public:
  // Watches the nodes of these names from `now_s` on; the first turn is a look.
  GuardWatch(const std::vector<std::string>& names, double now_s);

  // Takes over what the node at place `i` said in the round that ends at `now_s`; true when it is
  // another than before, for people.
  bool hear(std::size_t i, const NodeWord& word, const GuardTiming& timing, double now_s);

  // Asks for a look in the next turn, as when an operator lets the guard act again.
  void ask_for_look() { changed_ = true; }

  // Takes over which node is the primary.
  void learn_primary(const std::string& name) { primary_ = name; }

  // Takes over what a look has found: all is well, so that there is nothing to do, or not.
  enum class Finding { kWell, kTrouble };
  void found(Finding finding, double now_s);

  // Notes that the cluster was to be changed: that is not tried again before a look.
  void tried(double now_s);

  GuardTurn decide(const GuardTiming& timing, double now_s) const;

  const std::vector<WatchedNode>& nodes() const { return nodes_; }
  const std::string& primary() const { return primary_; }
  bool primary_is_gone() const;
  bool troubled() const { return trouble_since_s_.has_value(); }

 private:
  void begin_trouble(double now_s);

  std::vector<WatchedNode> nodes_;
  std::string primary_ = {};
  bool changed_ = true;  // since the last look
  bool tried_ = false;   // to replace a primary that is gone, since all was well
  double looked_s_;
  std::optional<double> trouble_since_s_ = {};
  double next_look_s_ = 0;  // in trouble
};

// Returns a text without the numbers that pass, such as seconds and ids, so that a line that tells
// nothing new can be known.
std::string without_passing_numbers(std::string_view text);

}  // namespace ha
