// SPDX-License-Identifier: MIT
#include "tests/sim/manager.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/execute/tool_login.h"
#include "common/text.h"
#include "common/vip/vip_host.h"

namespace ha::sim {

namespace {

constexpr double kEpoch_s = 1'790'000'000;  // the wall clocks' time when a history begins
constexpr char kState[] = "/state";

Time to_time(double seconds) {
  return seconds > 1e9 ? kNever : static_cast<Time>(std::ceil(seconds * 1e6));
}

double to_seconds(Time time) { return static_cast<double>(time) / 1e6; }

constexpr std::string_view kVoter = "vote";

}  // namespace

// --- The process.

Manager::Manager(World& world, Disk& disk, const ManagerRun& run, std::uint32_t id)
    : world_(world), disk_(disk), run_(run), id_(id), began_(world.now()) {
  disk.directories.insert(kState);
  add_fiber([this] { body(); });
}

std::size_t Manager::host() const { return world_.history().host_of_manager(run_.manager); }

void Manager::add_fiber(std::function<void()> body) {
  fibers_.push_back(world_.add_fiber(host(), [this, work = std::move(body)] {
    if (killed_) return;
    try {
      work();
    } catch (const Killed&) {
    } catch (const Impossible& why) {
      world_.witness().violated(why.text);
    }
  }));
}

void Manager::kill() {
  if (killed_) return;
  killed_ = true;
  std::erase_if(disk_.locks, [this](const auto& one) { return one.second == id_; });
  for (const std::uint32_t fiber : fibers_)
    if (fiber != world_.current_fiber() && world_.is_alive(fiber))
      world_.wake(fiber, world_.wait_of(fiber), world_.now());
}

void Manager::effect() {
  if (killed_) throw Killed{};
  if (++effects_ != run_.killed_at) return;
  world_.log(name_of_manager(world_.history(), run_.manager) + " is killed at effect " +
             std::to_string(effects_));
  kill();
  throw Killed{};
}

void Manager::wait_until(Time at) {
  const Time from = world_.now();
  world_.wait_until(at);
  for (const Fault& fault : world_.history().faults)
    if (fault.kind == FaultKind::kManagerFreeze && fault.node == run_.manager &&
        fault.ends == world_.now() && world_.current_fiber() == fibers_[0])
      frozen_ += fault.ends - std::max(fault.at, from);
  if (killed_) throw Killed{};
}

FailoverOptions Manager::options() const {
  const History& history = world_.history();
  FailoverOptions options;
  for (std::size_t i = 0; i < history.servers.size(); ++i) {
    const std::string name = "db" + std::to_string(i + 1);
    options.cluster.nodes.push_back({name, name, 3306});
  }
  options.cluster.mysql.user = "monitor";
  options.cluster.mysql.password = "secret";
  options.cluster.mysql.tls_mode = TlsMode::kVerifyIdentity;
  options.policy.fence = history.fence;
  if (history.fence_nature != FenceNature::kNone) options.policy.fence_command = {"/fence"};
  if (history.before_hook != HookNature::kNone)
    options.policy.pre_failover = options.policy.pre_switchover = {{"/before"}};
  if (history.after_hook != HookNature::kNone)
    options.policy.post_failover = options.policy.post_switchover = {{"/after"}};
  options.policy.min_interval_s = to_seconds(history.min_interval);
  if (history.account) {
    options.policy.repl_user = "repl";
    options.repl_password = "replicate";
  }
  for (int i = 0; i < history.votes; ++i)
    options.votes.push_back({std::string(kVoter) + std::to_string(i + 1), 3306});
  if (history.witness) options.witnesses = {{"witness", 22}};
  options.retries = history.retries;
  options.retry_interval_s = to_seconds(history.retry_interval);
  options.probe_timeout_s = to_seconds(history.probe_timeout);
  options.deadline_s = to_seconds(history.deadline);
  options.state_dir = kState;
  if (const LeaseHistory& lease = history.lease; lease.seconds > 0) {
    constexpr double kHungAfter_s = 6;
    options.lease.lease_s = options.policy.lease_s = lease.seconds;
    options.lease.margin_s = to_seconds(lease.margin);
    if (lease.watchdog && is_guard()) options.lease.watchdog = "/dev/watchdog";
    options.policy.hung_after_s = kHungAfter_s;
  }
  return options;
}

GuardSettings Manager::guard_settings() const {
  GuardSettings settings{options(), {}};
  if (!keeps_lease()) return settings;
  settings.guard.node = "db" + std::to_string(run_.node + 1);
  settings.guard.auto_rejoin = world_.history().lease.rejoins;
  return settings;
}

class SimWatchdog : public Watchdog {
 public:
  SimWatchdog(World& world, std::size_t host, Time lasts)
      : world_(world), host_(host), lasts_(lasts) {}

