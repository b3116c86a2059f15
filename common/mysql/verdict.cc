// SPDX-License-Identifier: MIT
#include "common/mysql/verdict.h"

#include <algorithm>

namespace ha {

namespace {

struct VerdictWords {
  Verdict verdict;
  State state;
  std::string_view name, meaning;
};

constexpr VerdictWords kWords[] = {
    {Verdict::kNoNodeReachable, State::kCritical, "no-node-reachable",
     "no node of the cluster can be reached"},
    {Verdict::kSeveralWriters, State::kCritical, "several-writers",
     "more nodes accept writes than are allowed to"},
    {Verdict::kDiverged, State::kCritical, "diverged",
     "two nodes each have transactions that the other lacks, and neither receives the other's"},
    {Verdict::kPrimaryLost, State::kCritical, "primary-lost",
     "the primary has lost, or may have lost, transactions that it had written and sent, by a "
     "crash, a restored copy or a RESET: its replicas hold the only copy, and skip new "
     "transactions with the same numbers"},
    {Verdict::kRingOfWriters, State::kCritical, "ring-of-writers",
     "nodes replicate from each other in a ring and more than one of them accepts writes"},
    {Verdict::kDuplicateId, State::kCritical, "duplicate-id",
     "two nodes have the same server_id or server_uuid, so replication skips their transactions"},
    {Verdict::kNoWriter, State::kCritical, "no-writer", "no node accepts writes"},
    {Verdict::kWriterUnknown, State::kUnknown, "writer-unknown",
     "no node is known to accept writes, but some could not be read"},
    {Verdict::kErrant, State::kWarning, "errant", "a replica has transactions that no writer has"},
    {Verdict::kLostOwn, State::kWarning, "lost-own",
     "a node has lost transactions that it wrote itself and others have: replication skips "
     "transactions with the node's own identity, so they never come back without a resync"},
    {Verdict::kNotClosed, State::kWarning, "not-closed",
     "a node beside the writer is not read-only and takes no writes for another reason, which may "
     "end at any time"},
    {Verdict::kForeignSource, State::kWarning, "foreign-source",
     "a replica follows a server outside the cluster"},
    {Verdict::kStaleSource, State::kWarning, "stale-source",
     "a replica looks healthy but follows a node that neither accepts writes nor follows one that "
     "does"},
    {Verdict::kFollowsNoServer, State::kWarning, "follows-no-server",
     "a node that accepts no writes replicates from no server, so its data grow old"},
    {Verdict::kOutOfGroup, State::kWarning, "out-of-group",
     "a node of a Galera cluster or a replication group is not part of it, or the part has no "
     "majority"},
    {Verdict::kUnreachable, State::kWarning, "unreachable",
     "a node gives no answer or refuses connections"},
    {Verdict::kUnreadable, State::kUnknown, "unreadable",
     "a node is alive but we may not read all of its facts"},
    {Verdict::kRing, State::kOk, "ring",
     "nodes replicate from each other in a ring with at most one writer"},
    {Verdict::kUnproven, State::kOk, "unproven",
     "nothing proves that a replica has no writes of its own: it numbers no transactions"},
};

const VerdictWords& words(Verdict verdict) {
  return *std::ranges::find(kWords, verdict, &VerdictWords::verdict);
}

}  // namespace

std::string_view verdict_name(Verdict verdict) { return words(verdict).name; }

State usual_state(Verdict verdict) { return words(verdict).state; }

std::string_view verdict_meaning(Verdict verdict) { return words(verdict).meaning; }

}  // namespace ha
