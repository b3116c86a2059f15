// SPDX-License-Identifier: MIT
#include "common/failover/lease_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

std::string LeaseSummary::holder() const {
  const auto found = std::ranges::find_if(
      guards, [this](const GuardSighting& guard) { return voters > 0 && guard.votes >= needed; });
  return found == guards.end() ? "" : found->node;
}

bool LeaseSummary::is_free() const {
  const std::size_t silent = voters - answering;
  return std::ranges::all_of(
      guards, [&](const GuardSighting& guard) { return guard.votes + silent < needed; });
}

std::vector<std::string> LeaseSummary::missing_guards() const {
  std::vector<std::string> missing;
  if (answering == 0) return missing;
  for (const GuardSighting& guard : guards)
    if (guard.voters == 0) missing.push_back(guard.node);
  return missing;
}

namespace {

// The votes of one guard, and of the one that has the lease how long it lasts.
std::string describe_votes(const GuardSighting& guard, const LeaseSummary& summary) {
  std::string text = fmt::format("{} of {} votes", guard.votes, summary.voters);
  if (guard.node == summary.holder() && summary.left_s)
    text += fmt::format(", {} left", format_duration(*summary.left_s));
  return text;
}

}  // namespace

std::string describe_lease(const LeaseSummary& summary) {
  if (summary.voters == 0) return "";
  const std::string holder = summary.holder();
  std::string text = !holder.empty()     ? fmt::format("lease: the guard of {} has it", holder)
                     : summary.is_free() ? "lease: no guard has it"
                                         : "lease: it is not known which guard has it";
  for (const GuardSighting& guard : summary.guards)
    if (guard.node == holder)
      text += fmt::format(" ({})", describe_votes(guard, summary));
    else if (guard.votes > 0)
      text += fmt::format("; the guard of {} has {}", guard.node, describe_votes(guard, summary));
  if (summary.answering < summary.voters)
    text += fmt::format("; {} of {} voters answer", summary.answering, summary.voters);
  if (const auto missing = summary.missing_guards(); !missing.empty())
    text += "; no guard is seen of " + join(missing, ", ");
  return text;
}

}  // namespace ha
