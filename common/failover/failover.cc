// SPDX-License-Identifier: MIT
#include "common/failover/failover.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/commands.h"
#include "common/failover/copy.h"
#include "common/failover/executor.h"
#include "common/failover/hung_primary.h"
#include "common/failover/live_actions.h"
#include "common/failover/preconditions.h"
#include "common/failover/rescue.h"
#include "common/failover/resume.h"
#include "common/failover/run_store.h"
#include "common/failover/situation.h"
#include "common/failover/step_tools.h"
#include "common/failover/tool_login.h"
#include "common/failover/witness.h"
#include "common/mysql/memory_file.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kMoment_s = 0.1;
// What a takeover takes, beside two looks, from the word that the primary is dead.
constexpr double kTakeover_s = 15;

// A node that makes room for a copy, and what is known of how it will replicate.
struct Room {
  Plan plan;
  CopyTask copy;
};

// Turns the plan of a return into a refusal for another reason, which only closes the node, if it
// accepts writes.
Plan refuse_return(const Topology& topology, Plan plan, const std::string& reason) {
  const auto node = std::ranges::find(topology.nodes, plan.candidate, &Node::name);
  if (node == topology.nodes.end() || !node->writable()) plan.steps.clear();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.action != Action::kLock && step.action != Action::kFence;
  });
  plan.refusal = Refusal::kNotReady;
  plan.reason = reason;
  return plan;
}

// What is known of a node whose data were replaced, by the plan of that: how it replicates.
CrashRecord record_of_copy(const Plan& plan) {
  return {plan.primary, plan.by_gtid, plan.channel, plan.tls, plan.retry};
}

class Manager {
 public:
  Manager(const FailoverOptions& options, Clock& clock, const Say& say)
      : options_(options),
        clock_(clock),
        say_(say),
        deadline_(Deadline::after(options.deadline_s)) {}

  FailoverOutcome failover(const std::string& plan_hash) {
    if (auto obstacle = prepare()) return *obstacle;
    if (unfinished_ && !plan_hash.empty() && plan_hash != unfinished_->plan.hash)
      return refusal(fmt::format(
          "failover refused: the world has changed: run {} was interrupted, and its plan is {}, "
          "not {}; see: mysql_ha plan",
          unfinished_->id, unfinished_->plan.hash, sanitize(plan_hash)));
    Situation situation = look(options_);
    if (unfinished_) {
      auto outcome = settle(*unfinished_, situation);
      // What was taken back leaves the question open whether somebody has to take over now.
      if (outcome.end != FailoverEnd::kRefused || !settled_) return outcome;
      learn_stuck(outcome);
      situation = look(options_);
    }
    Plan plan = decide(situation);
    watch(plan.primary, situation.topology);
    // Replicas take a while to notice that their primary is gone, so their word is tried again too.
    const auto undecided = [&plan] {
      return plan.possible() || plan.refusal == Refusal::kStillReceives;
    };
    for (unsigned tries = 1; undecided() && tries < options_.retries; ++tries) {
      say_(fmt::format("try {} of {}: {}", tries, options_.retries,
                       plan.possible() ? describe_cause(plan) : plan.reason));
      if (!clock_.sleep(options_.retry_interval_s)) return refused(plan, "asked to stop");
      situation = look(options_);
      watch(plan.primary, situation.topology);
      plan = decide(situation);
    }
    await_hung(situation, plan);
    // A lost packet must not hide a node that has more, or that would acknowledge.
    if (plan.possible() && count_silent(situation.topology, plan.primary) > 0) {
      Situation again = look(options_);
      if (count_silent(again.topology, plan.primary) <
          count_silent(situation.topology, plan.primary)) {
        situation = std::move(again);
        plan = decide(situation);
      }
    }
    if (plan.possible() && !plan_hash.empty() && plan.hash != plan_hash)
      return refused(plan, fmt::format("the world has changed: the plan is now {}, not {}",
                                       plan.hash, sanitize(plan_hash)));
    return carry_out_in_turn(std::move(plan), std::move(situation),
                             plan_hash.empty() ? Choice::kFree : Choice::kFixed);
  }

