// SPDX-License-Identifier: MIT
#include "common/resync/resync.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/execute/copy_mark.h"
#include "common/execute/crash_record.h"
#include "common/execute/rejoin.h"
#include "common/execute/resumption.h"
#include "common/execute/workflow.h"

namespace ha {

namespace {

// Returns why nothing may be copied to a node; empty: it may.
std::string find_obstacle(const Observation& view, const std::string& node) {
  SqlSession* const session = find_session(view, node);
  if (session == nullptr) return describe_silence(view, node);
  const auto alone = expect_no_copier(*find_node(view.topology, node), *session, view.sessions);
  return alone ? "" : alone.error().text;
}

// A node that is closed for a copy, and how it will replicate.
struct Preparation {
  FailoverOutcome outcome = {};  // refused: nothing is copied
  Plan plan = {};
  CopyTask copy = {};
};

Preparation refuse_resync(const std::string& reason) {
  return {refuse("resync refused: " + reason)};
}

// Closes a node whose data are to be replaced, saves the transactions that only it has, and chooses
// the node that is copied.
Preparation prepare_copy(const Env& env, const FailoverOptions& options,
                         const ResyncOptions& resync, const std::string& node, const Log& log) {
  auto workflow = begin_workflow(env, options, log);
  if (!workflow) return {refuse(workflow.error().text)};
  if (auto ended = prepare_change(*workflow)) return {*ended};
  const Observation& view = workflow->view;
  const Topology& topology = view.topology;
  if (const std::string obstacle = find_obstacle(view, node); !obstacle.empty())
    return refuse_resync(obstacle);
  const auto record = find_crash_record(env.connector, workflow->store, node, topology, options);
  if (!record) return refuse_resync(record.error().text);
  Plan plan =
      plan_resync(topology, options.policy, view.context, node, *record, resync.extra_transactions);
  if (!plan.possible()) return {carry_out(*workflow, plan).outcome};
  const auto from = choose_donor(topology, plan, resync.from);
  if (!from) return refuse_resync(from.error().text);
  CopyTask copy{topology.nodes[*from], *find_node(topology, node),
                *find_node(topology, plan.primary)};
  // Before anything is closed or stopped.
  if (const auto can = check_copy(env, copy, options, resync, log); !can)
    return refuse_resync(can.error().text);
  FailoverOutcome outcome = carry_out(*workflow, plan).outcome;
  copy.run_id = outcome.run_id;
  return {std::move(outcome), std::move(plan), std::move(copy)};
}

// Writes into the journal of the preparation how the copying goes.
Result<Done> record_copying(const RunStore& store, const std::string& id, const Moment& now,
                            const std::string& event, const std::string& text) {
  auto journal = store.journal(id);
  if (!journal) return journal.error();
  JournalRecord record = make_record(now, event);
  if (!text.empty()) record.emplace_back("text", text);
  return journal->append(std::move(record));
}

Result<CopyResult> copy_and_record(const Env& env, const RunStore& store,
                                   const Preparation& prepared, const FailoverOptions& options,
                                   const ResyncOptions& resync, const Log& log) {
  const CopyTask& task = prepared.copy;
  const auto record = [&](const std::string& event, const std::string& text) {
    return record_copying(store, task.run_id, env.clock.moment(), event, text);
  };
  auto copied = copy_server(
      env, task, options, resync, [&] { return record("copy-begins", ""); }, log);
  const auto recorded =
      record("copy-ended", copied ? fmt::format("{} is a copy of {}", task.to.name, task.from.name)
                                  : copied.error().text);
  if (!recorded) log(recorded.error().text);
  return copied;
}

// Waits for a run that manages other nodes at this moment.
void await_free_lock(const RunStore& store, Clock& clock) {
  constexpr double kPatience_s = 60;
  const Deadline patience = Deadline::after(clock, kPatience_s);
  while (!store.lock_holder().empty() && !patience.passed() && clock.sleep(kMoment_s)) continue;
}

FailoverOutcome follow_as_copy(const Env& env, const FailoverOptions& options,
                               const Preparation& prepared, const CopyResult& copied,
                               const Log& log) {
  const BinlogPosition& end = copied.position;
  const std::string& node = prepared.copy.to.name;
  CrashRecord record = record_of_copy(prepared.plan);
  record.binlog = end;
  record.transactions_beyond = 0;
  FailoverOutcome outcome = rejoin(env, options, node, record, log);
  outcome.text = fmt::format("{} is a copy of {} at {}:{}; {}", node, prepared.copy.from.name,
                             end.file, end.offset, outcome.text);
  for (const std::string& one : copied.warnings) outcome.details.push_back("warning: " + one);
  if (!copied.warnings.empty() && outcome.end == FailoverEnd::kDone)
    outcome.end = FailoverEnd::kWarnings;
  return outcome;
}

}  // namespace

FailoverOutcome run_resync(const Env& env, const FailoverOptions& options,
                           const ResyncOptions& resync, const std::string& node, const Log& log,
                           const BeforeCopy& before) {
  // Not the lock of the cluster: a node may have to be promoted while hours of copying go on.
  const auto store = RunStore::open(env.files, options.state_dir, options.cluster_name);
  auto resyncs = RunStore::open(env.files, options.state_dir, options.resync_store());
  if (!store) return refuse("--state-dir: " + store.error().text);
  if (!resyncs) return refuse("--state-dir: " + resyncs.error().text);
  if (const auto locked = resyncs->lock(env.clock); !locked)
    return refuse("resync refused: another one is at work: " + locked.error().text);
  remove_leftovers_of_copies(env.files, resyncs->path());
  Preparation prepared = prepare_copy(env, options, resync, node, log);
  if (prepared.outcome.end == FailoverEnd::kRefused) return prepared.outcome;
  const auto fail = [&](const Error& error) {
    prepared.outcome.end = FailoverEnd::kRefused;
    prepared.outcome.text = fmt::format("resync failed: {}: {}", node, error.text);
    return prepared.outcome;
  };
  if (before)
    if (const auto done = before(prepared.outcome); !done) return fail(done.error());
  const auto copied = copy_and_record(env, *store, prepared, options, resync, log);
  if (!copied) return fail(copied.error());
  await_free_lock(*store, env.clock);
  return follow_as_copy(env, options, prepared, *copied, log);
}

}  // namespace ha
