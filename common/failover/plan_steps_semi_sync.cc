// SPDX-License-Identifier: MIT
// Whether the new primary waits for acknowledgements, and for whose.
#include <fmt/format.h>

#include "common/failover/plan_steps.h"
#include "common/failover/role_statements.h"

namespace ha {

bool StepWriter::under_semi_sync() const {
  const SemiSync& own = candidate_.facts->semi_sync;
  return own.source_enabled == true || (plan_.semi_sync && !own.source_variable.empty());
}

std::vector<std::size_t> StepWriter::acknowledging() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (is_sibling(i) && nodes_[i].facts->semi_sync.replica_enabled == true &&
        !context_.stuck.contains(nodes_[i].name) && why_not_repointed(i).empty())
      found.push_back(i);
  return found;
}

bool StepWriter::primary_will_acknowledge() const {
  return plan_.command == PlanCommand::kSwitchover &&
         (primary_.facts->semi_sync.replica_enabled == true ||
          (plan_.semi_sync && why_not_acknowledging(primary_).empty()));
}

// The operator's own choice at the candidate stays; else no client waits in vain.
bool StepWriter::waits_when_opened() const {
  const SemiSync& own = candidate_.facts->semi_sync;
  if (!under_semi_sync()) return false;
  const auto there =
      static_cast<std::int64_t>(acknowledging().size() + (primary_will_acknowledge() ? 1 : 0));
  return own.source_enabled == true || own.wait_no_replica == false ||
         there >= own.wait_count.value_or(1);
}

// A node that replaces a primary which waits for acknowledgements waits as well. Of one of which
// nothing is known the replicas tell: they acknowledge for its sake.
void StepWriter::judge_semi_sync() {
  const SemiSync& own = candidate_.facts->semi_sync;
  plan_.semi_sync = semi_sync_ ? semi_sync_->source_enabled == true : own.replica_enabled == true;
  if (plan_.semi_sync && own.source_variable.empty())
    plan_.warnings.push_back(
        fmt::format("{0} cannot wait for acknowledgements as {1} did: for a moment only {0} has "
                    "its writes; run "
                    "there: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
                    candidate_.name, primary_.name));
  SemiSync then = own;
  then.source_enabled = true;
  if (semi_sync_ && semi_sync_->lossless() && under_semi_sync() && !then.lossless())
    plan_.warnings.push_back(
        fmt::format("{0} waits less strictly than {1} did: it may acknowledge a write that only "
                    "{0} has. Give {0} the same timeout, wait point and wait_no_replica",
                    candidate_.name, primary_.name));
  if (plan_.command == PlanCommand::kSwitchover && plan_.semi_sync)
    if (const std::string why = why_not_acknowledging(primary_); !why.empty())
      plan_.warnings.push_back(why);
}

Statement StepWriter::wait_for_acknowledgements(const ServerFacts& facts, bool wait) {
  return semi_sync_switch(facts.semi_sync.source_variable, wait);
}

}  // namespace ha