  FailoverOutcome switchover(const std::string& to) {
    Situation situation;
    if (auto obstacle = prepare_change(situation)) return *obstacle;
    const auto decide_on = [&] {
      return plan_switchover(situation.topology, options_.policy, situation.circumstances, to);
    };
    Plan plan = decide_on();
    // Replicas that were told just now to go on take a moment to be ready again.
    const Deadline moment = Deadline::after(options_.probe_timeout_s);
    while (settled_ && plan.refusal == Refusal::kNotReady && !moment.passed() &&
           clock_.sleep(kMoment_s)) {
      situation = look(options_);
      plan = decide_on();
    }
    return pick_up(carry_out(plan, situation), plan, situation);
  }

  // `copied`: it is a copy made just now, of which no journal tells.
  FailoverOutcome rejoin(const std::string& node, const std::optional<CrashRecord>& copied) {
    Situation situation;
    if (auto obstacle = prepare_change(situation)) return *obstacle;
    std::string obstacle;
    SqlSession* const session = find_session(node, situation);
    if (session == nullptr) obstacle = describe_silence(node, situation);
    if (session != nullptr && !copied)
      if (const auto whole =
              expect_whole(*find_node(node, situation), *session, situation.sessions, options_);
          !whole)
        obstacle = whole.error().text;
    const auto record =
        copied ? Result<std::optional<CrashRecord>>(copied) : find_record(node, situation.topology);
    if (!record && obstacle.empty()) obstacle = record.error().text;
    const auto roles = store_->roles();
    if (!roles) return refusal("rejoin refused: " + roles.error().text);
    situation.circumstances.roles = *roles;
    Plan plan = plan_rejoin(situation.topology, options_.policy, situation.circumstances, node,
                            record ? *record : std::nullopt);
    if (!obstacle.empty()) plan = refuse_return(situation.topology, std::move(plan), obstacle);
    if (plan.possible() || plan.steps.empty()) return carry_out(std::move(plan), situation);
    return close_refused(std::move(plan), situation);
  }

  // Closes a node whose data are to be replaced, saves what it has alone, and chooses what is
  // copied.
  FailoverOutcome make_room(const std::string& node, const ResyncOptions& resync, Room& room) {
    Situation situation;
    if (auto obstacle = prepare_change(situation)) return *obstacle;
    SqlSession* const session = find_session(node, situation);
    if (session == nullptr)
      if (const std::string silence = describe_silence(node, situation); !silence.empty())
        return refusal("resync refused: " + silence);
    if (session != nullptr)
      if (const auto alone =
              expect_no_copier(*find_node(node, situation), *session, situation.sessions);
          !alone)
        return refusal("resync refused: " + alone.error().text);
    const auto record = find_record(node, situation.topology);
    if (!record) return refusal("resync refused: " + record.error().text);
    const Topology& topology = situation.topology;
    room.plan = plan_resync(topology, options_.policy, situation.circumstances, node, *record,
                            resync.surplus);
    if (!room.plan.possible()) return carry_out(room.plan, situation);
    const auto from = choose_donor(topology, room.plan, resync.from);
    if (!from) return refusal("resync refused: " + from.error().text);
    const auto named = [&](const std::string& name) {
      return *std::ranges::find(topology.nodes, name, &Node::name);
    };
    room.copy = {topology.nodes[*from], named(node), named(room.plan.primary)};
    // Before anything is closed or stopped.
    if (const auto can = check_copy(room.copy, options_, resync, clock_, say_); !can)
      return refusal("resync refused: " + can.error().text);
    FailoverOutcome outcome = carry_out(room.plan, situation);
    room.copy.run_id = outcome.run_id;
    return outcome;
  }

 private:
  // A node that may not return is closed all the same, and what it has alone is saved.
  FailoverOutcome close_refused(Plan plan, const Situation& situation) {
    const std::string why = std::exchange(plan.reason, ""), node = plan.candidate;
    plan.refusal = Refusal::kNone;
    const bool saves = std::ranges::any_of(
        plan.steps, [](const Step& step) { return step.action == Action::kSaveExtra; });
    FailoverOutcome outcome = carry_out(std::move(plan), situation);
    const bool done = outcome.end != FailoverEnd::kRefused;
    outcome.end = FailoverEnd::kRefused;
    if (!saves)
      outcome.text = fmt::format(
          "rejoin refused: {}. {}", why,
          done ? node + " is read-only now" : node + " could not be closed: " + outcome.text);
    else
      outcome.text = fmt::format(
          "rejoin refused: {}. {}", why,
          done ? fmt::format("They are saved and {0} is read-only now; to make it a copy of the "
                             "others, run: mysql_ha resync {0}",
                             node)
               : "They could not be saved: " + outcome.text);
    return outcome;
  }

