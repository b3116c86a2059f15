// SPDX-License-Identifier: MIT
// Draws what is of a lease in a history: guards, votes, clocks that drift, and faults that take the
// votes away from a primary, or its guard. Some have none, and a primary that loses only the
// acknowledgements of its replicas: lossless semi-sync.
#include <algorithm>

#include "tests/sim/history.h"

namespace ha::sim {

namespace {

class LeaseDrawing {
 public:
  LeaseDrawing(History& history, Random random) : history_(history), random_(random) {}

  void draw() {
    has_lease_ = random_.chance(80);
    if (has_lease_)
      draw_lease();
    else
      patience_ = time(0, 12) * kSecond;
    draw_settings();
    draw_votes();
    draw_policy();
    history_.faults.clear();
    history_.runs.clear();
    history_.calm = 0;
    if (has_lease_ && random_.chance(15))
      draw_stopped_guard();
    else
      draw_faults();
    draw_runs();
    if (has_lease_ && random_.chance(60)) draw_drift();
  }

 private:
  Time time(Time low, Time high) { return random_.between(low, high); }
  Time milliseconds(Time low, Time high) { return time(low, high) * kMillisecond; }

  std::uint8_t any_node() {
    return static_cast<std::uint8_t>(random_.between(0, std::ssize(history_.servers) - 1));
  }

  std::uint8_t any_manager() {
    return static_cast<std::uint8_t>(random_.between(0, history_.managers - 1));
  }

  std::uint32_t any_hosts() {
    return static_cast<std::uint32_t>(random_.next()) & ((1u << history_.hosts()) - 1);
  }

  void draw_lease() {
    LeaseHistory& lease = history_.lease;
    lease.seconds = static_cast<int>(std::min(random_.between(2, 9), random_.between(2, 9)));
    lease.margin = lease.seconds > 2 && random_.chance(70) ? kSecond : kSecond / 2;
    lease.watchdog = random_.chance(75);
    lease.boot = time(3, 8) * kSecond;
    lease.rejoins = random_.chance(60);
  }

  void draw_settings() {
    history_.commits_outlive_clients = true;
    // As a lease asks for; a server that its option file opens is nobody's to keep closed.
    if (random_.chance(85))
      for (ServerSettings& one : history_.servers) one.read_only_file = true;
    history_.quiet = 5;
    if (!has_lease_ || random_.chance(35)) draw_lossless();
  }

  // Its acknowledgements can be revoked.
  void draw_lossless() {
    for (std::size_t i = 0; i < history_.servers.size(); ++i)
      history_.servers[i].semi_sync = {true, i == 0 || random_.chance(80), true, true};
  }

  // An odd number of voters, mostly.
  void draw_votes() {
    const bool even = history_.servers.size() % 2 == 0;
    history_.votes = random_.chance(90) == even ? 1 : 0;
  }

  void draw_policy() {
    const int dice = static_cast<int>(random_.between(0, 99));
    history_.fence = !has_lease_ ? (dice < 60 ? Fence::kRevoke : Fence::kRequired)
                     : dice < 70 ? Fence::kRequired
                     : dice < 85 ? Fence::kRevoke
                     : dice < 93 ? Fence::kBestEffort
                                 : Fence::kNone;
    const int nature = static_cast<int>(random_.between(0, 99));
    history_.fence_nature = nature < 70   ? FenceNature::kNone
                            : nature < 90 ? FenceNature::kHonest
                                          : FenceNature::kFails;
    if (!has_lease_ || history_.fence == Fence::kRevoke || history_.fence == Fence::kNone)
      history_.fence_nature = FenceNature::kNone;
    history_.retries = static_cast<unsigned>(random_.between(1, 3));
    history_.retry_interval = milliseconds(200, 600);
    history_.probe_timeout = milliseconds(500, 2000);
    history_.deadline = time(25, 60) * kSecond;
    history_.min_interval = 0;
    history_.account = true;
  }

  void draw_faults() {
    const auto count = random_.between(1, 3);
    Time at = milliseconds(3000, 6000);
    for (std::int64_t i = 0; i < count; ++i) {
      draw_fault(at, at + milliseconds(1000, 15000),
                 random_.chance(75) ? std::uint8_t{0} : any_node());
      at += random_.chance(40) ? milliseconds(0, 4000) : time(5, 14) * kSecond;
    }
  }

