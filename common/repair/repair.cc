// SPDX-License-Identifier: MIT
#include "common/repair/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/commands.h"
#include "common/execute/binlog_text.h"
#include "common/execute/failover.h"
#include "common/execute/resumption.h"
#include "common/execute/workflow.h"
#include "common/merge/merge.h"
#include "common/repair/repair_view.h"
#include "common/repair/split_begin.h"
#include "common/resync/resync.h"
#include "common/text.h"

namespace ha {

namespace {

// Agents send late what they have measured, and clocks differ.
constexpr long long kMargin_s = 3600;

bool wants_merge(const MergeOptions& merge) {
  return merge.preset != MergePreset::kNone || !merge.words.empty();
}

class RepairRun {
 public:
  RepairRun(const Env& env, const FailoverOptions& options, const RepairOptions& asked,
            const Log& log, const std::function<void(const FailoverOutcome&)>& tell)
      : env_(env), options_(options), asked_(asked), log_(log), tell_(tell) {}

  RepairReport run() {
    if (auto ended = decide_and_close()) return *ended;
    for (const RepairTask& task : repair_.tasks) {
      FailoverOutcome outcome = return_node(task);
      if (!outcome.run_id.empty()) tell_(outcome);
      note(outcome);
      if (outcome.end == FailoverEnd::kRefused) return fail(task, outcome);
      returned_.push_back(task.node);
    }
    return finish();
  }

 private:
  // Under the lock of the cluster, which ends with this: copying takes hours. Returns the end of a
  // repair that goes no further.
  std::optional<RepairReport> decide_and_close() {
    auto workflow = begin_workflow(env_, options_, log_);
    if (!workflow) return RepairReport{refuse(workflow.error().text)};
    if (auto ended = prepare_change(*workflow)) return RepairReport{*ended};
    Observation& view = workflow->view;
    if (const auto added =
            add_history(workflow->store, options_.cluster.nodes, env_.clock.moment(), view.context);
        !added)
      return RepairReport{refuse("repair refused: " + added.error().text)};
    auto facts = read_repair_facts(env_, options_, workflow->store, view, asked_.winner);
    if (!facts) return RepairReport{refuse("repair refused: " + facts.error().text)};
    facts->scope = asked_.scope;
    repair_ = decide_repair(view.topology, options_.policy, view.context, *facts);
    if (!repair_.possible() || !repair_.needed()) return end_undone();
    store_ = workflow->store.path();
    for (const std::string& line : describe_signs(repair_.signs)) log_("evidence " + line);
    if (repair_.closing.steps.empty() && repair_.closing.possible()) return std::nullopt;
    FailoverOutcome outcome = carry_out(*workflow, repair_.closing).outcome;
    if (outcome.run_id.empty()) return RepairReport{outcome, true};
    tell_(outcome);
    note(outcome);
    if (outcome.end == FailoverEnd::kRefused) return RepairReport{outcome, true};
    return std::nullopt;
  }

  RepairReport end_undone() const {
    FailoverOutcome outcome = refuse(fmt::format("repair refused: {}", repair_.reason));
    if (repair_.possible()) {
      outcome.end = FailoverEnd::kDone;
      outcome.text = fmt::format("nothing to repair: {} is the primary", repair_.winner);
    } else if (!names_command(outcome.text)) {
      outcome.text += "; " + next_command(repair_.refusal, "");
    }
    for (const std::string& line : describe_signs(repair_.signs))
      outcome.details.push_back("evidence " + line);
    return {outcome, !repair_.possible() && repair_.refusal != Refusal::kUnknownPrimary};
  }

  FailoverOutcome return_node(const RepairTask& task) {
    log_(fmt::format("{}: {}", task.node, task.why));
    if (task.way == ReturnWay::kRejoin) return run_rejoin(env_, options_, task.node, log_);
    return run_resync(env_, options_, asked_.resync, task.node, log_,
                      [&](const FailoverOutcome& prepared) -> Result<Done> {
                        return bring_over(task.node, prepared);
                      });
  }

  // What only the node has is saved by now, and is lost there when it is copied.
  Result<Done> bring_over(const std::string& node, FailoverOutcome prepared) {
    const std::string saved = fmt::format("{}/{}.extra.sql", store_, prepared.run_id);
    // By position what was saved may turn out to be nothing, as of a copy that is whole.
    const auto count = env_.files.info(saved).kind == FileInfo::Kind::kRegular
                           ? count_transactions(env_.files, saved)
                           : Result<std::uint64_t>(0);
    if (!count) return count.error();
    const bool has_more = *count > 0;
    prepared.text = fmt::format("repair: {} is read-only and becomes a copy now{}", node,
                                has_more ? "; its extra transactions are saved in " + saved : "");
    tell_(prepared);
    note(prepared);
    if (!wants_merge(asked_.merge)) return Done{};
    if (!has_more) {
      log_(fmt::format("nothing to merge: {} has all that {} has", repair_.winner, node));
      return Done{};
    }
    return merge_rows(node, saved);
  }

