// SPDX-License-Identifier: MIT
#include "common/execute/live_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/execute/failure.h"
#include "common/mysql/read_facts.h"

namespace ha {

LiveActions::LiveActions(const Env& env, const FailoverOptions& options,
                         const Observation& observation, Plan plan, std::string run_id,
                         std::string directory, std::optional<std::weak_ptr<const Votes>> votes,
                         std::weak_ptr<LeaseSlot> lease)
    : env_(env),
      options_(options),
      topology_(observation.topology),
      context_(observation.context),
      plan_(std::move(plan)),
      run_id_(std::move(run_id)),
      directory_(std::move(directory)),
      votes_(std::move(votes)),
      lease_(std::move(lease)) {
  for (std::size_t i = 0; i < observation.sessions.size(); ++i)
    if (observation.sessions[i]) sessions_.add(topology_.nodes[i].name, observation.sessions[i]);
}

namespace {

constexpr std::size_t place_of(Action action) { return static_cast<std::size_t>(action); }

}  // namespace

// What no line names is done by its statements alone.
constinit const std::array<LiveActions::Handler, kActionCount> LiveActions::kHandlers = [] {
  std::array<Handler, kActionCount> all;
  all.fill({.on_node = &LiveActions::run_all});
  const auto set = [&](Action action, Handler handler) { all[place_of(action)] = handler; };
  set(Action::kConfirmDead, {.here = &LiveActions::confirm_dead});
  set(Action::kRecheck, {.here = &LiveActions::recheck});
  set(Action::kHook, {.here = &LiveActions::run_command});
  set(Action::kStartService, {.here = &LiveActions::run_command});
  set(Action::kMhaScript, {.here = &LiveActions::run_mha_script});
  set(Action::kVipDown, {.here = &LiveActions::move_vip});
  set(Action::kVipUp, {.here = &LiveActions::move_vip});
  set(Action::kLease, {.here = &LiveActions::lease});
  set(Action::kHandLease, {.here = &LiveActions::hand_lease});
  set(Action::kWriteFile, {.here = &LiveActions::write_file});
  set(Action::kConsoleEvent, {.here = &LiveActions::tell_console});
  set(Action::kFence, {&LiveActions::run_fence, &LiveActions::close_writers});
  set(Action::kBlockWriters, {.on_node = &LiveActions::block_writers});
  set(Action::kRevoke, {.on_node = &LiveActions::revoke});
  set(Action::kLock, {.on_node = &LiveActions::lock});
  set(Action::kDrain, {.on_node = &LiveActions::drain});
  set(Action::kCatchUp, {.on_node = &LiveActions::wait_for_node});
  set(Action::kWaitEqual, {.on_node = &LiveActions::wait_for_node});
  set(Action::kEvents, {.on_node = &LiveActions::move_events});
  set(Action::kSetDelay, {.on_node = &LiveActions::set_delay});
  set(Action::kRecord, {.here = &LiveActions::record});
  set(Action::kRescue, {.on_node = &LiveActions::rescue});
  set(Action::kSaveExtra, {.on_node = &LiveActions::save_extra});
  set(Action::kPromote, {.on_node = &LiveActions::promote});
  set(Action::kRepoint, {.on_node = &LiveActions::follow_source});
  set(Action::kMakeWritable, {.on_node = &LiveActions::open});
  set(Action::kRestore, {.on_node = &LiveActions::restore});
  set(Action::kSemiSync, {.on_node = &LiveActions::switch_semi_sync});
  set(Action::kUnblock, {.on_node = &LiveActions::unblock});
  return all;
}();

Result<StepResult> LiveActions::perform(const Step& step, const RunFacts& known,
                                        const Deadline& deadline) {
  if (const auto ours = expect_votes(step, known); !ours) return ours.error();
  const Handler& handler = kHandlers[place_of(step.action)];
  if (handler.on_node == nullptr || (handler.here != nullptr && !step.argv.empty()))
    return (this->*handler.here)(step, known, deadline);
  auto session = sessions_.borrow(step.node);
  if (!session) {
    // What is dead takes no writes.
    if (step.action == Action::kFence && step.may_fail && is_no_answer(session.error()))
      return StepResult{"it does not answer"};
    return session.error();
  }
  auto result = (this->*handler.on_node)(step, **session, known, deadline);
  session->judge(result);
  return result;
}

Result<Done> LiveActions::confirm_votes() const {
  if (!votes_) return Done{};
  const auto votes = votes_->lock();
  return votes ? votes->confirm() : failure("the votes for changing the cluster were given back");
}

namespace {

// Whatever makes a server the primary, or lets it follow one, needs the votes.
bool moves_role(const Statement& statement) {
  return statement.part == Part::kOpen || statement.part == Part::kPoint;
}

}  // namespace

// When the new primary is open there is no way back. What another manager may have done meanwhile
// is not to be undone; the rest of a rollback is no harm.
Result<Done> LiveActions::expect_votes(const Step& step, const RunFacts& known) const {
  if (known.opened) return Done{};
  const bool rolls_back = step.number == 0;
  const bool moves = step.action == Action::kVipUp || step.action == Action::kVipDown ||
                     step.action == Action::kMhaScript ||
                     std::ranges::any_of(step.statements, moves_role);
  return rolls_back && !moves ? Result<Done>(Done{}) : confirm_votes();
}

Result<StepResult> LiveActions::run_all(const Step& step, SqlSession& session,
                                        const RunFacts& known, const Deadline& deadline) {
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  return StepResult{};
}

const Node* LiveActions::find(const std::string& node) const { return find_node(topology_, node); }

Result<NodeSessions::Session> LiveActions::connect_to(const std::string& name) const {
  const Node* const node = find(name);
  if (node == nullptr) return failure(fmt::format("no node is called '{}'", name));
  MysqlOptions one = options_for({node->name, node->host, node->port}, options_.cluster.mysql,
                                 options_.probe_timeout_s);
  one.answer_timeout_s = static_cast<unsigned>(std::ceil(options_.deadline_s));
  auto session = env_.connector.connect(one);
  if (!session) return session.error();
  return NodeSessions::Session(std::move(*session));
}

// Reads of a node what may have moved since the observation was made.
Result<ServerFacts> LiveActions::read_again(const std::string& name, SqlSession& session) const {
  const Node* const node = find(name);
  return reread_server_facts(session, node == nullptr ? std::nullopt : node->facts);
}

// The same while only its channels are of interest.
Result<ServerFacts> LiveActions::read_received(const std::string& name, SqlSession& session) const {
  const Node* const node = find(name);
  if (node == nullptr || !node->facts) return read_server_facts(session);
  ServerFacts facts = *node->facts;
  if (const auto done = reread_received(session, facts); !done) return done.error();
  return facts;
}

// The same of another node than the step's, which is not to blame when that fails.
Result<ServerFacts> LiveActions::read_other(const std::string& name) {
  auto session = sessions_.borrow(name);
  if (!session) return failure(session.error().text);
  auto facts = read_again(name, **session);
  session->judge(facts);
  return facts ? std::move(facts) : failure(facts.error().text);
}

PlaceholderValues LiveActions::values_of(const RunFacts& known) const {
  return {known.binlog, known.applied, {}, options_.repl_password};
}

// Votes may be lost while the answer to the statement before is waited for: one that was sent into
// a cut of the network is answered when the cut ends.
Result<Done> LiveActions::run_sql(const Statements& statements, SqlSession& session,
                                  const RunFacts& known, const Deadline& deadline) const {
  for (const Statement& one : statements) {
    if (moves_role(one) && !known.opened)
      if (const auto ours = confirm_votes(); !ours) return ours;
    if (const auto done = run_statements({one}, session, values_of(known), deadline); !done)
      return done;
  }
  return Done{};
}

}  // namespace ha
