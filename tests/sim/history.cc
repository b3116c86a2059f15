// SPDX-License-Identifier: MIT
#include "tests/sim/history.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/sim/random.h"

namespace ha::sim {

namespace {

double seconds(Time time) { return static_cast<double>(time) / 1e6; }

class Drawing {
 public:
  explicit Drawing(std::uint64_t seed)
      : random_(source_of(seed)), more_(source_of(seed) ^ 0x6d6f7265) {
    history_.seed = seed;
  }

  History draw() {
    draw_topology();
    draw_settings();
    draw_policy();
    const int dice = static_cast<int>(random_.between(0, 99));
    if (dice < 10)
      draw_isolated_primary();
    else if (dice < 18 && nodes() > 2)
      draw_late_replica();
    else
      draw_faults();
    draw_runs();
    if (drawing_of(history_.seed) > 1) {
      std::swap(random_, more_);
      draw_more();
    }
    constexpr int kLeases = 10;  // of a hundred
    if (Random lease(source_of(history_.seed) ^ 0x6c65617365);
        drawing_of(history_.seed) > 4 && nodes() < 4 && lease.chance(kLeases))
      draw_lease(history_, lease);
    return std::move(history_);
  }

 private:
  Time time(Time low, Time high) { return random_.between(low, high); }

  std::size_t nodes() const { return history_.servers.size(); }

  std::uint8_t any_node() {
    return static_cast<std::uint8_t>(random_.between(0, static_cast<std::int64_t>(nodes()) - 1));
  }

  std::uint8_t any_replica() {
    return static_cast<std::uint8_t>(random_.between(1, static_cast<std::int64_t>(nodes()) - 1));
  }

  void draw_topology() {
    const int dice = static_cast<int>(random_.between(0, 99));
    const std::size_t count = dice < 30 ? 2 : dice < 82 ? 3 : dice < 93 ? 4 : 5;
    history_.servers.resize(count);
    history_.sources.assign(count, 0);
    history_.sources[0] = -1;
    const bool chain = random_.chance(20);
    for (std::size_t i = 2; i < count && chain; ++i)
      history_.sources[i] =
          static_cast<std::int8_t>(random_.between(0, static_cast<std::int64_t>(i) - 1));
    history_.managers = static_cast<std::uint8_t>(random_.chance(40) ? 2 : 1);
    history_.clients = static_cast<std::uint8_t>(random_.between(1, 2));
    history_.witness = random_.chance(30);
  }

  void draw_settings() {
    const bool mariadb = random_.chance(40), gtid = random_.chance(65);
    const bool semi_sync = random_.chance(40), lossless = random_.chance(50),
               sources_all = random_.chance(20), closed_file = random_.chance(60);
    const bool logs = random_.chance(85);
    for (std::size_t i = 0; i < nodes(); ++i) {
      ServerSettings& one = history_.servers[i];
      one.mariadb = mariadb;
      one.gtid = gtid;
      const bool middle = std::ranges::find(history_.sources, static_cast<std::int8_t>(i)) !=
                          history_.sources.end();
      one.log_updates = logs || middle || gtid;
      one.read_only_file = closed_file || (i > 0 && random_.chance(50));
      one.keeps_relay_log = random_.chance(70);
      one.unsynced = random_.chance(75) ? 0 : static_cast<std::uint32_t>(random_.between(1, 3));
      one.apply_time = random_.chance(15) ? time(30, 200) * kMillisecond : time(300, 3000);
      one.connect_retry = time(1, 4) * kSecond;
      one.net_timeout = time(4, 15) * kSecond;
      one.semi_sync.installed = semi_sync;
      one.semi_sync.source = semi_sync && (i == 0 || sources_all);
      one.semi_sync.replica = semi_sync && (i > 0 || closed_file);
      one.semi_sync.lossless = semi_sync && lossless;
      one.semi_sync.timeout = time(1, 10) * kSecond;
    }
    if (nodes() > 2 && random_.chance(6))
      history_.servers[any_replica()].delay = time(5, 20) * kSecond;
    history_.write_interval = time(80, 500) * kMillisecond;
    history_.network_delay = random_.chance(80) ? time(200, 800) : time(1, 20) * kMillisecond;
  }

