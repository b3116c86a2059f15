// SPDX-License-Identifier: MIT
#include "common/failover/refusal.h"

#include <fmt/format.h>

namespace ha {

std::string_view refusal_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kUnknownPrimary:
      return "unknown-primary";
    case Refusal::kPrimaryAlive:
      return "primary-alive";
    case Refusal::kStillReceives:
      return "still-receives";
    case Refusal::kIsolated:
      return "isolated";
    case Refusal::kSecondWriter:
      return "second-writer";
    case Refusal::kUnreadNode:
      return "unread-node";
    case Refusal::kTooSoon:
      return "too-soon";
    case Refusal::kLocked:
      return "locked";
    case Refusal::kNoCandidate:
      return "no-candidate";
    case Refusal::kIncomparable:
      return "incomparable";
    case Refusal::kTooMuchLoss:
      return "too-much-loss";
    case Refusal::kCannotFence:
      return "cannot-fence";
    case Refusal::kNotReady:
      return "not-ready";
    case Refusal::kDiverged:
      return "diverged";
    case Refusal::kInterrupted:
      return "interrupted";
    case Refusal::kNeedsResync:
      return "needs-resync";
  }
  return "none";
}

std::string next_command(Refusal refusal, std::string_view node) {
  switch (refusal) {
    case Refusal::kPrimaryAlive:
      return "to promote a replica in its place, run: mysql_ha switchover";
    case Refusal::kTooSoon:
      return "to allow another failover, run: mysql_ha journal ack";
    case Refusal::kLocked:
    case Refusal::kInterrupted:
      return "to see what was begun, run: mysql_ha journal";
    case Refusal::kIsolated:
    case Refusal::kCannotFence:
      return "when that is corrected, run: mysql_ha plan";
    case Refusal::kDiverged:
    case Refusal::kNeedsResync:
      return fmt::format("to replace its data, run: mysql_ha resync {}",
                         node.empty() ? "NODE" : node);
    case Refusal::kNone:
    case Refusal::kUnknownPrimary:
    case Refusal::kSecondWriter:
    case Refusal::kStillReceives:
    case Refusal::kUnreadNode:
    case Refusal::kNoCandidate:
    case Refusal::kIncomparable:
    case Refusal::kTooMuchLoss:
    case Refusal::kNotReady:
      break;
  }
  return "to see all nodes, run: mysql_ha status";
}

}  // namespace ha