  Result<Done> feed() override {
    world_.feed_watchdog(host_, lasts_);
    return Done{};
  }
  Result<Done> disarm() override {
    world_.disarm_watchdog(host_);
    return Done{};
  }

 private:
  World& world_;
  const std::size_t host_;
  const Time lasts_;
};

class SimGuardHost : public GuardHost {
 public:
  SimGuardHost(Manager& manager, const Log& log) : manager_(manager), log_(log) {}

  void say(const std::string& line) override { log_(line); }
  Log begin_run() override {
    manager_.begin_run();
    return log_;
  }
  Result<std::unique_ptr<Watchdog>> arm(const std::string&, int seconds) override {
    auto watchdog =
        std::make_unique<SimWatchdog>(manager_.world_, manager_.host(), seconds * kSecond);
    if (const auto fed = watchdog->feed(); !fed) return fed.error();
    return std::unique_ptr<Watchdog>(std::move(watchdog));
  }
  void end_run(const FailoverOutcome& outcome) override { manager_.end_run(outcome); }
  std::optional<GuardSettings> reload() override { return std::nullopt; }
  void show(const std::string& state, double) override {
    if (state != "changing the cluster") manager_.rest();
  }

 private:
  Manager& manager_;
  const Log& log_;
};

void Manager::begin_run() {
  began_ = world_.now();
  runs_ = true;
  resumes_ = false;
  world_.witness().run_begins(id_);
}

void Manager::end_run(const FailoverOutcome& outcome) {
  outcome_ = outcome;
  end_ = world_.now();
  if (world_.logs()) {
    const std::string name = name_of_manager(world_.history(), run_.manager) + ": ";
    world_.log(name + outcome.text);
    for (const std::string& line : outcome.details) world_.log(name + "  " + line);
  }
  world_.witness().run_ends(id_);
  runs_ = false;
}

void Manager::rest() { runs_ = false; }

void Manager::body() {
  began_ = world_.now();
  const FailoverOptions options = this->options();
  const std::string node = run_.node < 0 ? "" : "db" + std::to_string(run_.node + 1);
  const Log log = [this](const std::string& line) {
    resumes_ = resumes_ || line.find("was interrupted, ") != std::string::npos;
    if (world_.logs()) world_.log(name_of_manager(world_.history(), run_.manager) + ": " + line);
  };
  Env env(*this, *this, *this, *this, *this, *this);
  log(describe(run_));
  switch (run_.errand) {
    case Errand::kPlan:
      plan_text_ = plan_now(env, options, "").reason;
      break;
    case Errand::kFailover:
      outcome_ = run_failover(env, options, "", log);
      break;
    case Errand::kSwitchover:
      outcome_ = run_switchover(env, options, node, log);
      break;
    case Errand::kRejoin:
      outcome_ = run_rejoin(env, options, node, log);
      break;
    case Errand::kGuard: {
      SimGuardHost guard_host(*this, log);
      if (const auto ended = run_guard(env, guard_settings(), guard_host); !ended)
        outcome_ = refuse(ended.error().text);
      break;
    }
  }
  if (run_.errand != Errand::kPlan) {
    log(outcome_.text);
    for (const std::string& line : outcome_.details) log("  " + line);
  }
  end_ = world_.now();
  ended_ = true;
  kill();
}

// --- Clock

double Manager::now_s() const {
  return kEpoch_s + to_seconds(world_.now() + world_.wall_offset(host()));
}

double Manager::local_s(Time time) const {
  return to_seconds(time * world_.rate(host()) / World::kRate);
}

// No microsecond too few: who waits until a moment has reached it then.
Time Manager::to_world(double seconds) const {
  const Time time = to_time(seconds);
  if (time >= kNever || world_.rate(host()) == World::kRate) return time;
  return time * World::kRate / world_.rate(host()) + 1;
}

double Manager::monotonic_s() const { return local_s(world_.now()); }

bool Manager::stopping() { return run_.errand == Errand::kGuard && world_.now() >= run_.stops; }

bool Manager::sleep(double seconds) {
  pause(seconds);
  return !stopping();
}

// A guard's loops turn as seldom as on a loaded machine; while nothing happens even less, for what
// they would see is what they have seen.
Time Manager::pause_of_guard(Time pause) const {
  constexpr Time kShortest = 90 * kMillisecond, kLongest = 300 * kMillisecond;
  constexpr Time kCalm = 800 * kMillisecond;
  if (!keeps_lease() || pause < kShortest || pause > kLongest) return pause;
  const Time calm = world_.is_calm() ? std::min(kCalm, world_.next_fault() - world_.now()) : 0;
  return std::max({pause, world_.history().lease.margin * 3 / 10, calm});
}

void Manager::pause(double seconds) {
  effect();
  if (seconds > 0) wait_until(world_.now() + pause_of_guard(to_world(seconds)));
}

Moment Manager::moment() const { return {now_s(), 1000 + monotonic_s(), "boot"}; }

// --- Connector

// The client's end of a session.
class SimSqlSession : public SqlSession {
 public:
  SimSqlSession(Manager& manager, std::uint32_t id, Time begun, Time patience)
      : manager_(manager),
        id_(id),
        probed_until_(begun + manager.world_.history().probe_timeout),
        patience_(patience) {}