  // Locks, looks, and settles what is left of an earlier run.
  std::optional<FailoverOutcome> prepare_change(Situation& situation) {
    if (auto obstacle = prepare()) return obstacle;
    situation = look(options_);
    if (!unfinished_) return std::nullopt;
    auto outcome = settle(*unfinished_, situation);
    if (!settled_) return outcome;
    if (outcome.end != FailoverEnd::kRefused)
      for (const std::string& line : outcome.details) say_(line);
    situation = look(options_);
    return std::nullopt;
  }

  // Returns a node of this name; null: there is none.
  static const Node* find_node(const std::string& name, const Situation& situation) {
    const auto& nodes = situation.topology.nodes;
    const auto node = std::ranges::find(nodes, name, &Node::name);
    return node == nodes.end() ? nullptr : &*node;
  }

  // Returns the session of a node; null: it gave no answer, or no more than the first.
  static SqlSession* find_session(const std::string& name, const Situation& situation) {
    const Node* const node = find_node(name, situation);
    return node == nullptr
               ? nullptr
               : situation
                     .sessions[static_cast<std::size_t>(node - situation.topology.nodes.data())]
                     .get();
  }

  // Returns that a node gave its facts and then no more answers; empty for one that gave none.
  static std::string describe_silence(const std::string& name, const Situation& situation) {
    const Node* const node = find_node(name, situation);
    if (node == nullptr || !node->facts) return "";
    return name + " answers too slowly; run it again, with a longer --probe-timeout";
  }

  // Returns what the journal tells of the change in which `name` was replaced by the present
  // primary. A record that is older than the last change, or than a copy that has replaced all that
  // the node had, tells nothing any more.
  Result<std::optional<CrashRecord>> find_record(const std::string& name,
                                                 const Topology& topology) const {
    const auto ids = store_->ids();
    if (!ids) return ids.error();
    for (auto id = ids->rbegin(); id != ids->rend(); ++id) {
      const auto run = store_->read(*id);
      if (!run) return run.error();
      // Only how it replicated is left of it.
      if (run->copied_over && run->plan.candidate == name)
        return std::optional(record_of_copy(run->plan));
      if (!run->plan.changes_primary() || !run->opened()) continue;
      if (run->plan.primary != name) break;
      return complete_record(*run, topology);
    }
    return std::optional<CrashRecord>();
  }

  // Without GTIDs the node's own binlog tells what it wrote after the change.
  Result<std::optional<CrashRecord>> complete_record(const Run& run,
                                                     const Topology& topology) const {
    CrashRecord record{run.plan.candidate,
                       run.plan.by_gtid,
                       run.plan.channel,
                       run.plan.tls,
                       run.plan.retry,
                       position_of(run.facts, "applied"),
                       position_of(run.facts, "binlog"),
                       std::nullopt,
                       run.plan.semi_sync};
    const auto node = std::ranges::find(topology.nodes, run.plan.primary, &Node::name);
    if (record.by_gtid || node == topology.nodes.end() || !node->facts)
      return std::optional(record);
    const auto session = connect(options_for({node->name, node->host, node->port},
                                             options_.cluster.mysql, options_.probe_timeout_s));
    if (!session) return session.error();
    const auto ended = ends_before(**session, record.applied);
    if (!ended) return ended.error();
    record.lost = *ended;
    if (record.lost) return std::optional(record);
    const auto beyond = count_after(**session, record.applied);
    if (!beyond && is_no_answer(beyond.error())) return beyond.error();
    // A binlog in which the position is none tells nothing either.
    if (!beyond) return std::optional(record);
    record.transactions_beyond = *beyond;
    if (const BinlogPosition after = position_of(run.facts, "return"); !after.file.empty()) {
      const auto rescued = parse_integer(run.facts.at("rescued")).value_or(0);
      if (*beyond)
        *record.transactions_beyond -= std::min(**beyond, static_cast<std::uint64_t>(rescued));
      record.binlog = after;
    }
    return std::optional(record);
  }

  static FailoverOutcome refusal(std::string text) {
    return {FailoverEnd::kRefused, std::move(text)};
  }

  static FailoverOutcome refused(const Plan& plan, std::string text) {
    if (!plan.possible() && !names_command(text)) text += "; " + next_command(plan);
    FailoverOutcome outcome = refusal(fmt::format("{} refused: {}", plan.command, text));
    for (const Rejection& one : plan.rejected)
      outcome.details.push_back(fmt::format("not {}: {}", one.node, one.reason));
    outcome.failed = plan.primary;
    return outcome;
  }