  void draw_policy() {
    const int dice = static_cast<int>(random_.between(0, 99));
    history_.fence = dice < 60 ? Fence::kRequired : dice < 80 ? Fence::kBestEffort : Fence::kNone;
    const int nature = static_cast<int>(random_.between(0, 99));
    history_.fence_nature = nature < 70   ? FenceNature::kHonest
                            : nature < 80 ? FenceNature::kSlow
                            : nature < 88 ? FenceNature::kFails
                            : nature < 93 ? FenceNature::kHangs
                                          : FenceNature::kLies;
    if (history_.fence == Fence::kNone ||
        (history_.fence == Fence::kBestEffort && random_.chance(50)))
      history_.fence_nature = FenceNature::kNone;
    history_.retries = static_cast<unsigned>(random_.between(1, 3));
    history_.retry_interval = time(2, 10) * 100 * kMillisecond;
    history_.probe_timeout = time(10, 30) * 100 * kMillisecond;
    history_.deadline = time(20, 60) * kSecond;
    history_.min_interval = random_.chance(80) ? 0 : 3600 * kSecond;
    history_.account = random_.chance(92);
  }

  FaultKind draw_kind() {
    constexpr std::pair<int, FaultKind> kWeights[] = {
        {38, FaultKind::kCrash},        {16, FaultKind::kPowerCut},   {8, FaultKind::kFreeze},
        {4, FaultKind::kStick},         {3, FaultKind::kDiskFull},    {13, FaultKind::kCut},
        {5, FaultKind::kOneWay},        {4, FaultKind::kSlow},        {3, FaultKind::kClockJump},
        {3, FaultKind::kReceiverStops}, {3, FaultKind::kApplierStops}};
    auto dice = static_cast<int>(random_.between(0, 99));
    for (const auto& [weight, kind] : kWeights)
      if ((dice -= weight) < 0) return kind;
    return FaultKind::kCrash;
  }

  void draw_faults() {
    const auto count = random_.between(1, 4);
    Time at = time(2500, 5000) * kMillisecond;
    for (std::int64_t i = 0; i < count; ++i) {
      Fault fault;
      fault.kind = draw_kind();
      fault.at = at;
      fault.ends = at + time(1, 40) * kSecond;
      fault.node = random_.chance(65) ? std::uint8_t{0} : any_node();
      complete(fault);
      history_.faults.push_back(fault);
      history_.calm = std::max(history_.calm, fault.ends);
      at += random_.chance(40) ? time(0, 3000) * kMillisecond : time(3, 25) * kSecond;
    }
  }

  void add_cut(Time at, Time ends, std::uint32_t hosts) {
    history_.faults.push_back({FaultKind::kCut, at, ends, 0, hosts, 0});
    history_.calm = std::max(history_.calm, ends);
  }

  std::uint32_t host(std::size_t place) const { return 1u << place; }

  // The primary is alive, with a client, on the other side of a cut; or it only hangs for a while.
  void draw_isolated_primary() {
    const Time at = time(2500, 6000) * kMillisecond, ends = at + time(25, 60) * kSecond;
    if (random_.chance(70))
      add_cut(at, ends, host(0) | host(history_.host_of_client(0)));
    else
      history_.faults.push_back({FaultKind::kFreeze, at, at + time(15, 40) * kSecond});
    history_.calm = std::max(history_.calm, ends);
    for (const Time after : {time(5, 12), time(16, 30)})
      add({Errand::kFailover, at + after * kSecond, any_manager()});
  }

  // A replica is cut off while another one is promoted, and comes back when that one is cut off,
  // with a client.
  void draw_late_replica() {
    const Time at = time(3000, 6000) * kMillisecond;
    add_cut(at, at + time(20, 25) * kSecond, host(2));
    history_.faults.push_back(
        {FaultKind::kCrash, at + time(0, 4000) * kMillisecond, at + 90 * kSecond});
    history_.calm = at + 90 * kSecond;
    add({Errand::kFailover, at + time(5, 9) * kSecond,
         static_cast<std::uint8_t>(history_.managers - 1)});
    for (std::uint8_t m = 0; m < history_.managers; ++m)
      add({Errand::kPlan, at + time(16, 19) * kSecond, m});
    const Time then = at + time(20, 30) * kSecond;
    add_cut(then, at + 85 * kSecond, host(1) | host(history_.host_of_client(0)));
    for (const Time after : {time(2, 12), time(18, 35)})
      add({Errand::kFailover, then + after * kSecond, 0});
  }

