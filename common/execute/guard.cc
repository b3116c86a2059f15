// SPDX-License-Identifier: MIT
#include "common/execute/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/context/guard_files.h"
#include "common/context/lease_watch.h"
#include "common/context/run_store.h"
#include "common/execute/binlog_dumps.h"
#include "common/execute/failover.h"
#include "common/execute/guard_sessions.h"
#include "common/execute/lease_keeper.h"
#include "common/failover/known_primary.h"
#include "common/failover/lease_decision.h"
#include "common/failover/returning.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

using Finding = GuardWatch::Finding;

constexpr double kBetweenWrites_s = 1;    // of the state
constexpr double kRoundGrace_s = 10;      // of a loaded machine
constexpr double kEndOfLease_s = 5;       // for giving it back
constexpr double kBetweenRejoins_s = 60;  // of one node that could not return
constexpr std::size_t kMostLines = 1000;  // that are remembered so as not to be repeated

GuardTiming timing_of(const GuardSettings& settings) {
  return {settings.guard.interval_s, settings.failover.retries, settings.failover.retry_interval_s};
}

std::vector<std::string> names_of(const GuardSettings& settings) {
  std::vector<std::string> names;
  for (const NodeAddress& node : settings.failover.cluster.nodes) names.push_back(node.name);
  return names;
}

// Whether a lease would rest on something else.
bool changes_lease(const GuardSettings& before, const GuardSettings& after) {
  const FailoverOptions &was = before.failover, &is = after.failover;
  if (was.lease.lease_s == 0 && is.lease.lease_s == 0) return false;
  return was.lease != is.lease || was.votes != is.votes || was.cluster.nodes != is.cluster.nodes ||
         before.guard.node != after.guard.node;
}

class Guard {
 public:
  Guard(const Env& env, GuardSettings settings, GuardHost& host, GuardFiles files)
      : env_(env),
        settings_(std::move(settings)),
        host_(host),
        files_(std::move(files)),
        watch_(names_of(settings_), now_s()) {
    open_sessions();
    state_.process = settings_.guard.process;
    state_.since = env_.clock.moment();
    if (const auto last = files_.read(); last && *last) state_.deed = (*last)->deed;
  }

  // Fails when the lease is wanted and cannot be kept.
  Result<Done> run() {
    if (const auto kept = keep_lease(); !kept) return kept;
    if (const auto begun = watch_lease(); !begun) return begun;
    while (!env_.clock.stopping()) {
      if (env_.clock.take_reload()) reload();
      const double begin_s = now_s();
      ask_nodes(begin_s);
      watch_pause();
      const GuardTurn turn = watch_.decide(timing_of(settings_), now_s());
      if (turn.kind == GuardTurn::Kind::kReplace && held().empty())
        act();
      else if (turn.kind == GuardTurn::Kind::kReplace || turn.kind == GuardTurn::Kind::kLook)
        look();
      show(settings_.guard.interval_s);
      wait(begin_s + turn.wait_s, turn.kind);
    }
    end_lease();
    if (vigil_) vigil_->stop(Deadline::after(env_.clock, kEndOfLease_s));
    state_.stopped = true;
    describe("stopped");
    write_state();
    host_.say("stopped");
    return Done{};
  }

 private:
  double now_s() const { return env_.clock.monotonic_s(); }

  void open_sessions() {
    const GuardTiming timing = timing_of(settings_);
    sessions_.emplace(env_, settings_.failover.cluster, timing.interval_s * timing.retries);
  }

  // Beside a node the guard keeps the lease of the primary, whatever else it is at.
  Result<Done> keep_lease() {
    const FailoverOptions& options = settings_.failover;
    const auto node =
        std::ranges::find(options.cluster.nodes, settings_.guard.node, &NodeAddress::name);
    if (options.lease.lease_s == 0 || node == options.cluster.nodes.end()) return Done{};
    lease_ = std::make_shared<LeaseKeeper>(env_, options, *node,
                                           [this](const std::string& line) { host_.say(line); });
    if (!options.lease.watchdog.empty()) {
      auto watchdog = host_.arm(options.lease.watchdog, watchdog_timeout_s(options.lease.lease_s));
      if (!watchdog) return Error{watchdog.error().code, "--watchdog: " + watchdog.error().text};
      lease_->arm(std::move(*watchdog));
    }
    return lease_->start();
  }

