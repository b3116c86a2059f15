// SPDX-License-Identifier: MIT
#include "tests/sim/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "common/commands.h"
#include "tests/sim/manager.h"

namespace ha::sim {

namespace {

std::string name(std::size_t server) { return fmt::format("db{}", server + 1); }

class Judge : public Witness {
 public:
  Judge(const History& history, Telling telling) : history_(history), world_(history, *this) {
    world_.set_tells(telling == Telling::kTimeline);
    owner_ = 0;
  }

  Verdict run() {
    constexpr Time kSettle = 5 * kSecond;
    world_.run(history_.calm + kSettle);
    if (violation_.empty()) converge();
    if (violation_.empty()) judge_runs();
    if (violation_.empty()) judge_takeovers();
    return {violation_, static_cast<std::uint32_t>(history_.faults.size()), takeovers_,
            static_cast<std::uint32_t>(world_.managers().size()), world_.timeline()};
  }

  // --- What happens.

  void acknowledged(std::size_t server, std::uint32_t transaction) override {
    world_.transactions()[transaction].acknowledged = true;
    if (server == owner_ || (!fence_is_promised(server) && !lease_is_promised(server))) return;
    // What its own option file opens, no fence keeps closed.
    if (world_.server(server).boots() > boots_[server] &&
        !world_.server(server).settings().read_only_file)
      return;
    violated(fmt::format("{} acknowledges write {} after {} was opened in its place", name(server),
                         transaction, name(owner_)));
  }

  void sent(std::uint32_t process, std::string_view sql) override {
    if (!history_.needs_votes() || sql.find("read_only=0") == sql.npos) return;
    if (const std::size_t votes = count_votes(process); 2 * votes <= history_.voters())
      violated(
          fmt::format("a manager opens a server with {} of {} votes", votes, history_.voters()));
  }

  void locks(std::uint32_t process) override {
    overtaken_.erase(process);
    changes_of_plan_[process].clear();
  }

  void changed(std::size_t server, std::uint32_t process, std::string_view what) override {
    const ManagerRun& run = world_.managers()[process]->what();
    // A guard closes its own server beside whatever run of it is under way.
    if (run.errand == Errand::kGuard && std::cmp_equal(server, run.node)) return;
    changes_[process].insert(server);
    changes_of_plan_[process].insert(server);
    judge_alone(server, process);
    if (run.errand == Errand::kPlan)
      violated(fmt::format("plan changes {}: {}", name(server), what));
  }

  void forgot_source(std::size_t server, std::size_t undrained) override {
    undrained_[server] = undrained;
  }

  void opened(std::size_t server, std::uint32_t process) override {
    const Manager& manager = *world_.managers()[process];
    const bool deceived = is_deceived(manager);
    if (undrained_[server] > 0 && !deceived)
      violated(fmt::format("{} is opened, and has thrown away {} transactions of its relay log",
                           name(server), undrained_[server]));
    if (const Channel& channel = world_.server(server).channel();
        channel.exists && channel.applied < channel.relay.size())
      violated(fmt::format("{} is opened, and has not applied all of its relay log", name(server)));
    if (server == owner_) return;
    // What an ended run has sent to a server that stood still is carried out whenever it goes on.
    if (!deceived && !manager.ended()) judge_completeness(server, manager);
    count_lost(server, process);
    if (is_failover(manager)) {
      ++takeovers_;
      // Who rolls back a run opens the primary of before.
      if (!manager.resumes()) judge_need(manager);
    }
    // Who has not looked since another manager changed the primary cannot know of it.
    informed_ = manager.what().manager == opener_ || has_looked(manager);
    opener_ = manager.what().manager;
    opened_at_ = world_.now();
    owner_ = server;
    // What was cut off, or came back just now, may have been restarted, and be open, before that.
    for (std::size_t i = 0; i < history_.servers.size(); ++i)
      if (is_within_reach(i, manager) && !may_be_missed(i)) boots_[i] = world_.server(i).boots();
  }

  // What ends in vain is not begun again and again.
  void run_begins(std::uint32_t process) override {
    constexpr Time kSome = 100, kBetween = 2 * kSecond;
    const Time age = world_.now() - world_.managers()[process]->what().at;
    if (++runs_of_[process] > kSome + age / kBetween)
      violated(fmt::format("the guard of {} begins its run {} after {} s",
                           name(static_cast<std::size_t>(world_.managers()[process]->what().node)),
                           runs_of_[process], age / kSecond));
    changes_.erase(process);
    lost_of_.erase(process);
  }

