// SPDX-License-Identifier: MIT
// The guards of a simulated world, and what the hosts of their servers do: watchdogs, service
// managers.
#include <algorithm>
#include <utility>

#include "tests/sim/manager.h"
#include "tests/sim/world.h"

namespace ha::sim {

namespace {

constexpr Time kServerRestart = 3 * kSecond;  // until a server that was killed is started again

}  // namespace

void World::begin_guards() {
  watchdogs_.assign(history_.hosts(), 0);
  for (std::size_t node = 0; node < nodes(); ++node)
    events_.add(static_cast<Time>(node + 1) * 20 * kMillisecond, Happens::kGuardStarts,
                static_cast<std::uint32_t>(node));
  for (const Fault& fault : history_.faults) {
    edges_.push_back(fault.at);
    edges_.push_back(fault.ends);
  }
  for (const ManagerRun& run : history_.runs) edges_.push_back(run.at);
  std::ranges::sort(edges_);
}

Manager* World::guard_of(std::size_t node) {
  const auto found = std::ranges::find_if(managers_, [&](const auto& one) {
    return one->what().manager == history_.guard_of(node) && !one->ended() && !one->killed();
  });
  return found == managers_.end() ? nullptr : found->get();
}

void World::start_guard(std::size_t node) {
  if (!host_up(node) || guard_of(node) != nullptr) return;
  ManagerRun run{Errand::kGuard, now_, static_cast<std::uint8_t>(history_.guard_of(node)),
                 static_cast<std::int8_t>(node)};
  run.stops = kNever;
  start_manager(run);
}

void World::kill_guard(std::size_t node) {
  if (history_.lease.seconds == 0 || node >= nodes()) return;
  if (Manager* const guard = guard_of(node)) guard->kill();
  if (host_up(node)) return;
  frozen_until_[node] = 0;
  watchdogs_[node] = 0;
  disks_[history_.guard_of(node)]->lose_unsynced(random_);
}

void World::feed_watchdog(std::size_t host, Time lasts) {
  const bool armed = watchdogs_[host] > 0;
  watchdogs_[host] = now_ + lasts;
  if (!armed) events_.add(watchdogs_[host], Happens::kWatchdog, static_cast<std::uint32_t>(host));
}

void World::disarm_watchdog(std::size_t host) { watchdogs_[host] = 0; }

// Nothing of the host has a say in it: whatever it was at ends, as in a power cut.
void World::watchdog_acts(std::size_t host) {
  if (watchdogs_[host] == 0) return;
  if (watchdogs_[host] > now_)
    return events_.add(watchdogs_[host], Happens::kWatchdog, static_cast<std::uint32_t>(host));
  log("the watchdog of db" + std::to_string(host + 1) + " resets its host");
  fault_at_ = now_;
  set_host_up(host, false);
  servers_[host].crash(true);
  kill_guard(host);
  network_changed();
  events_.add(now_ + history_.lease.boot, Happens::kHostBoots, static_cast<std::uint32_t>(host));
}

void World::boot_host(std::size_t node) {
  if (host_up(node)) return;
  log("the host of db" + std::to_string(node + 1) + " boots");
  fault_at_ = now_;
  set_host_up(node, true);
  servers_[node].start(false);
  if (node < nodes()) start_guard(node);
}

void World::kill_server(std::size_t node) {
  log("db" + std::to_string(node + 1) + " is killed by its guard");
  fault_at_ = now_;
  servers_[node].crash(false);
  network_changed();
  events_.add(now_ + kServerRestart, Happens::kServerStarts, static_cast<std::uint32_t>(node));
}

void World::start_all() {
  if (history_.lease.seconds > 0)
    for (std::size_t i = 0; i < servers_.size(); ++i) boot_host(i);
  for (Server& server : servers_) server.start(true);
  if (history_.lease.seconds > 0)
    for (std::size_t i = 0; i < nodes(); ++i) start_guard(i);
}

bool World::is_calm() const {
  const Time lately = history_.lease.seconds * kSecond + history_.lease.margin + 2 * kSecond;
  return now_ > fault_at_ + lately &&
         std::ranges::none_of(managers_, [](const auto& one) { return one->works(); });
}

Time World::next_fault() const {
  while (next_edge_ < edges_.size() && edges_[next_edge_] <= now_) ++next_edge_;
  return next_edge_ < edges_.size() ? edges_[next_edge_] : kNever;
}

}  // namespace ha::sim