  // Says what a plan is made for.
  static std::string describe_cause(const Plan& plan) {
    if (plan.command == "close")
      return fmt::format("{} accepts writes, and {} has replaced it", plan.primary, plan.candidate);
    if (plan.command == "reopen") return plan.primary + " was restarted and is read-only";
    return plan.primary + " does not answer";
  }

  // Returns how many nodes beside the primary gave no answer.
  static long count_silent(const Topology& topology, const std::string& primary) {
    return std::ranges::count_if(
        topology.nodes, [&](const Node& node) { return node.name != primary && !node.alive(); });
  }

  // Takes the lock and reads the journals.
  std::optional<FailoverOutcome> prepare() {
    auto store = RunStore::open(options_.state_dir, options_.cluster_name);
    if (!store) return refusal("--state-dir: " + store.error().text);
    store_.emplace(std::move(*store));
    if (const auto locked = store_->lock(); !locked)
      return refusal(locked.error().code == Errc::kRefused
                         ? "refused: another run is at work: " + locked.error().text
                         : locked.error().text);
    remove_login_files(store_->path());
    auto unfinished = store_->unfinished(clock_.moment());
    if (!unfinished) return refusal(unfinished.error().text);
    unfinished_ = std::move(*unfinished);
    if (unfinished_)
      if (const auto shortened = store_->shorten(unfinished_->id); !shortened)
        say_(shortened.error().text);
    return std::nullopt;
  }

  Plan decide(Situation& situation) {
    if (const auto added = add_history(*store_, clock_.moment(), situation.circumstances); !added)
      return {.refusal = Refusal::kNotReady, .reason = added.error().text};
    situation.circumstances.stuck = stuck_;
    if (hung_) situation.circumstances.primary_hung_s = hung_->seconds();
    return plan_failover(situation.topology, options_.policy, situation.circumstances, "");
  }

  // Looks on while the primary gives no answer and its replicas receive no event, only heartbeats,
  // until it counts as hung; unless that cannot be reached in the time that is left.
  void await_hung(Situation& situation, Plan& plan) {
    const Policy& policy = options_.policy;
    const auto only_receives = [&plan] {
      return plan.refusal == Refusal::kStillReceives &&
             std::ranges::all_of(plan.further, [](const Objection& one) {
               return one.refusal == Refusal::kStillReceives;
             });
    };
    if (!hung_ || !only_receives()) return;
    plan = decide(situation);
    if (!only_receives() || policy.fence != Fence::kRequired || policy.fence_command.empty())
      return;
    const auto has_time = [&] {
      return deadline_.remaining_s() >
             policy.hung_after_s - hung_->seconds() + 2 * options_.probe_timeout_s + kTakeover_s;
    };
    if (!has_time()) return;
    say_(fmt::format("{} answers no query: it counts as dead when nothing comes from it for {}",
                     plan.primary, format_duration(policy.hung_after_s)));
    while (hung_ && only_receives() && has_time() && clock_.sleep(options_.retry_interval_s)) {
      situation = look(options_);
      watch(plan.primary, situation.topology);
      plan = decide(situation);
    }
  }

  // Notes since when a primary has given no answer and nothing was received from it, for later runs
  // too. Its kernel takes our connections, so it is not we who are cut off.
  void watch(const std::string& primary, const Topology& topology) {
    const auto old = std::ranges::find(topology.nodes, primary, &Node::name);
    // That tells nothing of it.
    if (old == topology.nodes.end() || old->reach == Reach::kNotAsked) return;
    if (old->reach != Reach::kHung ||
        !reach_witnesses({{old->host, old->port}}, Deadline::after(options_.probe_timeout_s))[0])
      return forget();
    if (!hung_) hung_ = read_hung(store_->path());
    hung_ = look_on(hung_, primary, topology, clock_.moment());
    if (const auto written = write_hung(store_->path(), *hung_); !written)
      say_(written.error().text);
  }

  // It does not hang any more, or is none any more.
  void forget() {
    hung_.reset();
    if (const auto forgotten = forget_hung(store_->path()); !forgotten)
      say_(forgotten.error().text);
  }

  // Whether another plan may take the place of one that failed, or the operator wants just that.
  enum class Choice { kFree, kFixed };