  void run_ends(std::uint32_t process) override { judge_run(*world_.managers()[process]); }

  void violated(std::string text) override {
    if (!violation_.empty()) return;
    world_.log("VIOLATION: " + text);
    violation_ = std::move(text);
  }

 private:
  // One that has changed something, let another one change something, and goes on. Where managers
  // see different halves of a network, a lock holds only on what both of them reach.
  void judge_alone(std::size_t server, std::uint32_t process) {
    // Who lost its votes rolls back what harms nobody; who opens is judged by its votes.
    if (history_.needs_votes()) return;
    // What it sent before it ended may arrive when a cut ends, and then it is at work no more.
    if (world_.managers()[process]->ended() || world_.managers()[process]->killed()) return;
    if (overtaken_.contains(process))
      violated(fmt::format("two managers are at work: {} of host {} changes {} after another did",
                           process, world_.managers()[process]->what().manager, name(server)));
    for (const auto& manager : world_.managers())
      if (manager->id() != process && !manager->ended() && !manager->killed() &&
          meets(*world_.managers()[process], server, *manager))
        overtaken_.insert(manager->id());
  }

  // True when a manager that changes `server` can see that another one is at work: by the locks on
  // what that one has changed.
  bool meets(const Manager& manager, std::size_t server, const Manager& other) {
    const std::set<std::size_t>& changed = changes_of_plan_[other.id()];
    return changed.contains(server) ||
           (!managers_are_split() && std::ranges::any_of(changed, [&](std::size_t one) {
             return is_within_reach(one, manager);
           }));
  }

  static bool is_failover(const Manager& manager) {
    return manager.what().errand == Errand::kFailover || manager.is_guard();
  }

  bool lease_is_promised(std::size_t server) const {
    return history_.lease.seconds > 0 && !world_.lets_server_alone(server);
  }

  // Returns how many voters have given their vote to a run, or can give it to no other: they are
  // down, or have forgotten it.
  std::size_t count_votes(std::uint32_t process) const {
    constexpr Time kForgotten = 11 * kSecond;
    std::size_t votes = 0;
    for (std::size_t i = 0; i < history_.voters(); ++i) {
      const Server& voter = world_.server(i);
      if (!voter.up() || world_.now() - voter.started() < kForgotten ||
          voter.lock_holder("monitoring-plugins-ha:mysql:vote") == process)
        ++votes;
    }
    return votes;
  }

  // Nothing but votes keeps managers apart that see different halves of a network: each would fence
  // the primary, and make another of its half.
  bool managers_are_split() const { return count_splits() > 0; }

  std::ptrdiff_t count_splits() const {
    if (history_.needs_votes()) return 0;
    std::uint32_t managers = 0;
    for (std::size_t i = 0; i < history_.managers; ++i)
      managers |= 1u << history_.host_of_manager(i);
    return std::ranges::count_if(history_.faults, [&](const Fault& fault) {
      const std::uint32_t here = fault.hosts & managers;
      return (fault.kind == FaultKind::kCut || fault.kind == FaultKind::kOneWay) && here != 0 &&
             here != managers;
    });
  }

  bool fence_is_promised(std::size_t server) const {
    if (managers_are_split() || !informed_) return false;
    if (history_.fence == Fence::kRevoke) return true;
    if (history_.fence != Fence::kRequired) return false;
    // Without a command there is other evidence, that of the lease if there is one, or no failover.
    if (history_.fence_nature == FenceNature::kNone)
      return history_.lease.seconds == 0 || lease_is_promised(server);
    return history_.fence_nature == FenceNature::kHonest ||
           history_.fence_nature == FenceNature::kSlow;
  }

  // True when the fence command has told that the primary is off, and that is up: what it has
  // written since may be anywhere.
  bool is_deceived(const Manager& manager) const {
    return history_.fence_nature == FenceNature::kLies && world_.server(owner_).up() &&
           is_failover(manager);
  }

  // True when an earlier run of its host has seen the primary, and has ended when it began.
  bool has_looked(const Manager& manager) {
    return std::ranges::any_of(world_.managers(), [&](const auto& one) {
      return one->what().manager == manager.what().manager && one->ended() &&
             one->looked_at(owner_) && one->began() > opened_at_ && one->end() < manager.began();
    });
  }