  void end_lease() {
    if (lease_) lease_->stop(Deadline::after(env_.clock, kEndOfLease_s));
    lease_.reset();
  }

  // The lease of a primary that is cut off may end before a run begins to look.
  Result<Done> watch_lease() {
    if (settings_.failover.lease.lease_s == 0) return Done{};
    vigil_ = std::make_shared<LeaseVigil>(env_, settings_.failover);
    return vigil_->start();
  }

  // Why the guard may not change the cluster; empty: it may.
  std::string held() const {
    if (paused_) return "paused";
    return settings_.guard.manage ? "" : "manage is no";
  }

  // Answers are there in a millisecond, and one that is late is taken in the next round.
  void ask_nodes(double begin_s) {
    const GuardTiming timing = timing_of(settings_);
    const auto words = sessions_->ask(Deadline::after(
        env_.clock, std::min(timing.interval_s, std::max(timing.retry_interval_s, 0.05))));
    for (std::size_t i = 0; i < words.size(); ++i) {
      const WatchedNode& node = watch_.nodes()[i];
      if (watch_.hear(i, words[i], timing, std::max(begin_s, now_s()))) {
        host_.say(ha::describe(node));
        releases_ = releases_ || node.life == NodeLife::kGone;
      }
      if (words[i].kind == NodeWord::Kind::kAnswers && vigil_)
        vigil_->forget(watch_.nodes()[i].name);
      if (lease_ && words[i].read_only == false && watch_.nodes()[i].name != settings_.guard.node)
        lease_->note_other_primary();
      if (words[i].kind == NodeWord::Kind::kNotAsked) say_once(words[i].error);
    }
    release_replicas();
  }

  // Lets the server beside this guard, which is as near to the others as the guard, drop what it
  // still sends to nodes that are gone: their connections may be cut off, and they may be back
  // soon.
  void release_replicas() {
    const std::string& own = settings_.guard.node;
    if (released_ && released_->wait(Deadline::after(env_.clock, 0))) {
      const auto ended = released_->result();
      releases_ = releases_ || !ended || !*ended;
      if (ended && *ended && **ended > 0)
        host_.say(fmt::format("{}: connections to replicas that give no answer were ended: {}", own,
                              **ended));
      released_.reset();
    }
    if (!releases_ || released_ || watch_.primary().empty()) return;
    releases_ = false;
    if (own.empty() || own != watch_.primary() || !held().empty()) return;
    const ClusterOptions& cluster = settings_.failover.cluster;
    ReplicaAddresses replicas;
    for (std::size_t i = 0; i < cluster.nodes.size(); ++i)
      (watch_.nodes()[i].life == NodeLife::kGone ? replicas.gone : replicas.there)
          .push_back(cluster.nodes[i]);
    auto begun = begin_end_of_binlog_dumps(env_, cluster, own, replicas);
    if (begun) released_ = std::move(*begun);
  }

  void watch_pause() {
    const Moment now = env_.clock.moment();
    const auto pause = files_.read_pause(now);
    if (pause.has_value() == std::exchange(paused_, pause.has_value())) return;
    watch_.ask_for_look();
    if (!pause) return host_.say("resumed: the cluster is managed again");
    host_.say(describe_pause(pause->left_s(now), settings_.failover.lease.lease_s > 0));
  }

  // Reads the whole cluster, and carries out what follows from it.
  void look() {
    host_.show("looking", settings_.failover.probe_timeout_s + kRoundGrace_s);
    const Outlook outlook = look_ahead(env_, settings_.failover, "");
    const Plan& plan = outlook.plan;
    const auto writers = outlook.view.topology.writers();
    const bool well = writers.size() == 1 && !plan.possible();
    learn_primary(outlook.view, writers);
    const bool may_hang = plan.refusal == Refusal::kStillReceives && watch_.primary_is_gone();
    if ((plan.possible() || may_hang) && held().empty()) return act();
    const std::string trouble =
        well              ? ""
        : plan.possible() ? fmt::format("{}: {} would be carried out, {}", held(),
                                        command_name(plan.command), describe_change(plan))
                          : fmt::format("{} ({})", plan.reason, refusal_name(plan.refusal));
    state_.trouble = trouble;
    watch_.found(well ? Finding::kWell : Finding::kTrouble, now_s());
    if (!well) return say_once(trouble);
    said_.clear();
    keep_hosts_file(outlook.view.topology.nodes[writers[0]]);
    if (settings_.guard.auto_rejoin && held().empty()) let_return(outlook.view);
  }

