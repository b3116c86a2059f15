// SPDX-License-Identifier: MIT
// What proves that an old primary takes no writes, and what is missing for each other proof. This
// is what --fence asks for. Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/failover/policy.h"

namespace ha {

struct Revocation;
struct Takeover;

// In the order in which they count. What another manager proves, such as a dead process that its
// own host has seen, gets its kind and its line in list_evidence().
enum class Evidence {
  kNone,
  kFenceCommand,  // the operator's program exits with 0, or 10: the operator takes the risk
  kClosing,       // it answers, is made read-only, and that is read back
  kLease,         // its guard was not heard until its lease had ended, and has closed it
  kRevocation,    // it gets no acknowledgement any more: revocation.h
};

// Returns the evidence's name, as in kFenceCommand: "fence-command".
std::string_view evidence_name(Evidence evidence);

// The other way round; kNone for a word that names none.
Evidence parse_evidence(std::string_view name);

struct EvidenceFinding {
  Evidence evidence;
  std::string missing = {};  // empty: there is this evidence
};

// Lists every kind of evidence against the primary of `takeover`, with what is missing for it.
std::vector<EvidenceFinding> list_evidence(const Takeover& takeover, const Revocation& revocation);

// Returns the evidence without which a failover under this policy does not open a node; kNone:
// there is none that the policy accepts, or it asks for none.
Evidence choose_evidence(const Policy& policy, const std::vector<EvidenceFinding>& findings);

// Returns what is missing, for people: "there is no fence command; db1 does not answer, ...".
std::string describe_missing(const std::vector<EvidenceFinding>& findings);

}  // namespace ha