  bool is_within_reach(std::size_t server, const Manager& manager) {
    const std::size_t host = history_.host_of_manager(manager.what().manager);
    return world_.server(server).answers() && world_.passes(host, server) &&
           world_.passes(server, host);
  }

  // A healthy server within reach has nothing acknowledged that the new primary lacks.
  void judge_completeness(std::size_t server, const Manager& manager) {
    if (managers_are_split()) return;
    const auto& transactions = world_.transactions();
    for (std::uint32_t t = 0; t < transactions.size(); ++t) {
      if (!transactions[t].acknowledged || transactions[t].origin != owner_ ||
          world_.server(server).has(t) || is_ambiguous(t) || is_just_written(t))
        continue;
      for (std::size_t other = 0; other < history_.servers.size(); ++other) {
        if (other == server || other == owner_ || !is_within_reach(other, manager) ||
            may_be_missed(other))
          continue;
        if (!is_healthy(world_.server(other).channel()) ||
            !world_.server(other).has_or_received(t) || is_just_sent(t, other))
          continue;
        return violated(fmt::format("{} is opened without write {}, which {} has", name(server), t,
                                    name(other)));
      }
    }
  }

  // What received by position what its source has lost since can be compared with none: its
  // receiver has failed for good, and an operator was told.
  static bool is_healthy(const Channel& channel) {
    const bool failed = channel.io == Receiver::kStopped && channel.io_errno != 0;
    return channel.exists && channel.sql_errno == 0 && (channel.by_gtid || !failed);
  }

  // True for what its server has lost on its disk, and for what it has numbered the same since:
  // nothing tells the two apart.
  bool is_ambiguous(std::uint32_t t) {
    const auto& transactions = world_.transactions();
    const Transaction& one = transactions[t];
    if (one.number == 0) return !world_.server(one.origin).has(t);
    return std::ranges::count_if(transactions, [&](const Transaction& other) {
             return other.origin == one.origin && other.number == one.number;
           }) > 1;
  }

  // True for what the old primary has taken since it came back in the last moment, with no fence to
  // keep it closed.
  bool is_just_written(std::uint32_t t) {
    return may_be_missed(owner_) && world_.now() - world_.transactions()[t].written < kMoment;
  }

  // The same for what it had before, and a replica has received since.
  bool is_just_sent(std::uint32_t t, std::size_t replica) {
    return may_be_missed(owner_) &&
           std::ranges::any_of(world_.server(replica).channel().relay, [&](const RelayEntry& one) {
             return one.transaction == t && world_.now() - one.received < kMoment;
           });
  }

  static constexpr Time kMoment = 2 * kSecond;

  // Between a last question to silent nodes and the opening there is always a moment, or as long as
  // the manager stands still; and who is slow may answer too late.
  bool may_be_missed(std::size_t server) const {
    const auto since = [&](Time end) {
      Time passed = world_.now() - end;
      for (const Fault& fault : history_.faults)
        if (fault.kind == FaultKind::kManagerFreeze && fault.at < world_.now())
          passed -= std::max<Time>(0, std::min(fault.ends, world_.now()) - std::max(fault.at, end));
      return passed;
    };
    return std::ranges::any_of(history_.faults, [&](const Fault& fault) {
      const bool network = fault.kind == FaultKind::kCut || fault.kind == FaultKind::kOneWay ||
                           fault.kind == FaultKind::kSlow;
      const bool over = fault.ends <= world_.now() || fault.kind == FaultKind::kSlow;
      return (network || fault.node == server) && fault.at <= world_.now() && over &&
             since(fault.ends) < kMoment;
    });
  }

  void count_lost(std::size_t server, std::uint32_t process) {
    const auto& transactions = world_.transactions();
    for (std::uint32_t t = 0; t < transactions.size(); ++t)
      if (transactions[t].acknowledged && transactions[t].origin == owner_ &&
          !world_.server(server).has(t) && world_.server(owner_).has(t))
        ++lost_of_[process];
  }