  void complete(Fault& fault) {
    const auto hosts = static_cast<std::int64_t>(history_.hosts());
    switch (fault.kind) {
      case FaultKind::kCut:
        // The node, and the hosts that are cut off with it.
        fault.hosts = (1u << fault.node) |
                      (random_.chance(50) ? static_cast<std::uint32_t>(random_.next()) : 0);
        fault.hosts &= (1u << hosts) - 1;
        break;
      case FaultKind::kOneWay:
        fault.hosts = static_cast<std::uint32_t>(random_.next()) & ((1u << hosts) - 1);
        break;
      case FaultKind::kSlow:
        fault.amount = time(50, 1500) * kMillisecond;
        break;
      case FaultKind::kClockJump:
        fault.node = static_cast<std::uint8_t>(random_.between(0, history_.managers - 1));
        fault.amount = (random_.chance(50) ? -1 : 1) * time(1, 7200) * kSecond;
        break;
      case FaultKind::kReceiverStops:
      case FaultKind::kApplierStops:
        fault.node = any_replica();
        break;
      default:
        break;
    }
  }

  void draw_runs() {
    for (std::uint8_t m = 0; m < history_.managers; ++m)
      if (random_.chance(90)) {
        add({Errand::kPlan, (1000 + 100 * m) * kMillisecond, m});
        add({Errand::kPlan, time(8, 40) * kSecond, m});
      }
    if (random_.chance(12)) {
      ManagerRun run{Errand::kSwitchover, time(1500, 9000) * kMillisecond, any_manager()};
      run.node = random_.chance(50) ? std::int8_t{-1} : static_cast<std::int8_t>(any_node());
      if (random_.chance(40)) run.killed_at = draw_kill();
      add(run);
    }
    for (const Fault& fault : history_.faults) {
      const auto tries = random_.between(1, 2);
      Time at = fault.at + time(300, 6000) * kMillisecond;
      for (std::int64_t i = 0; i < tries; ++i) {
        ManagerRun run{Errand::kFailover, at, any_manager()};
        if (random_.chance(25)) run.killed_at = draw_kill();
        add(run);
        // The other Nagios has the same handler.
        if (history_.managers > 1 && random_.chance(50)) {
          run.manager = static_cast<std::uint8_t>(1 - run.manager);
          run.at += time(0, 1500) * kMillisecond;
          run.killed_at = 0;
          add(run);
        }
        at += time(5, 20) * kSecond;
      }
    }
  }

  // --- What came later.

  void draw_more() {
    if (random_.chance(60)) history_.sync_time = time(1, 30) * kMillisecond;
    if (random_.chance(50)) history_.keepalive = time(10, 120) * kSecond;
    if (random_.chance(25)) {
      const Time limit = time(5, 60) * kSecond;
      for (ServerSettings& one : history_.servers) one.wait_timeout = limit;
    }
    if (random_.chance(12)) history_.servers[any_node()].second_channel = true;
    if (random_.chance(15)) history_.before_hook = draw_hook();
    if (random_.chance(15)) history_.after_hook = draw_hook();
    if (random_.chance(30)) draw_manager_fault();
    if (drawing_of(history_.seed) > 3) {
      history_.quiet = 5;
      if (nodes() < 5 && random_.chance(15)) draw_votes();
    }
    // Hooks take their time, and an operator waits for the runs under way.
    if (history_.before_hook != HookNature::kNone || history_.after_hook != HookNature::kNone)
      for (const ManagerRun& run : history_.runs)
        history_.calm = std::max(history_.calm, run.at + history_.deadline);
  }

  HookNature draw_hook() {
    constexpr HookNature kNatures[] = {HookNature::kHonest, HookNature::kHonest, HookNature::kSlow,
                                       HookNature::kFails, HookNature::kHangs};
    return kNatures[random_.between(0, std::ssize(kNatures) - 1)];
  }

  // Of a manager's host while a run is under way, and another manager tries again.
  void draw_manager_fault() {
    const auto runs = static_cast<std::int64_t>(history_.runs.size());
    if (runs == 0) return;
    const ManagerRun run = history_.runs[static_cast<std::size_t>(random_.between(0, runs - 1))];
    constexpr FaultKind kKinds[] = {FaultKind::kManagerCut, FaultKind::kManagerFreeze,
                                    FaultKind::kManagerDisk};
    Fault fault;
    fault.kind = kKinds[random_.between(0, std::ssize(kKinds) - 1)];
    fault.at = run.at + time(0, 8000) * kMillisecond;
    fault.ends = fault.at + (random_.chance(80) ? time(1, 45) : time(60, 150)) * kSecond;
    fault.node = run.manager;
    history_.faults.push_back(fault);
    history_.calm = std::max(history_.calm, fault.ends);
    add({Errand::kFailover, fault.at + time(1, 20) * kSecond, any_manager()});
    add({Errand::kFailover, fault.ends + time(1, 10) * kSecond, run.manager});
  }