  // Carries out a plan of failover. When a node that cannot apply what it received has ended it,
  // another that has received as much is tried in the time that is left.
  FailoverOutcome carry_out_in_turn(Plan plan, Situation situation, Choice choice) {
    for (;;) {
      FailoverOutcome outcome = carry_out(plan, situation);
      if (!learn_stuck(outcome) || choice == Choice::kFixed || deadline_.passed() ||
          clock_.stopping())
        return pick_up(std::move(outcome), plan, situation);
      // One that has died meanwhile may have had more than all others.
      const bool equal = !plan.spare.empty() && stuck_.contains(plan.candidate);
      situation = look(options_);
      if (!equal && lacks_a_stuck_one(situation)) return outcome;
      plan = decide(situation);
      if (!plan.possible()) {
        outcome.details.push_back(fmt::format("no other node takes its place: {} ({})", plan.reason,
                                              refusal_name(plan.refusal)));
        return outcome;
      }
      say_(outcome.text);
    }
  }

  // Remembers the node that has ended a run of which nothing is left; false: there is none.
  bool learn_stuck(const FailoverOutcome& outcome) {
    if (outcome.end != FailoverEnd::kRefused || !obstacle_) return false;
    const Rejection obstacle = *std::exchange(obstacle_, std::nullopt);
    return stuck_.emplace(obstacle.node, obstacle.reason).second;
  }

  bool lacks_a_stuck_one(const Situation& situation) const {
    return std::ranges::any_of(situation.topology.nodes, [this](const Node& node) {
      return !node.facts && stuck_.contains(node.name);
    });
  }

  // Looks once more after a change for replicas that were silent or failed to follow the new
  // primary, and lets them follow it. Each that does not in the end is named.
  FailoverOutcome pick_up(FailoverOutcome outcome, const Plan& plan, Situation& before) {
    if (!complete_ || !plan.changes_primary()) return outcome;
    forget();
    // They hold the locks of the run that is done.
    before.sessions.clear();
    for (const std::string& name : find_stragglers(outcome, plan, before.topology)) {
      const Situation now = look(options_);
      const std::string why = let_follow(name, plan, now);
      outcome.details.push_back(
          why.empty()
              ? fmt::format("{} follows {} in the end", name, plan.candidate)
              : fmt::format("reservation: {} does not follow {}: {}", name, plan.candidate, why));
      if (!why.empty()) outcome.end = FailoverEnd::kReservations;
    }
    return outcome;
  }

  // Returns the nodes that a change has left behind, as far as it is known of its own end.
  static std::vector<std::string> find_stragglers(const FailoverOutcome& outcome, const Plan& plan,
                                                  const Topology& before) {
    const auto told = [](const std::vector<std::string>& lines, const std::string& begin) {
      // The name of a node ends there: db1 is not db10.
      return std::ranges::any_of(lines, [&](const std::string& line) {
        return line.starts_with(begin) && (line.size() == begin.size() ||
                                           line[begin.size()] == ':' || line[begin.size()] == ' ');
      });
    };
    const auto moved = [&plan](const std::string& name) {
      return std::ranges::any_of(plan.steps, [&](const Step& step) {
        return step.action == Action::kRepoint && step.node == name;
      });
    };
    // When the run is resumed, one may be back that was silent when it was planned.
    const auto forgotten = [&](const Node& node) {
      return !moved(node.name) && std::ranges::any_of(node.sources, [&](const auto& source) {
        return source && before.nodes[*source].name == plan.primary;
      });
    };
    std::vector<std::string> names;
    for (const Node& node : before.nodes) {
      const bool old = node.name == plan.primary;
      if (node.name == plan.candidate || (old && plan.command == "failover")) continue;
      const bool silent = !node.facts || !node.facts->channels;
      const bool failed = told(outcome.details, "reservation: repoint " + node.name);
      if ((silent || failed || forgotten(node)) &&
          !told(plan.reservations, node.name + " needs a resync"))
        names.push_back(node.name);
    }
    return names;
  }