  ~SimSqlSession() override { manager_.world_.leave_session(id_); }

  Result<Rows> query(const std::string& sql) override {
    manager_.effect();
    World& world = manager_.world_;
    // Another fiber of ours may be waiting for an answer.
    while (busy_) manager_.wait_until(world.now() + kMillisecond);
    if (broken_) return Error{Errc::kUnreachable, label() + ": MySQL server has gone away", 2006};
    busy_ = true;
    ask(sql);
    manager_.effect();
    manager_.wait_until(patience_ >= kNever ? kNever : world.now() + patience_);
    SimSession& session = world.sessions()[id_];
    busy_ = false;
    if (!session.answer) {
      broken_ = true;
      session.client_gone = true;
      return Error{Errc::kUnreachable, label() + ": no whole answer in time", 2013};
    }
    Result<Rows> answer = std::move(*session.answer);
    session.answer.reset();
    if (!answer && answer.error().code == Errc::kUnreachable) broken_ = true;
    if (answer && ends_probe(sql) && world.now() <= probed_until_)
      manager_.looked_at_ |= 1u << session.server;
    return answer;
  }

  const Version& version() const override {
    return manager_.world_.servers()[manager_.world_.sessions()[id_].server].version();
  }

 private:
  // The end of its binlog is the last that each server is asked.
  static bool ends_probe(std::string_view sql) {
    return sql.starts_with("SHOW BINARY LOG STATUS") || sql.starts_with("SHOW MASTER STATUS");
  }

  std::string label() const {
    return manager_.world_.server(manager_.world_.sessions()[id_].server).host();
  }

  void ask(const std::string& sql) {
    World& world = manager_.world_;
    SimSession& session = world.sessions()[id_];
    world.witness().sent(manager_.id_, sql);
    session.sql = sql;
    session.waits = true;
    session.answer.reset();
    session.fiber = world.current_fiber();
    session.wait = world.wait_of(session.fiber) + 1;
    session.asked = world.now() + world.delay(session.host, session.server);
    world.events().add(session.asked, Happens::kStatement, id_);
  }