  // Servers that vote, so that there is an odd number of voters, on any side of the cuts.
  void draw_votes() {
    const std::uint32_t nodes_mask = (1u << nodes()) - 1;
    history_.votes = nodes() % 2 == 0 ? 1 : 2;
    const std::uint32_t voters = ((1u << history_.votes) - 1) << nodes();
    for (Fault& fault : history_.faults)
      if (fault.hosts != 0)
        fault.hosts = (fault.hosts & nodes_mask) | ((fault.hosts & ~nodes_mask) << history_.votes) |
                      (static_cast<std::uint32_t>(random_.next()) & voters);
    if (random_.chance(20))
      add_crash(static_cast<std::uint8_t>(random_.between(
          static_cast<std::int64_t>(nodes()), std::ssize(history_.servers) + history_.votes - 1)));
    if (history_.managers > 1 && random_.chance(60)) draw_split_managers();
  }

  void add_crash(std::uint8_t server) {
    const Time at = time(2, 30) * kSecond;
    history_.faults.push_back({FaultKind::kCrash, at, at + time(1, 20) * kSecond, server});
    history_.calm = std::max(history_.calm, history_.faults.back().ends);
  }

  // Each manager sees its part of the voters, and both are at work.
  void draw_split_managers() {
    const Time at = time(3, 20) * kSecond, ends = at + time(20, 60) * kSecond;
    const std::uint32_t voters = (1u << history_.voters()) - 1;
    add_cut(at, ends,
            (static_cast<std::uint32_t>(random_.next()) & voters) |
                host(history_.host_of_manager(0)) | host(history_.host_of_client(0)));
    for (int i = 0; i < 4; ++i)
      add({Errand::kFailover, time(at, ends), static_cast<std::uint8_t>(i % 2)});
  }

  std::uint32_t draw_kill() {
    return static_cast<std::uint32_t>(random_.chance(50) ? random_.between(1, 60)
                                                         : random_.between(1, 260));
  }

  std::uint8_t any_manager() {
    return static_cast<std::uint8_t>(random_.between(0, history_.managers - 1));
  }

  void add(ManagerRun run) { history_.runs.push_back(run); }