  // A run that changes the primary writes the file of its own machine alone.
  void keep_hosts_file(const Node& primary) {
    constexpr mode_t kReadable = 0644;
    const std::string& path = settings_.failover.policy.hosts_file;
    if (path.empty() || !held().empty()) return;
    if (const auto now = env_.files.read(path); now && *now == primary.host) return;
    const auto written = env_.files.write_atomic(path, primary.host, kReadable);
    const std::string told =
        written ? fmt::format("{} names {}", path, primary.name) : written.error().text;
    if (std::exchange(hosts_file_told_, told) != told) host_.say(told);
  }

  void learn_primary(const Observation& view, const std::vector<std::size_t>& writers) {
    const Node* const last = writers.size() == 1 ? &view.topology.nodes[writers[0]]
                                                 : last_primary(view.topology, view.context);
    if (last == nullptr || last->name == watch_.primary()) return;
    watch_.learn_primary(last->name);
    host_.say(fmt::format("{} is the primary", last->name));
  }

  // Does what `mysql_ha failover` does; a primary that is gone was tried already.
  void act() {
    FailoverOptions options = settings_.failover;
    if (watch_.primary_is_gone()) options.tried = {watch_.primary(), options.retries};
    carry_out(options.deadline_s,
              [&](const Log& log) { return run_failover(env_, options, "", log, vigil_.get()); });
  }

  void let_return(const Observation& view) {
    for (const std::string& node : find_returning(view.topology, view.context)) {
      const auto last = rejoined_s_.find(node);
      if (last != rejoined_s_.end() && now_s() - last->second < kBetweenRejoins_s) continue;
      rejoined_s_[node] = now_s();
      return carry_out(settings_.failover.deadline_s, [&](const Log& log) {
        return run_rejoin(env_, settings_.failover, node, log);
      });
    }
  }

  template <class Command>
  void carry_out(double deadline_s, const Command& command) {
    state_.doing = "changing the cluster";
    write_state(&GuardFiles::write_passing);
    host_.show(state_.doing, deadline_s + settings_.failover.probe_timeout_s + 60);
    const FailoverOutcome outcome = command(once(host_.begin_run()));
    const bool done = outcome.end != FailoverEnd::kRefused;
    if (!outcome.run_id.empty()) state_.deed = {env_.clock.moment(), outcome.run_id, outcome.text};
    state_.trouble = done ? "" : outcome.text;
    if (done || is_news(outcome.text)) host_.end_run(outcome);
    watch_.tried(now_s());
    if (done) watch_.ask_for_look();
  }

  // Passes on what was not told since all was well, and every line of what has begun to change the
  // cluster.
  Log once(Log log) {
    return [this, log = std::move(log), begun = false](const std::string& line) mutable {
      begun = begun || line.find("(run ") != line.npos;
      if (begun || is_news(line)) log(line);
    };
  }

  bool is_news(const std::string& line) {
    if (said_.size() >= kMostLines) said_.clear();
    return said_.insert(without_passing_numbers(line)).second;
  }

  void say_once(const std::string& line) {
    if (is_news(line)) host_.say(line);
  }

  void reload() {
    auto fresh = host_.reload();
    if (!fresh) return host_.say("the settings stay as they were");
    if (fresh->failover.state_dir != settings_.failover.state_dir ||
        fresh->failover.cluster_name != settings_.failover.cluster_name)
      return host_.say(
          "the settings stay as they were: another state-dir or cluster-name needs a restart");
    // A lease that began anew would forget what the one before was bound to.
    if (changes_lease(settings_, *fresh))
      return host_.say(
          "the settings stay as they were: another lease, other nodes or other votes need a "
          "restart");
    settings_ = *std::move(fresh);
    open_sessions();
    const std::string primary = watch_.primary();
    watch_ = GuardWatch(names_of(settings_), now_s());
    watch_.learn_primary(primary);
    host_.say("the options were read again");
  }

