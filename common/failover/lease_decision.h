// SPDX-License-Identifier: MIT
// What the guard beside a server does about the lease of the primary: a server may take writes only
// while the guard has the votes of a majority, which no other guard can have then. Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/moment.h"
#include "common/server_process_id.h"

namespace ha {

struct LeaseLimits {
  double lease_s = 0;       // for which voters keep a vote after the guard's last word
  double margin_s = 0;      // before the lease's end the server is closed
  double hung_after_s = 0;  // a server that was asked and gives no answer for so long is killed
};

// What the guard knows. All moments are seconds since the boot of its machine, its sleep included.
struct LeaseView {
  enum class Server {
    kClosed,    // read-only, or it was never seen to take writes
    kWritable,  // or it gives no answer, and was writable before
    kEnded,     // its process has
  };
  Server server = Server::kClosed;
  double now_s = 0;
  double writable_since_s = 0;
  // Since when it was asked and has not answered; nullopt: it has, or was not asked.
  std::optional<double> silent_since_s = {};
  // When it was last certain that a majority of votes is ours, counted from the sending of what was
  // answered; nullopt: never since the server is writable.
  std::optional<double> majority_s = {};
  // Since when the guard runs without a pause of its own: before, it can have heard nothing.
  double awake_since_s = 0;
  // Not even the votes of that majority are ours any more, as far as is known.
  bool doubted = false;
  bool recalled = false;  // that majority was of the guard before this one
  // Since when the server is being closed; nullopt: it is not.
  std::optional<double> closing_since_s = {};
  // It was had before the server was last read-only; or by the guard before this one, and that
  // lease has ended.
  bool had_lease = false, restarted = false;
  bool given_away = false;  // others have so many votes that there can be no majority for us
  // The same of those votes and of voters that could not be logged in to.
  bool cut_off = false;
  bool stopping = false;  // the guard is asked to end
};

// What a guard leaves for the one after it: when it was last certain that a majority of votes is
// its own, by uptime alone, and of what lease.
struct LastMajority {
  std::string node = {};
  Moment at = {};
  int lease_s = 0;
  bool closed = false;  // the server was seen to be read-only, or to have ended, since
  // The process of the server, without its age; nullopt: not known.
  std::optional<ServerProcess> server = {};

  bool operator==(const LastMajority&) const = default;
};

// Returns that moment as the guard after it has to count it, so that its lease ends no later than
// the one before; nullopt when that was in another boot of the machine.
std::optional<double> recall_majority(const LastMajority& last, const Moment& now, int lease_s);

enum class LeaseAct {
  kRelease,  // have no votes: another node may have them at once
  kTake,     // ask for votes, of which there was no majority yet
  kHold,     // keep the lease, and ask for the votes that are not ours
  kClose,    // the server may take no more writes: make it read-only
  kKill,     // the same, where closing was not done in its time or nothing is answered
};

// Decides what to do now.
LeaseAct decide_lease(const LeaseView& view, const LeaseLimits& limits);

// True when the server takes no writes, or takes them by right.
bool is_safe(LeaseAct act);

// Returns after how many seconds without food a watchdog takes the host down: half of a lease.
int watchdog_timeout_s(int lease_s);

// True when the watchdog may be fed: a server that loses its votes, and whose guard stops, is taken
// down with its host before the lease ends.
bool may_feed(const LeaseView& view, LeaseAct act, const LeaseLimits& limits);

// Returns what is done with the server `node`, for people. `obstacle`: why votes are missing.
std::string describe(const LeaseView& view, LeaseAct act, std::string_view node,
                     std::string_view obstacle);

}  // namespace ha
