// SPDX-License-Identifier: MIT
#include "common/failover/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/failover/revocation.h"
#include "common/text.h"

namespace ha {

namespace {

// In the order of Evidence.
constexpr std::string_view kNames[] = {"none", "fence-command", "closing", "lease", "revocation"};

bool is_there(const std::vector<EvidenceFinding>& findings, Evidence evidence) {
  const auto found = std::ranges::find(findings, evidence, &EvidenceFinding::evidence);
  return found != findings.end() && found->missing.empty();
}

// The run that opens a node has to see it end: a lease that was given back proves nothing.
std::string find_missing_lease(const Takeover& takeover) {
  const Context& context = takeover.context;
  const std::string& name = takeover.primary_node().name;
  if (context.primary_lease_expired) return "";
  if (context.assume_dead && !context.primary_lease_held.empty()) return "";
  if (context.assume_dead)
    return context.primary_lease_unknown
               ? fmt::format("it is not known whether the guard of {} has its lease", name)
               : fmt::format("no guard of {} has its lease", name);
  if (!context.primary_lease_held.empty()) return name + " still has its lease";
  if (context.primary_lease_broken)
    return fmt::format("the sessions of the guard of {} have ended before its lease", name);
  return fmt::format("the lease of {} was not seen to end", name);
}

}  // namespace

std::string_view evidence_name(Evidence evidence) {
  return kNames[static_cast<std::size_t>(evidence)];
}

Evidence parse_evidence(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  return found == std::end(kNames) ? Evidence::kNone
                                   : static_cast<Evidence>(found - std::begin(kNames));
}

std::vector<EvidenceFinding> list_evidence(const Takeover& takeover, const Revocation& revocation) {
  const std::string& name = takeover.primary_node().name;
  std::vector<EvidenceFinding> findings = {
      {Evidence::kFenceCommand,
       takeover.policy.has_fence_program() ? "" : "there is no fence command"},
      {Evidence::kClosing, takeover.primary_node().facts
                               ? ""
                               : fmt::format("{} cannot be closed without its answer", name)}};
  if (takeover.policy.lease_s > 0)
    findings.push_back({Evidence::kLease, find_missing_lease(takeover)});
  findings.push_back(
      {Evidence::kRevocation, revocation.possible()
                                  ? ""
                                  : fmt::format("the acknowledgements of {} cannot be revoked: {}",
                                                name, revocation.missing)});
  return findings;
}

// A fence command that the operator has given decides alone: its failure is a refusal.
Evidence choose_evidence(const Policy& policy, const std::vector<EvidenceFinding>& findings) {
  const auto first_of = [&](std::initializer_list<Evidence> order) {
    const auto found = std::ranges::find_if(
        order, [&](Evidence evidence) { return is_there(findings, evidence); });
    return found == order.end() ? Evidence::kNone : *found;
  };
  switch (policy.fence) {
    case Fence::kRequired:
      return first_of(
          {Evidence::kFenceCommand, Evidence::kClosing, Evidence::kLease, Evidence::kRevocation});
    case Fence::kRevoke:
      return first_of({Evidence::kRevocation});
    case Fence::kBestEffort:
    case Fence::kNone:
      break;
  }
  return Evidence::kNone;
}

std::string describe_missing(const std::vector<EvidenceFinding>& findings) {
  std::vector<std::string> missing;
  for (const EvidenceFinding& one : findings)
    if (!one.missing.empty()) missing.push_back(one.missing);
  return join(missing, "; ");
}

}  // namespace ha