  Result<Done> merge_rows(const std::string& node, const std::string& saved) {
    MergeOptions merge = asked_.merge;
    merge.from = node;
    merge.to = repair_.winner;
    if (merge.since.empty()) {
      const auto text = env_.files.open(saved);
      if (!text) return text.error();
      const auto begin = first_write(**text);
      if (!begin)
        return Error{Errc::kMissing,
                     fmt::format("{} does not show when {} began to write alone; give --since",
                                 saved, node)};
      merge.since = fmt::format("@{}", *begin - kMargin_s);
    }
    if (merge.until.empty())
      merge.until = fmt::format("@{}", static_cast<long long>(env_.clock.now_s()) + kMargin_s);
    if (const auto complete = complete_merge_options(merge); !complete) return complete;
    const FailoverOutcome outcome = run_merge(env_, options_, merge, log_);
    if (!outcome.run_id.empty()) tell_(outcome);
    note(outcome);
    if (outcome.end == FailoverEnd::kRefused) return Error{Errc::kRefused, outcome.text};
    return Done{};
  }

  void note(const FailoverOutcome& outcome) {
    if (!outcome.run_id.empty()) run_id_ = outcome.run_id;
    if (outcome.end != FailoverEnd::kDone) end_ = FailoverEnd::kWarnings;
    if (outcome.end != FailoverEnd::kRefused) details_.push_back(outcome.text);
    details_.insert(details_.end(), outcome.details.begin(), outcome.details.end());
  }

  FailoverOutcome outcome(FailoverEnd end, std::string text) {
    for (const Rejection& one : repair_.left)
      details_.push_back(fmt::format("not {}: {}", one.node, one.reason));
    return {end, std::move(text), details_, run_id_, "", repair_.winner};
  }

  RepairReport fail(const RepairTask& task, const FailoverOutcome& failed) {
    return {outcome(FailoverEnd::kRefused,
                    fmt::format("repair failed: {} is the primary, {} is no replica yet: {}; to do "
                                "the rest, run: {}",
                                repair_.winner, task.node, failed.text, kThisCommand)),
            true};
  }

  RepairReport finish() {
    const FailoverEnd end = repair_.left.empty() ? end_ : FailoverEnd::kWarnings;
    std::string text = fmt::format("repair done: {} is the primary", repair_.winner);
    if (!returned_.empty())
      text += fmt::format(", {} {} it", join(returned_, ", "),
                          returned_.size() == 1 ? "follows" : "follow");
    return {outcome(end, std::move(text)), true};
  }

  const Env env_;
  const FailoverOptions& options_;
  const RepairOptions& asked_;
  const Log& log_;
  const std::function<void(const FailoverOutcome&)>& tell_;
  Repair repair_ = {};
  std::string store_ = {};  // where the runs of the cluster keep their files
  std::string run_id_ = {};
  FailoverEnd end_ = FailoverEnd::kDone;
  std::vector<std::string> details_ = {}, returned_ = {};
};

}  // namespace

Result<Done> check_repair_options(const RepairOptions& repair) {
  if (!wants_merge(repair.merge)) return Done{};
  MergeOptions merge = repair.merge;
  merge.from = "loser";
  merge.to = "winner";
  if (merge.since.empty()) merge.since = "@0";
  if (merge.until.empty()) merge.until = "@0";
  return complete_merge_options(merge);
}

Result<Repair> plan_repair(const Env& env, const FailoverOptions& options,
                           const RepairOptions& repair) {
  const auto store = RunStore::open(env.files, options.state_dir, options.cluster_name);
  if (!store) return Error{store.error().code, "--state-dir: " + store.error().text};
  Observation view = observe(env, options);
  if (const auto added =
          add_history(*store, options.cluster.nodes, env.clock.moment(), view.context);
      !added)
    return added.error();
  auto facts = read_repair_facts(env, options, *store, view, repair.winner);
  if (!facts) return facts.error();
  facts->scope = repair.scope;
  return decide_repair(view.topology, options.policy, view.context, *facts);
}

RepairReport run_repair(const Env& env, const FailoverOptions& options, const RepairOptions& repair,
                        const Log& log, const std::function<void(const FailoverOutcome&)>& tell) {
  return RepairRun(env, options, repair, log, tell).run();
}

}  // namespace ha
