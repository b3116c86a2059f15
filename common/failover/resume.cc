// SPDX-License-Identifier: MIT
#include "common/failover/resume.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/contradiction.h"
#include "common/failover/objections.h"

namespace ha {

namespace {

// A run is resumed while hardly anything can have happened since.
constexpr double kFresh_s = 600;

std::string name_run(const Run& run) {
  return fmt::format("run {} ({}: {})", run.id, command_name(run.plan.command),
                     describe_change(run.plan));
}

class Judge {
 public:
  Judge(const Run& run, const Topology& topology, const Policy& policy, const Context& context,
        std::optional<double> age_s)
      : run_(run),
        topology_(topology),
        nodes_(topology.nodes),
        policy_(policy),
        context_(context),
        fresh_(age_s && *age_s < kFresh_s),
        candidate_(find(run.plan.candidate)),
        primary_(find(run.plan.primary)) {}

  Resume decide() const {
    if (candidate_ == nodes_.size() || primary_ == nodes_.size())
      return refuse(
          fmt::format("{} was interrupted and names nodes that are not in this cluster: give the "
                      "right --cluster-name, or give the run up with: mysql_ha journal ack {}",
                      name_run(run_), run_.id));
    if (const Node* const writer = find_stranger())
      return refuse(fmt::format(
          "{} accepts writes, but {}, which was interrupted, did not open it: another client or "
          "run has acted since. If nothing of the run is left to do, run: mysql_ha journal ack {}",
          writer->name, name_run(run_), run_.id));
    if (std::string why = why_moved(); !why.empty()) return refuse(std::move(why));
    Resume resume;
    // What a restart has closed again is planned anew.
    if (run_.opened() && run_.plan.changes_primary()) {
      if (!candidate().facts)
        return refuse(
            fmt::format("run {1} opened {0} for writes, or was about to, and {0} does not answer "
                        "now: perhaps only {0} has its writes. Bring {0} back, or give these "
                        "writes up with: mysql_ha journal ack {2}",
                        candidate().name, run_.id, run_.id));
      if (candidate().writable()) {
        if (std::string why = why_split(); !why.empty()) return refuse(std::move(why));
        return {Resume::Kind::kResume};
      }
      if (run_.facts.opened)
        return refuse(fmt::format(
            "run {1} opened {0} for writes, and {0} is read-only now: it was restarted, or another "
            "client or run has closed it. Open {0} and run this again, or give up the transactions "
            "that only {0} may have with: mysql_ha journal ack {2}",
            candidate().name, run_.id, run_.id));
      if (std::string why = why_perhaps_opened(); !why.empty()) return refuse(std::move(why));
      resume.not_opened = true;
    }
    resume.settles = true;
    resume.reason = why_roll_back();
    resume.kind = resume.reason.empty() ? Resume::Kind::kResume : Resume::Kind::kRollBack;
    return resume;
  }

 private:
  static Resume refuse(std::string reason) { return {Resume::Kind::kRefuse, std::move(reason)}; }

  std::size_t find(const std::string& name) const {
    return find_place(topology_, name).value_or(nodes_.size());
  }

  const Node& candidate() const { return nodes_[candidate_]; }

  // Returns a node that accepts writes and should not, as far as the run can tell; null: none does.
  const Node* find_stranger() const {
    const bool alone = run_.facts.opened && !candidate().writable();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const bool expected = (run_.opened() && i == candidate_) || (i == primary_ && !alone) ||
                            !run_.plan.changes_primary();
      if (nodes_[i].writable() && !expected) return &nodes_[i];
    }
    return nullptr;
  }

  // Returns that another run may have made a node the primary since; empty: none has.
  std::string why_moved() const {
    if (!run_.plan.changes_primary()) return "";
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (i != candidate_ && i != primary_ && (was_primary_since(i) || is_followed_anew(i)))
        return fmt::format(
            "{} may have been made the primary by another run since {} was interrupted. If nothing "
            "of the interrupted run is left to do, run: mysql_ha journal ack {}",
            nodes_[i].name, name_run(run_), run_.id);
    return "";
  }

  // Returns that the primary was opened again since the run opened the candidate, and that others
  // have its writes: to go on would give these up unasked. Empty: it was not.
  std::string why_split() const {
    const Node& primary = nodes_[primary_];
    if (!primary.writable()) return "";
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (const std::string more = describe_extra(i); !more.empty())
        return fmt::format(
            "{0} and {1} both accept writes, and {2} has extra transactions that {1} lacks: {3}. "
            "Make the one read-only whose writes are to be given up. If that is {0}, run this "
            "again; if it is {1}, run: mysql_ha journal ack {4}",
            primary.name, candidate().name, nodes_[i].name, more, run_.id);
    return "";
  }

  // The opening may have been carried out although its answer was lost, and a restart may have
  // closed the candidate again. A write moves the end of its binlog, and a restart begins a new
  // file. Empty: it ends where the run left it, so nothing was written.
  std::string why_perhaps_opened() const {
    const BinlogPosition rescued = run_.facts.after_rescue.value_or(BinlogPosition());
    const auto left = rescued.file.empty() ? run_.facts.binlog : rescued;
    if (left && candidate().facts->binlog == left) return "";
    return fmt::format(
        "run {1} was about to open {0} for writes, and {0} is read-only now, but its binlog does "
        "not end where it ended before that: {0} may have been open, and restarted since. Open {0} "
        "and run this again, or give up the transactions that only {0} may have with: mysql_ha "
        "journal ack {1}",
        candidate().name, run_.id);
  }