  // Returns why a node does not follow the new primary of a plan even now; empty: it does.
  std::string let_follow(const std::string& name, const Plan& plan, const Situation& now) {
    const auto& nodes = now.topology.nodes;
    const auto node = std::ranges::find(nodes, name, &Node::name);
    const auto primary = std::ranges::find(nodes, plan.candidate, &Node::name);
    if (!node->facts)
      return fmt::format("{}. When it answers, run: mysql_ha rejoin {}", node->error, name);
    const auto sources = upstream(now.topology, static_cast<std::size_t>(node - nodes.begin()));
    if (sources.contains(static_cast<std::size_t>(primary - nodes.begin()))) return "";
    const auto record = find_record(name, now.topology);
    if (!record) return record.error().text;
    Plan rejoin = plan_rejoin(now.topology, options_.policy, now.circumstances, name, *record);
    if (!rejoin.possible())
      return fmt::format("{} ({})", rejoin.reason, refusal_name(rejoin.refusal));
    const FailoverOutcome outcome = carry_out(std::move(rejoin), now);
    return outcome.end == FailoverEnd::kRefused ? outcome.text : "";
  }

  FailoverOutcome carry_out(Plan plan, const Situation& situation) {
    if (!plan.possible()) return refused(plan, describe_refusal(plan));
    const auto new_id = store_->new_id(clock_.now_s());
    if (!new_id) return refused(plan, new_id.error().text);
    const std::string& id = *new_id;
    auto journal = store_->journal(id);
    if (!journal) return refused(plan, journal.error().text);
    Executor executor = make_executor(*journal, plan, situation, id);
    if (const auto begun = executor.begin(plan); !begun) return refused(plan, begun.error().text);
    say_(plan.command == "close" || plan.command == "reopen"
             ? fmt::format("{}: {} (run {})", plan.command, describe_cause(plan), id)
             : fmt::format("{}: {} for {} (run {})", plan.command, plan.candidate, plan.primary,
                           id));
    const RunOutcome run = executor.go_on(deadline_);
    if (const auto pruned = store_->prune(options_.keep_runs, clock_.moment()); !pruned)
      say_(pruned.error().text);
    remember_change(plan, situation, run);
    FailoverOutcome outcome = tell(plan, id, run);
    // Who is who has changed, and is to be remembered in case that one of them dies now.
    if (plan.command != "failover" && outcome.end != FailoverEnd::kRefused) look(options_);
    return outcome;
  }

  Executor make_executor(Journal& journal, const Plan& plan, const Situation& situation,
                         const std::string& id) const {
    return {std::make_shared<LiveActions>(options_, situation, plan, id, store_->path()), journal,
            clock_, say_};
  }

  // Finishes or rolls back a run that was interrupted. Nodes that were silent when it was planned
  // are in none of its steps.
  FailoverOutcome settle(const Run& run, Situation& situation) {
    return pick_up(go_on_or_back(run, situation), run.plan, situation);
  }

  FailoverOutcome go_on_or_back(const Run& run, const Situation& situation) {
    Circumstances circumstances = situation.circumstances;
    if (const auto added = add_history(*store_, clock_.moment(), circumstances); !added)
      return refusal(added.error().text);
    const Resume resume = decide_resume(run, situation.topology, options_.policy, circumstances,
                                        age_of(run.last, clock_.moment()));
    settled_ = resume.settles;
    if (resume.kind == Resume::Kind::kRefuse) return refusal(resume.reason);
    auto journal = store_->journal(run.id);
    if (!journal) return refusal(journal.error().text);
    const bool back = resume.kind == Resume::Kind::kRollBack;
    say_(fmt::format("run {} was interrupted, {}", run.id,
                     back ? "rolling it back: " + resume.reason : "resuming it"));
    std::vector<JournalRecord> records = {make_record(clock_.moment(), "resumed")};
    if (resume.not_opened) records.push_back(make_record(clock_.moment(), "not-opened"));
    if (const auto noted = journal->append_all(std::move(records)); !noted)
      return refusal(noted.error().text);
    Executor executor = make_executor(*journal, run.plan, situation, run.id);
    const RunOutcome ended = back ? executor.take_back(resume.reason) : executor.go_on(deadline_);
    remember_change(run.plan, situation, ended);
    return tell(run.plan, run.id, ended);
  }

  // No look may ever show it: the new primary may die before a replica follows it.
  void remember_change(const Plan& plan, const Situation& situation, const RunOutcome& run) {
    const Node* const primary = find_node(plan.candidate, situation);
    if (!plan.changes_primary() || !run.facts.contains(kOpenedFact) || primary == nullptr ||
        !primary->facts)
      return;
    const MemoryFile file(options_.state_dir, options_.cluster_name);
    Recollection known = file.read(options_.cluster.nodes);
    file.note_primary(known, *primary, clock_.now_s());
    if (!known.trouble.empty()) say_(known.trouble);
  }