  Random random_, more_;
  History history_;
};

constexpr const char* kFaultNames[] = {"crash of",
                                       "power cut of",
                                       "freeze of",
                                       "no answers from",
                                       "full disk of",
                                       "cut of the network:",
                                       "one-way loss of what is sent by",
                                       "slow network of",
                                       "clock jump of",
                                       "stopped receiver of",
                                       "stopped applier of",
                                       "power cut of",
                                       "freeze of",
                                       "full disk of",
                                       "kill of the guard of"};

std::string name_of(const History& history, std::size_t host) {
  if (host < history.servers.size()) return fmt::format("db{}", host + 1);
  if (host < history.voters()) return fmt::format("vote{}", host - history.servers.size() + 1);
  if (host < history.host_of_client(0)) return fmt::format("manager{}", host - history.voters());
  if (host < history.host_of_witness())
    return fmt::format("client{}", host - history.host_of_client(0));
  return "witness";
}

std::string names_of(const History& history, std::uint32_t hosts) {
  std::string text;
  for (std::size_t i = 0; i < history.hosts(); ++i)
    if ((hosts & (1u << i)) != 0) text += (text.empty() ? "" : " ") + name_of(history, i);
  return text;
}

}  // namespace

std::uint64_t source_of(std::uint64_t seed) {
  const std::uint64_t number = seed % kDrawing;
  return drawing_of(seed) < 3 ? number : Random(number).next();
}

History draw_history(std::uint64_t seed) { return Drawing(seed).draw(); }

std::string name_of_manager(const History& history, std::size_t manager) {
  if (manager < history.managers) return fmt::format("manager {}", manager);
  return fmt::format("guard of db{}", manager - history.managers + 1);
}

std::string describe(const History& history, const Fault& fault) {
  std::string text = kFaultNames[static_cast<std::size_t>(fault.kind)];
  if (fault.kind == FaultKind::kCut)
    text +=
        fmt::format(" {} | {}", names_of(history, fault.hosts), names_of(history, ~fault.hosts));
  else if (fault.kind == FaultKind::kClockJump)
    text += fmt::format(" {} by {} s", name_of_manager(history, fault.node), seconds(fault.amount));
  else if (fault.kind >= FaultKind::kManagerCut && fault.kind <= FaultKind::kManagerDisk)
    text += " " + name_of_manager(history, fault.node);
  else
    text += " " + name_of(history, fault.node);
  if (fault.kind == FaultKind::kOneWay) text += " to " + names_of(history, fault.hosts);
  if (fault.kind == FaultKind::kSlow) text += fmt::format(" by {} s", seconds(fault.amount));
  return fmt::format("{} ({:.3f} s to {:.3f} s)", text, seconds(fault.at), seconds(fault.ends));
}

std::string describe(const ManagerRun& run) {
  constexpr const char* kErrands[] = {"plan", "failover", "switchover", "rejoin", "guard"};
  std::string text = fmt::format("mysql_ha {}", kErrands[static_cast<std::size_t>(run.errand)]);
  if (run.node >= 0)
    text += fmt::format("{} db{}", run.errand == Errand::kSwitchover ? " --to" : "", run.node + 1);
  if (run.killed_at > 0) text += fmt::format(" (killed at effect {})", run.killed_at);
  return text;
}

std::string describe(const History& history) {
  const ServerSettings& first = history.servers[0];
  std::string text =
      fmt::format("seed {}: {} {} by {}, {} manager(s), {} client(s){}, write every {} ms\n",
                  history.seed, history.servers.size(), first.mariadb ? "MariaDB" : "MySQL",
                  first.gtid ? "GTID" : "position", history.managers, history.clients,
                  history.witness ? ", witness" : "", history.write_interval / kMillisecond);
  if (history.votes > 0)
    text += fmt::format("  {} votes beside the nodes'\n", static_cast<int>(history.votes));
  if (const LeaseHistory& lease = history.lease; lease.seconds > 0)
    text += fmt::format(
        "  lease {} s, margin {} s, {}{}{}\n", lease.seconds, seconds(lease.margin),
        lease.watchdog ? "watchdogs" : "no watchdog", lease.rejoins ? ", auto-rejoin" : "",
        lease.drift.empty()
            ? ""
            : fmt::format(", drift of the hosts in 10,000ths: {}", fmt::join(lease.drift, " ")));
  constexpr const char* kFences[] = {"required", "revoke", "best-effort", "none"};
  constexpr const char* kNatures[] = {"honest", "slow", "fails", "hangs", "lies", "no command"};
  text += fmt::format(
      "  fence {} ({}), retries {}, retry-interval {} s, probe-timeout {} s, deadline {} s, "
      "min-interval {} s{}\n",
      kFences[static_cast<std::size_t>(history.fence)],
      kNatures[static_cast<std::size_t>(history.fence_nature)], history.retries,
      seconds(history.retry_interval), seconds(history.probe_timeout), seconds(history.deadline),
      seconds(history.min_interval), history.account ? "" : ", no replication account");
  constexpr const char* kHooks[] = {"none", "honest", "slow", "fails", "hangs"};
  text += fmt::format("  hooks {} and {}, a disk syncs in {} s, keepalive {} s\n",
                      kHooks[static_cast<std::size_t>(history.before_hook)],
                      kHooks[static_cast<std::size_t>(history.after_hook)],
                      seconds(history.sync_time), seconds(history.keepalive));
  for (std::size_t i = 0; i < history.servers.size(); ++i) {
    const ServerSettings& one = history.servers[i];
    text += fmt::format(
        "  db{}: {}{}{}{}{}{}{}{}{}\n", i + 1,
        history.sources[i] < 0 ? "primary" : fmt::format("replica of db{}", history.sources[i] + 1),
        one.read_only_file ? ", read_only in its option file" : "",
        one.log_updates ? "" : ", logs no replicated changes",
        one.keeps_relay_log ? "" : ", loses its relay log at a restart",
        one.unsynced > 0 ? fmt::format(", a power cut loses {}", one.unsynced) : "",
        one.delay > 0 ? fmt::format(", delay {} s", seconds(one.delay)) : "",
        one.wait_timeout < 3600 * kSecond
            ? fmt::format(", wait_timeout {} s", seconds(one.wait_timeout))
            : "",
        one.second_channel ? ", a channel from elsewhere" : "",
        !one.semi_sync.installed ? ""
        : one.semi_sync.lossless ? fmt::format(", lossless semi-sync (source {}, replica {})",
                                               one.semi_sync.source, one.semi_sync.replica)
                                 : fmt::format(", semi-sync {} s (source {}, replica {})",
                                               seconds(one.semi_sync.timeout), one.semi_sync.source,
                                               one.semi_sync.replica));
  }
  for (const Fault& fault : history.faults) text += "  " + describe(history, fault) + "\n";
  for (const ManagerRun& run : history.runs)
    text +=
        fmt::format("  {:.3f} s, manager {}: {}\n", seconds(run.at), run.manager, describe(run));
  return text;
}

}  // namespace ha::sim