  bool was_primary_since(std::size_t i) const {
    return context_.memory.primary == nodes_[i].name && context_.memory.seen_s > run_.begun.now_s;
  }

  // True when another node follows this one now, and followed the primary of the plan when it was
  // last seen; but for what the run itself has let follow it for a while.
  bool is_followed_anew(std::size_t i) const {
    if (std::ranges::any_of(run_.plan.steps, [&](const Step& step) {
          return step.action == Action::kCatchUp && step.other == nodes_[i].name;
        }))
      return false;
    return std::ranges::any_of(nodes_, [&](const Node& node) {
      const SeenNode* const seen = context_.memory.find(node.name);
      return seen != nullptr && std::ranges::find(node.sources, i) != node.sources.end() &&
             std::ranges::find(seen->channels, run_.plan.primary, &SeenChannel::source) !=
                 seen->channels.end();
    });
  }

  // Time has passed since the run was interrupted before it opened the candidate: what it rests on
  // is judged anew. Empty: it still holds.
  std::string why_roll_back() const {
    if (run_.plan.command != PlanCommand::kFailover) return "it was interrupted";
    if (run_.rolling_back || run_.end == RunEnd::kFailed) return "it was being rolled back";
    const auto objections = object_to_takeover(topology_, policy_, context_, primary_);
    if (!objections.empty()) return objections[0].reason;
    // What was rescued cannot be rolled back, and only this run knows of it.
    if (!fresh_ && !run_.has_begun(Action::kRescue)) return "it was interrupted long ago";
    if (!candidate().facts) return candidate().name + " does not answer";
    if (run_.state_of_action(Action::kPromote) == StepState::kDone &&
        channel_of(candidate()) != nullptr)
      return candidate().name + " is a replica again";
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (const std::string more = describe_extra(i); !more.empty())
        return fmt::format("{} has extra transactions that {} lacks: {}", nodes_[i].name,
                           candidate().name, more);
    return "";
  }

  // Returns the channel that the plan is about; null: the node has none of this name.
  const ChannelStatus* channel_of(const Node& node) const {
    return find_channel(node.channels(), run_.plan.channel);
  }

  bool has_step(Action action, const Node& node) const {
    return std::ranges::any_of(run_.plan.steps, [&](const Step& step) {
      return step.action == action && step.node == node.name;
    });
  }

  // Returns what a node that is to follow the candidate, or was silent when the run was planned and
  // so has no lock, has received and the candidate has not; empty: nothing.
  std::string describe_extra(std::size_t i) const {
    const Node& node = nodes_[i];
    if (i == candidate_ || i == primary_ ||
        (!has_step(Action::kRepoint, node) && has_step(Action::kLock, node)))
      return "";
    // A sibling that is ahead is followed until equal, which may be still to be done.
    const bool fetched = run_.has_begun(Action::kCatchUp) ||
                         std::ranges::none_of(run_.plan.steps, [&node](const Step& step) {
                           return step.action == Action::kCatchUp && step.other == node.name;
                         });
    const auto more = lead_over_candidate({run_.plan, run_.facts, policy_, context_}, topology_, i);
    return more && more->any() && fetched ? more->text : "";
  }

  const Run& run_;
  const Topology& topology_;
  const std::vector<Node>& nodes_;
  const Policy& policy_;
  const Context& context_;
  const bool fresh_;
  const std::size_t candidate_, primary_;  // places; the number of nodes: it is none of them
};

// Returns the steps that undo what was begun, in their order.
std::vector<Step> steps_back(const Run& run) {
  std::vector<Step> steps;
  for (auto step = run.plan.steps.rbegin(); step != run.plan.steps.rend(); ++step) {
    const StepState state = run.state_of(*step);
    if (state != StepState::kOpen && state != StepState::kUndone)
      steps.insert(steps.end(), step->undo.begin(), step->undo.end());
  }
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].number = static_cast<int>(i) + 1;
  return steps;
}

}  // namespace

Resume decide_resume(const Run& run, const Topology& topology, const Policy& policy,
                     const Context& context, std::optional<double> age_s) {
  return Judge(run, topology, policy, context, age_s).decide();
}

Plan plan_resume(const Run& run, const Resume& resume) {
  Plan plan = run.plan;
  plan.interrupted_run = run.id;
  switch (resume.kind) {
    case Resume::Kind::kRefuse:
      plan.steps.clear();
      plan.refusal = Refusal::kInterrupted;
      plan.reason = resume.reason;
      break;
    case Resume::Kind::kResume:
      std::erase_if(plan.steps,
                    [&](const Step& step) { return run.state_of(step) == StepState::kDone; });
      break;
    case Resume::Kind::kRollBack:
      plan.steps = steps_back(run);
      plan.roll_back_reason = resume.reason;
      break;
  }
  return plan;
}

}  // namespace ha