  // True when the plan is about a node that comes back, and not about which is the primary.
  static bool is_return(const Plan& plan) {
    return plan.command == "rejoin" || plan.command == "resync";
  }

  static std::string describe_done(const Plan& plan) {
    if (plan.command == "close")
      return fmt::format("{} is read-only now, {} stays the primary", plan.primary, plan.candidate);
    if (plan.command == "reopen")
      return plan.primary + " was restarted read-only and accepts writes again";
    return fmt::format("{} {} {}", plan.candidate,
                       plan.command == "rejoin" ? "follows" : "replaces", plan.primary);
  }

  // What a run has left behind that ended without its aim.
  static std::string describe_undone(const Plan& plan) {
    if (is_return(plan)) return plan.candidate + " stays read-only";
    if (plan.command == "reopen") return plan.primary + " stays read-only";
    if (plan.command == "close") return plan.primary + " may still accept writes";
    return "everything is as it was";
  }

  FailoverOutcome tell(const Plan& plan, const std::string& id, const RunOutcome& run) {
    complete_ = run.end == RunEnd::kDone || run.end == RunEnd::kReservations;
    obstacle_.reset();
    if (run.end == RunEnd::kUndone && !run.stuck.empty())
      obstacle_ = Rejection{run.stuck, run.text};
    FailoverOutcome outcome{FailoverEnd::kRefused, "", {}, id, plan.primary, plan.candidate};
    switch (run.end) {
      case RunEnd::kDone:
      case RunEnd::kReservations:
        outcome.end = run.end == RunEnd::kDone ? FailoverEnd::kDone : FailoverEnd::kReservations;
        outcome.text = fmt::format("{} done: {}", plan.command, describe_done(plan));
        break;
      case RunEnd::kUndone:
        outcome.text =
            run.remains.empty() || !plan.changes_primary()
                ? fmt::format("{} ended, {}: {}", plan.command, describe_undone(plan), run.text)
                : fmt::format("{} ended and is rolled back, but {}: {}", plan.command,
                              join(run.remains, ", "), run.text);
        break;
      case RunEnd::kFailed:
        outcome.text =
            fmt::format("{} ended, no node was opened{}: {}", plan.command,
                        run.remains.empty() ? "" : ", but " + join(run.remains, ", "), run.text);
        break;
      case RunEnd::kUnfinished:
        outcome.text = fmt::format("{} interrupted, run it again: {}", plan.command, run.text);
        if (!run.facts.contains(kOpenedFact)) break;
        outcome.end = FailoverEnd::kReservations;
        outcome.text = fmt::format("{} replaces {} and is open for writes, but not all is done; {}",
                                   plan.candidate, plan.primary, outcome.text);
        break;
    }
    if (plan.command == "failover" && outcome.end != FailoverEnd::kRefused) {
      const auto rescued = run.facts.find("rescued");
      outcome.details.push_back(
          rescued == run.facts.end()
              ? "loss: " + render(plan.loss)
              : fmt::format("loss: none, {} transactions were rescued from {}'s disk",
                            rescued->second, plan.primary));
    }
    for (const std::string& one : run.reservations)
      outcome.details.push_back("reservation: " + one);
    if (outcome.end != FailoverEnd::kRefused) {
      for (const std::string& one : plan.reservations)
        outcome.details.push_back("reservation: " + one);
      if (!plan.reservations.empty()) outcome.end = FailoverEnd::kReservations;
    }
    return outcome;
  }

  const FailoverOptions& options_;
  Clock& clock_;
  const Say& say_;
  Deadline deadline_;
  std::optional<RunStore> store_;
  std::optional<Run> unfinished_;
  bool settled_ = false;                    // nothing of an earlier run is left to do
  std::optional<HungPrimary> hung_ = {};    // as of the last look at it
  bool complete_ = false;                   // the last run has done all that it could
  std::optional<Rejection> obstacle_ = {};  // the node that has ended the last run, rolled back
  std::map<std::string, std::string> stuck_ = {};  // nodes that have, with the reason
};

// Returns what becomes of a run that was interrupted.
Plan plan_interrupted(const FailoverOptions& options, const std::string& id,
                      const Situation& situation, const Moment& now) {
  const auto store = RunStore::open(options.state_dir, options.cluster_name);
  const auto run = store ? store->read(id) : Result<Run>(store.error());
  if (!run) return {.refusal = Refusal::kInterrupted, .reason = run.error().text};
  return plan_resume(*run, decide_resume(*run, situation.topology, options.policy,
                                         situation.circumstances, age_of(run->last, now)));
}

}  // namespace