  Manager& manager_;
  const std::uint32_t id_;
  const Time probed_until_, patience_;
  bool busy_ = false, broken_ = false;
};

Result<std::unique_ptr<SqlSession>> Manager::connect(const MysqlOptions& options) {
  effect();
  const Time begun = world_.now();
  const bool votes = options.host.starts_with(kVoter);
  const std::size_t index =
      std::stoul(options.host.substr(votes ? kVoter.size() : 2)) - 1 + (votes ? world_.nodes() : 0);
  Server& server = world_.servers()[index];
  const Time limit =
      options.connect_timeout_s == 0 ? kNever : world_.now() + options.connect_timeout_s * kSecond;
  const std::string place = options.host + ":3306";
  const auto cannot = [&](unsigned number, const char* reason) {
    return Error{Errc::kUnreachable,
                 place + ": Can't connect to server on '" + options.host + "' (" + reason + ")",
                 number};
  };
  for (;;) {
    // The kernel repeats what gets no answer.
    wait_until(
        std::min(limit, world_.now() + world_.delay(host(), index) + world_.delay(index, host())));
    const bool reaches = world_.passes(host(), index) && world_.passes(index, host());
    if (reaches && !server.up()) return cannot(2003, "111");
    if (reaches && server.answers()) break;
    if (world_.now() >= limit)
      return server.hung() && reaches
                 ? Error{Errc::kUnreachable,
                         place +
                             ": Lost connection to server at 'reading initial communication "
                             "packet'",
                         2013}
                 : cannot(2003, "110");
    wait_until(std::min(limit, world_.now() + kSecond));
  }
  const auto id = static_cast<std::uint32_t>(world_.sessions().size());
  SimSession session;
  session.server = static_cast<std::uint8_t>(index);
  session.host = static_cast<std::uint8_t>(host());
  session.process = id_;
  session.used = world_.now();
  session.wait_timeout = server.settings().wait_timeout;
  world_.sessions().push_back(std::move(session));
  server.begin_session(id);
  const Time patience = options.answer_timeout_s == 0 ? kNever : options.answer_timeout_s * kSecond;
  return std::unique_ptr<SqlSession>(std::make_unique<SimSqlSession>(*this, id, begun, patience));
}

// --- Process

Result<ProcessOutcome> Manager::run(const Command& command, const Deadline& deadline) {
  effect();
  if (command.argv[0] == "/fence") return fence(command, deadline);
  if (command.argv[0] == "/before") return hook(world_.history().before_hook, deadline);
  if (command.argv[0] == "/after") return hook(world_.history().after_hook, deadline);
  if (command.argv[0] == "mysqlbinlog" || command.argv[0] == "mariadb-binlog")
    return print_binlog(command);
  throw Impossible{"the simulated host has no program " + command.argv[0]};
}

// A server's process is known by how often it was started.
Result<ServerProcess> Manager::find_server(int id, unsigned) {
  const Server& server = world_.server(host());
  if (!keeps_lease() || !server.up() || static_cast<std::uint32_t>(id) != server.boots())
    return Error{Errc::kMissing, "no server is process " + std::to_string(id)};
  return ServerProcess{id, server.boots(), to_seconds(world_.now() - server.started())};
}

bool Manager::is_running(const ServerProcess& process) {
  const Server& server = world_.server(host());
  return server.up() && process.started == server.boots();
}

Result<Done> Manager::kill_server(const ServerProcess& process) {
  effect();
  if (is_running(process) && world_.history().broken != Break::kLease) world_.kill_server(host());
  return Done{};
}

ProcessOutcome Manager::take_time(Time time, int code, const Deadline& deadline) {
  const Time limit = world_.now() + to_world(deadline.remaining_s());
  const Time begin = world_.now();
  const bool ends = begin + time <= limit;
  wait_until(ends ? begin + time : limit);
  const double seconds = to_seconds(world_.now() - begin);
  if (!ends) return {ProcessOutcome::End::kTimedOut, 0, "", seconds};
  return {ProcessOutcome::End::kExited, code, "", seconds};
}

ProcessOutcome Manager::hook(HookNature nature, const Deadline& deadline) {
  switch (nature) {
    case HookNature::kFails:
      return take_time(kSecond / 5, 1, deadline);
    case HookNature::kSlow:
      return take_time(12 * kSecond, 0, deadline);
    case HookNature::kHangs:
      return take_time(kNever, 0, deadline);
    case HookNature::kNone:
    case HookNature::kHonest:
      break;
  }
  return take_time(kSecond / 5, 0, deadline);
}

ProcessOutcome Manager::fence(const Command& command, const Deadline& deadline) {
  std::string node;
  for (const auto& [name, value] : command.environment)
    if (name == "HA_FAILED_NODE") node = value;
  Server& server = world_.servers()[std::stoul(node.substr(2)) - 1];
  switch (world_.history().fence_nature) {
    case FenceNature::kHangs:
      return take_time(kNever, 0, deadline);
    case FenceNature::kFails:
      return take_time(kSecond, 1, deadline);
    case FenceNature::kLies:
      return take_time(kSecond, 0, deadline);
    case FenceNature::kHonest:
    case FenceNature::kSlow:
    case FenceNature::kNone:
      break;
  }
  const bool slow = world_.history().fence_nature == FenceNature::kSlow;
  const auto outcome = take_time(slow ? 8 * kSecond : kSecond / 2, 0, deadline);
  if (!outcome.succeeded() || world_.history().broken == Break::kFence) return outcome;
  if (world_.history().broken == Break::kOrder) {
    world_.fence_later(server.index());
  } else {
    world_.log("fence: db" + std::to_string(server.index() + 1) + " is off");
    server.fence();
  }
  return outcome;
}

// It prints nothing but what marks a transaction, for all that the server's binlog has.
ProcessOutcome Manager::print_binlog(const Command& command) {
  std::string host;
  for (const std::string& word : command.argv)
    if (word.starts_with("--host=")) host = word.substr(7);
  std::string text = "# simulated\n";
  if (host.starts_with("db"))
    for (const LogEntry& entry : world_.servers()[std::stoul(host.substr(2)) - 1].binlog())
      if (entry.transaction != kNoTransaction) text += "SET @@SESSION.GTID_NEXT= 'ANONYMOUS';\n";
  text += "\n/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n";
  disk_.files[command.output_file] = text;
  wait_until(world_.now() + 100 * kMillisecond);
  return {ProcessOutcome::End::kExited, 0, "", 0.1};
}

// --- Network

std::set<std::string> Manager::resolve(const std::string& host) { return {"10.0.0." + host}; }

bool Manager::reach(const HostPort& place, const Deadline& deadline) {
  effect();
  const History& history = world_.history();
  const std::size_t to = place.host == "witness"
                             ? history.host_of_witness()
                             : static_cast<std::size_t>(std::stoul(place.host.substr(2)) - 1);
  const Time limit = world_.now() + to_world(deadline.remaining_s());
  for (;;) {
    wait_until(std::min(limit, world_.now() + world_.delay(host(), to) * 2));
    if (world_.passes(host(), to) && world_.passes(to, host())) return true;
    if (world_.now() >= limit) return false;
    wait_until(std::min(limit, world_.now() + kSecond));
  }
}

std::unique_ptr<VipHost> Manager::open_vip_host(const VipOptions&, const std::string&, Process&,
                                                const Deadline&) {
  throw Impossible{"virtual addresses are not simulated"};
}

Result<std::unique_ptr<LoginRelay>> Manager::start_relay(const HostPort&, LoginTls) {
  throw Impossible{"relays of logins are not simulated"};
}

// --- Workers

struct Manager::Group {
  std::vector<End> ends;
  std::size_t pending;
  std::uint32_t fiber = 0, wait = 0;  // of who waits for it
  bool waits = false;
};

std::vector<Workers::End> Manager::for_all(std::size_t count, const Deadline& deadline, Work work) {
  if (killed_) throw Killed{};
  if (count == 0) return {};
  const auto group = std::make_shared<Group>();
  group->ends.assign(count, End::kLate);
  group->pending = count;
  const auto shared = std::make_shared<Work>(std::move(work));
  for (std::size_t i = 0; i < count; ++i)
    add_fiber([this, group, shared, i] {
      (*shared)(i);
      group->ends[i] = End::kDone;
      if (--group->pending == 0 && group->waits)
        world_.wake(group->fiber, group->wait, world_.now());
    });
  const Time limit = world_.now() + to_world(deadline.remaining_s());
  group->fiber = world_.current_fiber();
  group->wait = world_.wait_of(group->fiber) + 1;
  group->waits = true;
  wait_until(limit);
  group->waits = false;
  if (group->pending == 0) *shared = nullptr;
  return group->ends;
}

class Manager::SimJob : public Job {
 public:
  SimJob(Manager& manager, std::shared_ptr<Group> group)
      : manager_(manager), group_(std::move(group)) {}

  bool wait(const Deadline& deadline) override {
    if (group_->pending == 0) return true;
    group_->fiber = manager_.world_.current_fiber();
    group_->wait = manager_.world_.wait_of(group_->fiber) + 1;
    group_->waits = true;
    manager_.wait_until(manager_.world_.now() + manager_.to_world(deadline.remaining_s()));
    group_->waits = false;
    return group_->pending == 0;
  }

 private:
  Manager& manager_;
  std::shared_ptr<Group> group_;
};

Result<std::unique_ptr<Job>> Manager::start(std::function<void()> work) {
  const auto group = std::make_shared<Group>();
  group->pending = 1;
  add_fiber([this, group, begun = std::move(work)] {
    begun();
    group->pending = 0;
    if (group->waits) world_.wake(group->fiber, group->wait, world_.now());
  });
  return std::unique_ptr<Job>(std::make_unique<SimJob>(*this, group));
}

}  // namespace ha::sim