  // The primary is cut off with a client, and its guard stands still or is killed before it can
  // have closed it.
  void draw_stopped_guard() {
    const Time at = milliseconds(3000, 6000), ends = at + time(15, 30) * kSecond;
    add({FaultKind::kCut, at, ends, 0, 1u | 1u << history_.host_of_client(0)});
    const Time then = at + milliseconds(-1000, history_.lease.seconds * 1000);
    if (random_.chance(75))
      add({FaultKind::kManagerFreeze, then, ends, static_cast<std::uint8_t>(history_.guard_of(0))});
    else
      add({FaultKind::kGuardKill, then, random_.chance(50) ? ends : then + 2 * kSecond, 0});
  }

  void draw_fault(Time at, Time ends, std::uint8_t node) {
    const std::uint32_t own = 1u << node;
    const auto guard = static_cast<std::uint8_t>(history_.guard_of(node));
    const int dice = static_cast<int>(random_.between(0, 99));
    if (dice < 3) return add({FaultKind::kManagerFreeze, at, ends, any_manager()});
    if (dice < 5)
      return add({FaultKind::kClockJump, at, ends, has_lease_ ? guard : any_manager(), 0,
                  time(-7200, 7200) * kSecond});
    if (dice < 16) return add({FaultKind::kCrash, at, ends, node});
    if (dice < 27) return add({FaultKind::kPowerCut, at, ends, node});
    if (dice < 33) return add({FaultKind::kFreeze, at, ends, node});
    if (dice < 36) return add({FaultKind::kStick, at, ends, node});
    // With a client, mostly: that is whom a second writer would do harm. Until after a takeover.
    if (dice < 58)
      return add({FaultKind::kCut, at, ends + patience_ + milliseconds(2000, 8000), node,
                  own | (random_.chance(85) ? 1u << history_.host_of_client(0) : 0)});
    if (dice < 66) return add({FaultKind::kCut, at, ends, node, own | any_hosts()});
    if (dice < 72) return add({FaultKind::kOneWay, at, ends, node, any_hosts() & ~own});
    if (dice < 75) return add({FaultKind::kSlow, at, ends, node, 0, milliseconds(50, 900)});
    if (has_lease_ && dice < 84) return add({FaultKind::kManagerFreeze, at, ends, guard});
    if (has_lease_ && dice < 91) return add({FaultKind::kGuardKill, at, ends, node});
    if (dice < 97) {
      add({FaultKind::kFreeze, at, ends, node});
      if (has_lease_) add({FaultKind::kManagerFreeze, at, ends, guard});
      return;
    }
    const auto voter = static_cast<std::uint8_t>(
        random_.between(0, static_cast<std::int64_t>(history_.voters()) - 1));
    add({FaultKind::kCrash, at, ends, voter});
  }

  void add(const Fault& fault) {
    const LeaseHistory& lease = history_.lease;
    // Until a watchdog has acted and its host is back.
    const bool resets = fault.kind == FaultKind::kManagerFreeze ||
                        fault.kind == FaultKind::kGuardKill || fault.kind == FaultKind::kFreeze;
    const Time back = resets ? lease.seconds * kSecond + lease.boot : 0;
    history_.faults.push_back(fault);
    history_.calm = std::max(history_.calm, fault.ends + back);
  }

  // The handlers of the managers act beside the guards. Their first plan is that they remember.
  void draw_runs() {
    for (std::uint8_t m = 0; m < history_.managers; ++m)
      if (random_.chance(95))
        history_.runs.push_back({Errand::kPlan, (1000 + 100 * m) * kMillisecond, m});
    if (random_.chance(12)) {
      ManagerRun run{Errand::kSwitchover, milliseconds(1500, 12000), any_manager()};
      run.node = random_.chance(50) ? std::int8_t{-1} : static_cast<std::int8_t>(any_node());
      history_.runs.push_back(run);
    }
    for (const Fault& fault : history_.faults)
      if (!has_lease_ || random_.chance(50)) {
        ManagerRun run{Errand::kFailover, fault.at + patience_ + milliseconds(300, 9000),
                       any_manager()};
        constexpr std::int64_t kEffects = 260;
        if (random_.chance(15))
          run.killed_at = static_cast<std::uint32_t>(random_.between(1, kEffects));
        history_.runs.push_back(run);
      }
  }

  void draw_drift() {
    constexpr int kMost = 100;  // of 10,000: 1 %
    history_.lease.drift.resize(history_.hosts());
    for (int& one : history_.lease.drift) one = static_cast<int>(random_.between(-kMost, kMost));
  }

  History& history_;
  Random random_;
  bool has_lease_ = true;
  Time patience_ =
      0;  // of who acts without a lease: until replicas notice that their source is away
};

}  // namespace

void draw_lease(History& history, Random random) { LeaseDrawing(history, random).draw(); }

}  // namespace ha::sim
