// SPDX-License-Identifier: MIT
// A history as data: the cluster, its managers, and what befalls them. One seed is one history, and
// stays it: what is drawn for more is drawn apart, and left out of the seeds of the drawings before
// (kDrawing), so that a seed that has found something is that history forever. What goes wrong in
// it is a list, so that a history can be shrunk to what matters.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/failover/policy.h"
#include "tests/sim/random.h"
#include "tests/sim/server.h"
#include "tests/sim/time.h"

namespace ha::sim {

// Hosts: the nodes first, then the servers that only vote, managers, clients, the witness.
enum class FaultKind : std::uint8_t {
  kCrash,          // the server process ends; `node`, or a voter, is started again at the end
  kPowerCut,       // its host goes away without a word, and what was not synced is lost
  kFreeze,         // SIGSTOP: nothing answers, nothing flows
  kStick,          // answers no statement, but heartbeats flow
  kDiskFull,       // writes wait
  kCut,            // the hosts of `hosts` on one side, all others on the other
  kOneWay,         // what `node` sends to the hosts of `hosts` is lost
  kSlow,           // what `node` sends takes long
  kClockJump,      // the wall clock of manager `node` jumps by `amount`
  kReceiverStops,  // an operator stops the receiver of `node`
  kApplierStops,   // an operator stops the applier of `node`
  // Of manager `node`'s host.
  kManagerCut,     // its power: its runs end, and what it has not synced is lost
  kManagerFreeze,  // its runs stand still, and go on where they were
  kManagerDisk,    // is full
  // Of the guard beside `node`; that it stands still is kManagerFreeze.
  kGuardKill,  // it is killed, and started again at the end
};

struct Fault {
  FaultKind kind = FaultKind::kCrash;
  Time at = 0, ends = 0;
  std::uint8_t node = 0;
  std::uint32_t hosts = 0;  // a bit each
  Time amount = 0;
};

enum class Errand : std::uint8_t { kPlan, kFailover, kSwitchover, kRejoin, kGuard };

// One run of mysql_ha.
struct ManagerRun {
  Errand errand = Errand::kFailover;
  Time at = 0;
  std::uint8_t manager = 0;
  std::int8_t node = -1;
  std::uint32_t killed_at = 0;  // its effect before which it is killed; 0: it lives
  Time stops = 0;               // of a guard: when it is told to
};

// How the fence command behaves.
enum class FenceNature : std::uint8_t { kHonest, kSlow, kFails, kHangs, kLies, kNone };

// How the operator's hooks behave.
enum class HookNature : std::uint8_t { kNone, kHonest, kSlow, kFails, kHangs };

// What is broken on purpose, to see that it is caught. Nothing of the product is touched: its
// environment does what a product without that part would come to.
enum class Break : std::uint8_t {
  kNone,
  kDrain,   // servers say that they have applied all that they have received
  kFence,   // the fence command says that it has fenced, and has not
  kLock,    // every lock is had by each that asks for it
  kOrder,   // what the fence command does comes after the opening
  kMemory,  // what was seen last is remembered as it was at the beginning
  kLease,   // what a guard does to close its own server comes to nothing, and it is told otherwise
};

// The lease of the primary: on each server's host runs a guard of its own.
struct LeaseHistory {
  int seconds = 0;  // 0: there is no lease, and no guard
  Time margin = kSecond;
  bool watchdog = true;         // of each server's host
  Time boot = 8 * kSecond;      // that such a host takes
  bool rejoins = false;         // guards let nodes return
  std::vector<int> drift = {};  // of each host's clocks, in 10,000ths; empty: none
};

struct History {
  std::uint64_t seed = 0;
  std::vector<ServerSettings> servers = {};
  std::vector<std::int8_t> sources = {};  // of each server; -1: the primary
  std::uint8_t managers = 1, clients = 1;
  std::uint8_t votes = 0;  // servers that vote beside the nodes; 0: no votes are needed
  bool witness = false;
  Time write_interval = 100 * kMillisecond;
  int quiet = 1;             // so many times as long while nothing happens
  Time network_delay = 300;  // one way, at least
  Fence fence = Fence::kRequired;
  FenceNature fence_nature = FenceNature::kHonest;
  HookNature before_hook = HookNature::kNone, after_hook = HookNature::kNone;
  unsigned retries = 2;
  Time retry_interval = kSecond;
  Time probe_timeout = 3 * kSecond;
  Time deadline = 60 * kSecond;
  Time min_interval = 0;
  bool account = true;              // the replication account is given
  Time sync_time = 0;               // that a manager's disk takes
  Time keepalive = 7200 * kSecond;  // until a server notices that a client's host is gone
  std::vector<Fault> faults = {};
  std::vector<ManagerRun> runs = {};
  Time calm = 0;  // when the last fault ends
  LeaseHistory lease = {};
  // MySQL keeps a connection that was ended in its commit until that is acknowledged.
  bool commits_outlive_clients = false;
  Break broken = Break::kNone;

  std::size_t voters() const { return servers.size() + votes; }
  bool needs_votes() const { return votes > 0 || lease.seconds > 0; }
  // Guards are numbered behind the managers.
  std::size_t guard_of(std::size_t node) const { return managers + node; }
  std::size_t host_of_manager(std::size_t i) const {
    return i < managers ? voters() + i : i - managers;
  }
  std::size_t host_of_client(std::size_t i) const { return voters() + managers + i; }
  std::size_t host_of_witness() const { return host_of_client(clients); }
  std::size_t hosts() const { return host_of_witness() + (witness ? 1 : 0); }
};

// A seed from N times this on is the history of what is left of it, as drawing N made it; a seed
// below is one of drawing 4. 1: the kinds that there were at first. 2: hooks, disks and managers'
// faults, too; both from the seed itself, so that neighbours were much alike. 3: from a seed that
// is mixed first. 4: votes, too, and fewer writes while nothing happens. 5: the same, but for every
// tenth of up to three nodes, which has guards with a lease, or revocation: these take much longer.
inline constexpr std::uint64_t kDrawing = 1'000'000'000, kUsual = 4;

inline std::uint64_t drawing_of(std::uint64_t seed) {
  return seed < kDrawing ? kUsual : seed / kDrawing;
}

// Returns what the numbers of a history are drawn from.
std::uint64_t source_of(std::uint64_t seed);

// Draws a history.
History draw_history(std::uint64_t seed);
// Gives it guards and a lease, or replicas whose acknowledgements can be revoked, or both, and
// draws anew what befalls it (draw_lease.cc).
void draw_lease(History& history, Random random);

// Names a manager or a guard.
std::string name_of_manager(const History& history, std::size_t manager);

// Prints what a history is made of, a line each.
std::string describe(const History& history);
std::string describe(const History& history, const Fault& fault);
std::string describe(const ManagerRun& run);

}  // namespace ha::sim
