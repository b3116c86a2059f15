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
constexpr std::string_view kNames[] = {"none", "fence-command", "closing", "revocation"};

bool is_there(const std::vector<EvidenceFinding>& findings, Evidence evidence) {
  const auto found = std::ranges::find(findings, evidence, &EvidenceFinding::evidence);
  return found != findings.end() && found->missing.empty();
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
  return {{Evidence::kFenceCommand,
           takeover.policy.fence_command.empty() ? "there is no fence command" : ""},
          {Evidence::kClosing, takeover.primary_node().facts
                                   ? ""
                                   : fmt::format("{} cannot be closed without its answer", name)},
          {Evidence::kRevocation,
           revocation.possible() ? ""
                                 : fmt::format("the acknowledgements of {} cannot be revoked: {}",
                                               name, revocation.missing)}};
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
      return first_of({Evidence::kFenceCommand, Evidence::kClosing, Evidence::kRevocation});
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