  // Something must have befallen the primary that is replaced.
  void judge_need(const Manager& manager) {
    constexpr Time kMemory = 30 * kSecond;
    for (const Fault& fault : history_.faults) {
      if (fault.at > world_.now() || fault.ends + kMemory < manager.began()) continue;
      const bool network = fault.kind == FaultKind::kCut || fault.kind == FaultKind::kOneWay ||
                           fault.kind == FaultKind::kSlow;
      if (network || (fault.node == owner_ && fault.kind < FaultKind::kCut)) return;
      if (fault.kind == FaultKind::kGuardKill || fault.kind == FaultKind::kManagerFreeze) return;
    }
    const Server& owner = world_.server(owner_);
    // Or it was down when the run began, and an operator has started it since.
    if (owner.fenced() || !owner.up() || owner.started() >= manager.began()) return;
    violated(fmt::format("{} was replaced, and nothing had befallen it", name(owner_)));
  }

  // A loss that is told without "at least" and the like is all.
  void judge_loss(const Manager& manager) {
    for (const std::string& line : manager.outcome().details) {
      unsigned long long told = 0;
      char end = 0;
      if (std::sscanf(line.c_str(), "loss: %llu transaction%c", &told, &end) != 2) continue;
      if (line.find("not known") != std::string::npos) continue;
      const auto lost = lost_of_.find(manager.id());
      if (lost != lost_of_.end() && lost->second > told)
        violated(fmt::format("{}, and {} acknowledged writes are lost", line, lost->second));
    }
  }

  void judge_runs() {
    for (const auto& manager : world_.managers())
      if (!manager->is_guard()) judge_run(*manager);
  }

  void judge_run(const Manager& manager) {
    judge_budget(manager);
    judge_loss(manager);
    if ((!manager.ended() && !manager.is_guard()) || manager.what().errand == Errand::kPlan) return;
    const FailoverOutcome& outcome = manager.outcome();
    const auto changes = changes_.find(manager.id());
    if (changes == changes_.end()) return;
    if (outcome.end == FailoverEnd::kRefused && outcome.run_id.empty() && !manager.resumes())
      violated(fmt::format("a refused run has changed {}: {}", name(*changes->second.begin()),
                           outcome.text));
  }

  void judge_budget(const Manager& manager) {
    // Rolling back takes 5 s for a step at most, what is left when it is open 15 s at least.
    const Time slack = 15 * kSecond + 5 * kSecond * static_cast<Time>(4 * history_.servers.size()) +
                       4 * history_.probe_timeout;
    const Time end = manager.ended() || manager.is_guard() ? manager.end() : world_.now();
    if (manager.killed() || end - manager.began() <= history_.deadline + slack) return;
    violated(fmt::format("a run of manager {} takes {:.1f} s", manager.what().manager,
                         static_cast<double>(end - manager.began()) / 1e6));
  }

  void judge_takeovers() {
    const auto faults = std::ranges::count_if(history_.faults, [this](const Fault& fault) {
      return (fault.kind <= FaultKind::kSlow && fault.node < history_.servers.size()) ||
             (history_.lease.seconds > 0 && fault.kind >= FaultKind::kManagerCut);
    });
    // Managers that see a cut from both sides may make one each.
    if (takeovers_ > faults + count_splits())
      violated(fmt::format("{} takeovers for {} faults", takeovers_, faults));
  }

  // --- Afterwards.

  const Manager* command(Errand errand, std::int8_t node = -1) {
    const std::uint32_t id = world_.start_manager({errand, world_.now(), 0, node});
    const Time limit = world_.now() + 10 * history_.deadline;
    while (!world_.managers()[id]->ended() && world_.now() < limit && violation_.empty())
      world_.run(world_.now() + 100 * kMillisecond);
    const Manager* const manager = world_.managers()[id].get();
    obey(manager->outcome().text);
    for (const std::string& line : manager->outcome().details) obey(line);
    return manager;
  }

  // Ends the connection of a run whose machine is gone, as a refusal asks for: "lock db2: ...; when
  // the machine of that run is gone, log in to this server and run: KILL 3".
  void obey(std::string_view text) {
    constexpr std::string_view kKill = " run: KILL ", kLock = "lock db";
    const std::size_t at = text.find(kKill);
    if (at == text.npos) return;
    const std::size_t lock = text.rfind(kLock, at);
    std::size_t server = 0, id = 0;
    if (lock != text.npos) server = number_at(text, lock + kLock.size());
    id = number_at(text, at + kKill.size());
    if (server == 0 || id == 0 || id > world_.sessions().size() ||
        world_.sessions()[id - 1].server + std::size_t{1} != server)
      return violated(fmt::format("there is no such connection: {}", text));
    const Manager& holder = *world_.managers()[world_.sessions()[id - 1].process];
    if (holder.ended() || holder.killed()) world_.kill_session(static_cast<std::uint32_t>(id - 1));
  }

