// SPDX-License-Identifier: MIT
#include "common/failover/objections.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/unread.h"
#include "common/text.h"

namespace ha {

namespace {

bool may_be_replaced_when_hung(const Decision& d) {
  const Evidence evidence = choose_evidence(d.policy, list_evidence(d, judge_revocation(d)));
  return evidence == Evidence::kFenceCommand || evidence == Evidence::kRevocation;
}

// Heartbeats come from a primary that does nothing else, and from its kernel connections stay.
bool counts_as_hung(const Decision& d) {
  return d.context.primary_hung_s && *d.context.primary_hung_s >= d.policy.hung_after_s &&
         may_be_replaced_when_hung(d);
}

std::string why_not_hung(const Decision& d) {
  if (!d.context.primary_hung_s) return "";
  if (!may_be_replaced_when_hung(d))
    return ". A primary that hangs is replaced only with --fence required and a --fence-command, "
           "or "
           "where its acknowledgements can be revoked";
  return fmt::format(
      ", and the primary has answered no query for only {}, less than --hung-after ({})",
      format_duration(*d.context.primary_hung_s), format_duration(d.policy.hung_after_s));
}

}  // namespace

std::vector<Objection> object_to_takeover(const Topology& topology, const Policy& policy,
                                          const Context& context, std::size_t primary) {
  std::vector<Objection> objections;
  const auto object = [&](Refusal refusal, std::string reason) {
    objections.push_back({refusal, std::move(reason)});
  };
  const Node& old = topology.nodes[primary];
  for (const Node& node : topology.nodes)
    if (&node != &old && node.writable())
      object(Refusal::kSecondWriter, fmt::format("{} accepts writes already", node.name));
  if (old.reach == Reach::kNotAsked)
    object(Refusal::kUnreadNode,
           fmt::format("{0} could not be asked ({1}), so its state is not known. Correct that on "
                       "this machine and run this again",
                       old.name, sanitize(old.error)));
  if (old.alive())
    object(Refusal::kPrimaryAlive, old.error.empty()
                                       ? fmt::format("{} answers", old.name)
                                       : fmt::format("{} is alive: {}", old.name, old.error));
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size() && !old.alive(); ++c)
      if (node.sources[c] == primary && node.channels()[c].io.running())
        object(Refusal::kStillReceives,
               fmt::format("{} still receives from {}", node.name, old.name));
  for (std::size_t i = 0; i < topology.nodes.size() && !old.alive(); ++i)
    if (std::string why = object_to_unread({topology, policy, context, primary}, i); !why.empty())
      object(Refusal::kUnreadNode, std::move(why));
  if (context.witnesses == Witnesses::kUnreached && !old.alive())
    object(Refusal::kIsolated,
           "no witness is reachable: this machine may be the one that is cut off");
  return objections;
}

void judge_primary(Decision& d) {
  // A replica that missed the last change still follows the primary before that.
  const auto last = std::ranges::find(d.nodes(), d.context.runs.binding_primary(), &Node::name);
  if (last != d.nodes().end() && last->name != d.plan.primary && !last->facts)
    return d.refuse(
        Refusal::kUnknownPrimary,
        fmt::format("replicas follow {}, but run {} made {} the primary, which cannot be asked: "
                    "{}. If it is no longer the primary, run: mysql_ha journal ack {}",
                    d.plan.primary, d.context.runs.run, last->name, last->error,
                    d.context.runs.run));
  for (Objection& one : object_to_takeover(d.topology, d.policy, d.context, d.primary)) {
    const bool receives = one.refusal == Refusal::kStillReceives;
    // From a primary that is closed nothing more comes than is on its way.
    if (receives && d.context.primary_lease_expired) continue;
    if (receives && counts_as_hung(d))
      d.plan.hung = true;
    else
      d.refuse(one.refusal, std::move(one.reason) + (receives ? why_not_hung(d) : ""));
  }
}

void judge_context(Decision& d) {
  if (!d.context.lock_holder.empty())
    d.refuse(Refusal::kLocked, "another run holds the lock: " + d.context.lock_holder);
  if (d.context.runs.last_failover_age_s &&
      *d.context.runs.last_failover_age_s < d.policy.min_interval_s)
    d.refuse(Refusal::kTooSoon,
             fmt::format("the last failover was {} ago, less than {}, and is not acknowledged",
                         format_duration(*d.context.runs.last_failover_age_s),
                         format_duration(d.policy.min_interval_s)));
  if (!d.context.runs.undated_run.empty())
    d.warn(
        fmt::format("the age of the last failover is not known, because the clock was set back: "
                    "--min-interval has no effect; run: mysql_ha journal ack {}",
                    d.context.runs.undated_run));
}

void judge_vouched(Decision& d) {
  const auto seen = std::ranges::find(d.nodes(), d.context.memory.primary, &Node::name);
  if (seen == d.nodes().end() || seen->facts || seen->name == d.plan.primary ||
      !d.policy.assume_replica.contains(seen->name) || d.context.runs.fenced.contains(seen->name))
    return;
  d.warn(
      fmt::format("{0} was the primary when it was last seen and is not fenced: only "
                  "--assume-replica {0} says that it takes no writes",
                  seen->name));
}

void judge_fence(Decision& d) {
  if (d.policy.fence == Fence::kNone)
    d.warn("nothing keeps " + d.plan.primary +
           " from taking writes when it comes back (fence is none)");
  const Revocation revocation = judge_revocation(d);
  const std::vector<EvidenceFinding> findings = list_evidence(d, revocation);
  d.plan.evidence = choose_evidence(d.policy, findings);
  switch (d.plan.evidence) {
    case Evidence::kFenceCommand:
      d.plan.evidence_text = "the fence command";
      return;
    case Evidence::kClosing:
      d.plan.evidence_text = fmt::format("{} answers and is closed", d.plan.primary);
      return;
    case Evidence::kLease:
      d.plan.evidence_text =
          "the lease: " + d.context.primary_lease_expired.value_or(d.context.primary_lease_held);
      return;
    case Evidence::kRevocation:
      d.plan.evidence_text = "revocation: " + revocation.text;
      d.revoked = revocation.receivers;
      return;
    case Evidence::kNone:
      break;
  }
  if (d.policy.fence == Fence::kRequired)
    d.refuse(Refusal::kCannotFence, fmt::format("fencing {} is required and {}", d.plan.primary,
                                                describe_missing(findings)));
  if (d.policy.fence == Fence::kRevoke)
    d.refuse(Refusal::kCannotFence,
             fmt::format("the acknowledgements of {} cannot be revoked (fence is revoke): {}",
                         d.plan.primary, revocation.missing));
  if (d.policy.fence == Fence::kBestEffort && !d.policy.has_fence_program())
    d.warn("there is no fence command: " + d.plan.primary + " is only closed if it answers");
}

}  // namespace ha