Plan plan_now(const FailoverOptions& options, const std::string& assume_dead) {
  Situation situation = look(options);
  situation.circumstances.assume_dead = !assume_dead.empty();
  const Moment now = system_moment();
  const StateDirectory state = look_at_state(options, now);
  state.add_to(situation.circumstances);
  std::optional<Plan> resumed;
  if (!state.interrupted_run.empty())
    resumed = plan_interrupted(options, state.interrupted_run, situation, now);
  if (resumed && assume_dead.empty()) {
    add_next_command(*resumed);
    return *resumed;
  }
  Plan plan =
      plan_failover(situation.topology, options.policy, situation.circumstances, assume_dead);
  // Who may not read the journal can still be told what would be done.
  if (!state.trouble.empty()) plan.reservations.push_back("--state-dir: " + state.trouble);
  if (resumed)
    plan.reservations.push_back(fmt::format(
        "run {} was interrupted: it is resumed or rolled back first; see: mysql_ha plan",
        resumed->interrupted_run));
  add_next_command(plan);
  return plan;
}

FailoverOutcome run_failover(const FailoverOptions& options, const std::string& plan_hash,
                             Clock& clock, const Say& say) {
  return Manager(options, clock, say).failover(plan_hash);
}

FailoverOutcome run_rejoin(const FailoverOptions& options, const std::string& node, Clock& clock,
                           const Say& say) {
  return Manager(options, clock, say).rejoin(node, std::nullopt);
}

FailoverOutcome run_resync(const FailoverOptions& options, const ResyncOptions& resync,
                           const std::string& node, Clock& clock, const Say& say) {
  // Not the lock of the cluster: somebody may have to take over while hours of copying go on.
  const auto store = RunStore::open(options.state_dir, options.cluster_name);
  auto resyncs = RunStore::open(options.state_dir, options.resync_store());
  if (!store) return {FailoverEnd::kRefused, "--state-dir: " + store.error().text};
  if (!resyncs) return {FailoverEnd::kRefused, "--state-dir: " + resyncs.error().text};
  if (const auto locked = resyncs->lock(); !locked)
    return {FailoverEnd::kRefused,
            "resync refused: another one is at work: " + locked.error().text};
  remove_leftovers_of_copies(resyncs->path());
  Room room;
  FailoverOutcome outcome = Manager(options, clock, say).make_room(node, resync, room);
  if (outcome.end == FailoverEnd::kRefused) return outcome;
  const std::string id = outcome.run_id;
  const auto note = [&](const std::string& event, const std::string& text) -> Result<Done> {
    auto journal = store->journal(id);
    if (!journal) return journal.error();
    JournalRecord record = make_record(clock.moment(), event);
    if (!text.empty()) record.emplace_back("text", text);
    return journal->append(std::move(record));
  };
  const std::string& from = room.copy.from.name;
  const auto copied = copy_server(
      room.copy, options, resync, [&] { return note("copy-begins", ""); }, clock, say);
  const auto told =
      note("copy-ended", copied ? node + " is a copy of " + from : copied.error().text);
  if (!told) say(told.error().text);
  if (!copied) {
    outcome.end = FailoverEnd::kRefused;
    outcome.text = fmt::format("resync failed: {}: {}", node, copied.error().text);
    return outcome;
  }
  // Somebody who manages other nodes at this moment is waited for.
  constexpr double kPatience_s = 60;
  const Deadline patience = Deadline::after(kPatience_s);
  while (!store->lock_holder().empty() && !patience.passed() && clock.sleep(kMoment_s)) continue;
  const BinlogPosition& end = copied->position;
  CrashRecord record = record_of_copy(room.plan);
  record.binlog = end;
  record.transactions_beyond = 0;
  outcome = Manager(options, clock, say).rejoin(node, record);
  outcome.text = fmt::format("{} is a copy of {} at {}:{}; {}", node, from, end.file, end.offset,
                             outcome.text);
  for (const std::string& one : copied->warnings) outcome.details.push_back("reservation: " + one);
  if (!copied->warnings.empty() && outcome.end == FailoverEnd::kDone)
    outcome.end = FailoverEnd::kReservations;
  return outcome;
}

FailoverOutcome run_switchover(const FailoverOptions& options, const std::string& to, Clock& clock,
                               const Say& say) {
  return Manager(options, clock, say).switchover(to);
}

}  // namespace ha