  static std::size_t number_at(std::string_view text, std::size_t at) {
    std::size_t number = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), number);
    return number;
  }

  std::vector<std::size_t> writers() const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < history_.servers.size(); ++i)
      if (world_.server(i).up() && !world_.server(i).read_only()) found.push_back(i);
    return found;
  }

  bool follows(std::size_t server, std::size_t source) const {
    std::size_t at = server;
    for (std::size_t steps = 0; steps < history_.servers.size(); ++steps) {
      const Channel& channel = world_.server(at).channel();
      if (!world_.server(at).up() || !channel.exists || channel.io != Receiver::kRunning ||
          !channel.sql)
        return false;
      at = channel.source;
      if (at == source) return true;
    }
    return false;
  }

  bool has_converged() const {
    const auto open = writers();
    for (std::size_t i = 0; i < history_.servers.size(); ++i)
      if (open.size() == 1 && i != open[0] && !follows(i, open[0])) return false;
    return open.size() == 1;
  }

  void converge() {
    constexpr int kRounds = 8;
    world_.start_all();
    world_.run(world_.now() + 20 * kSecond);
    wait_for_runs();
    std::string refusal;
    for (int round = 0; round < kRounds && violation_.empty() && !has_converged(); ++round) {
      refusal.clear();
      const auto open = writers();
      if (open.size() != 1) {
        const Manager* const manager = command(Errand::kFailover);
        if (manager->outcome().end == FailoverEnd::kRefused) refusal = manager->outcome().text;
      } else if (rejoin_all(open[0], refusal)) {
        return;
      } else {
        continue;
      }
      world_.run(world_.now() + 5 * kSecond);
    }
    if (violation_.empty() && !has_converged() && !names_command(refusal))
      violated(fmt::format("the cluster does not converge: {} servers accept writes{}{}",
                           writers().size(), refusal.empty() ? "" : "; ", refusal));
  }

  // Who is told that another run is at work waits for its end; how long that may take is judged of
  // the run itself.
  void wait_for_runs() {
    const Time limit = world_.now() + 10 * history_.deadline;
    const auto works = [](const auto& one) { return one->works(); };
    while (std::ranges::any_of(world_.managers(), works) && world_.now() < limit &&
           violation_.empty())
      world_.run(world_.now() + 100 * kMillisecond);
  }

  // Lets every server follow the writer; true when all do, or are told to be copied.
  bool rejoin_all(std::size_t writer, std::string& refusal) {
    bool all = true;
    for (std::size_t i = 0; i < history_.servers.size() && violation_.empty(); ++i) {
      if (i == writer || follows(i, writer)) continue;
      const Manager* const manager = command(Errand::kRejoin, static_cast<std::int8_t>(i));
      world_.run(world_.now() + 3 * kSecond);
      if (follows(i, writer)) continue;
      const FailoverOutcome& outcome = manager->outcome();
      // Of a run that was begun the program itself says how to see its steps.
      if (outcome.end == FailoverEnd::kRefused &&
          (names_command(outcome.text) || !outcome.run_id.empty()))
        continue;
      all = false;
      refusal = outcome.text;
    }
    return all;
  }

  const History& history_;
  World world_;
  std::string violation_;
  std::size_t owner_ = 0;    // whom a manager opened last
  std::uint8_t opener_ = 0;  // and which manager
  Time opened_at_ = 0;
  bool informed_ = true;  // it could know the primary before
  std::array<std::uint32_t, kMostNodes> boots_ = {1, 1, 1, 1, 1, 1};
  std::array<std::size_t, kMostNodes> undrained_ = {};
  std::map<std::uint32_t, std::set<std::size_t>> changes_, changes_of_plan_;  // by process
  std::set<std::uint32_t> overtaken_;                                         // processes
  std::map<std::uint32_t, std::uint64_t> lost_of_;  // acknowledged writes, by process
  std::map<std::uint32_t, Time> runs_of_;           // how many a guard has begun, by process
  std::uint32_t takeovers_ = 0;
};

}  // namespace

Verdict judge(const History& history, Telling telling) { return Judge(history, telling).run(); }

}  // namespace ha::sim