  // Without seconds: the state is written when it changes.
  std::string describe_lease() {
    if (!lease_) return "";
    const LeaseStatus status = lease_->status();
    state_.missing_votes = status.obstacle;
    state_.lease_trouble = status.unkillable;
    if (status.wanted && !status.left_s)
      state_.lease_trouble = fmt::format("{} takes writes and has no lease: {} of {} votes are had",
                                         settings_.guard.node, status.votes, status.voters);
    if (!status.left_s) return ", without a lease";
    return fmt::format(", with {} ({} of {} votes)",
                       status.recalled ? "what is left of the lease of the guard before this one"
                                       : "the lease of the primary",
                       status.votes, status.voters);
  }

  void describe(std::string doing) {
    state_.doing = std::move(doing);
    state_.node = settings_.guard.node;
    state_.manages = settings_.guard.manage;
    state_.primary = watch_.primary();
    state_.nodes = watch_.nodes();
  }

  void show(double interval_s) {
    const std::string why = held();
    describe((why.empty() ? "watching" : "watching, " + why) + describe_lease());
    const auto answering = std::ranges::count(state_.nodes, NodeLife::kAnswers, &WatchedNode::life);
    host_.show(fmt::format("{}: {}, {} of {} nodes answer{}", state_.doing,
                           state_.primary.empty() ? "the primary is not known"
                                                  : "the primary is " + state_.primary,
                           answering, state_.nodes.size(),
                           state_.trouble.empty() ? "" : "; " + state_.trouble),
               interval_s + kRoundGrace_s);
    if (now_s() - written_s_ >= kBetweenWrites_s) write_state();
  }

  // Without room on the disk the cluster is guarded all the same; a run would say it, too.
  void write_state(Result<Done> (GuardFiles::*write)(const std::string&) = &GuardFiles::write) {
    std::string content = guard_state_to_json(state_);
    if (content == written_) return;
    written_s_ = now_s();
    if (const auto done = (files_.*write)(content); !done) return say_once(done.error().text);
    written_ = std::move(content);
  }

  // Something that can be read is mostly the end of a session, which the next round shows. What it
  // does not show is no reason to hurry a second time.
  void wait(double until_s, GuardTurn::Kind kind) {
    const double left_s = until_s - now_s();
    if (left_s <= 0) return;
    const bool hurries = !hurried_ || kind != GuardTurn::Kind::kWait;
    env_.clock.sleep_until_readable(hurries ? sessions_->idle() : std::vector<int>(), left_s);
    hurried_ = hurries && now_s() < until_s;
  }

  const Env env_;
  GuardSettings settings_;
  GuardHost& host_;
  GuardFiles files_;
  std::optional<GuardSessions> sessions_ = {};
  GuardWatch watch_;
  GuardState state_ = {};
  bool paused_ = false;
  std::shared_ptr<LeaseKeeper> lease_ = nullptr;       // null: there is none to keep
  std::shared_ptr<LeaseVigil> vigil_ = nullptr;        // null: there is no lease to watch
  bool releases_ = false;                              // a node is gone since the last release
  std::optional<Pending<Result<int>>> released_ = {};  // which is under way
  std::string written_ = {};                           // the state on disk
  double written_s_ = 0;
  std::string hosts_file_told_ = {};               // what was said of it last
  bool hurried_ = false;                           // the last wait was ended early
  std::set<std::string> said_ = {};                // since all was well
  std::map<std::string, double> rejoined_s_ = {};  // when a node was last let return
};

}  // namespace

Result<Done> run_guard(const Env& env, GuardSettings settings, GuardHost& host) {
  const FailoverOptions& options = settings.failover;
  const auto store = RunStore::open(env.files, options.state_dir, options.cluster_name);
  if (!store) return Error{store.error().code, "--state-dir: " + store.error().text};
  GuardFiles files(env.files, store->path());
  const auto lock = files.lock();
  if (!lock)
    return Error{lock.error().code,
                 lock.error().code == Errc::kRefused
                     ? fmt::format("another guard watches this cluster ({}); to see what it does, "
                                   "run: mysql_ha guard status",
                                   lock.error().text)
                     : lock.error().text};
  host.say(fmt::format("guarding {}", join(names_of(settings), ", ")));
  return Guard(env, std::move(settings), host, std::move(files)).run();
}

}  // namespace ha
