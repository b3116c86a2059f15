// SPDX-License-Identifier: MIT
// What a guard leaves in the directory of its cluster, for other programs: its lock, what it sees
// (guard.json), that an operator has told it to change nothing (guard-paused.json), that it has
// closed its own server (guard-closed.json), and when it last had a majority (guard-lease.json).

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/env.h"
#include "common/failover/guard_watch.h"
#include "common/failover/lease_decision.h"
#include "common/failover/own_closing.h"
#include "common/moment.h"
#include "common/result.h"

namespace ha {

// What the guard last did to the cluster.
struct GuardDeed {
  Moment at = {};
  std::string run = {};   // its id
  std::string text = {};  // its outcome
};

struct GuardState {
  long process = 0;
  Moment since = {};         // when it was started
  std::string node = {};     // beside which it runs; empty: none was named
  bool stopped = false;      // in an orderly way: it is not expected to run
  bool manages = true;       // it was told to change the cluster
  std::string doing = {};    // "watching", "failing over", ...
  std::string trouble = {};  // why the cluster is not as it should be; empty: it is
  std::string primary = {};  // empty: not known
  std::vector<WatchedNode> nodes = {};
  std::optional<GuardDeed> deed = {};
  // Of the lease: why its server, which takes writes, has none or could not be killed, and which
  // votes are missing, and why; empty: all is well, or there is none to keep.
  std::string lease_trouble = {}, missing_votes = {};
};

// An operator's word that the guard is to watch and to change nothing.
struct GuardPause {
  Moment since = {};
  std::optional<double> seconds = {};  // nullopt: until it is ended

  // What is left of it, in seconds; nullopt: it has no end. 0: it is over.
  std::optional<double> left_s(const Moment& now) const;
  bool is_over(const Moment& now) const;
};

// Returns that the guard is paused, for how long, what it does meanwhile (another thing where it
// keeps a lease), and how to end that. nullopt: until an operator ends it, or the time is not to be
// told.
std::string describe_pause(std::optional<double> left_s, bool with_lease);

// Converts them to one line of JSON and back; nullopt for anything that did not come from here.
std::string guard_state_to_json(const GuardState& state);
std::optional<GuardState> parse_guard_state(std::string_view json);

class GuardFiles {
 public:
  // `directory` is that of the cluster, see RunStore.
  GuardFiles(Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Takes the lock that one guard of a cluster has at a time. Fails with kRefused and the process
  // that holds it.
  Result<std::unique_ptr<FileLock>> lock();

  // Returns the guard that runs: "process 7 of this host"; empty: there is none.
  std::string holder() const;

  // Returns what the last guard has left; nullopt: there was none. Fails when it cannot be read.
  Result<std::optional<GuardState>> read() const;
  // Writes what guard_state_to_json() made of a state.
  Result<Done> write(const std::string& state);
  // The same for one that lasts no longer than what it tells of: does not wait for the disk.
  Result<Done> write_passing(const std::string& state);

  // Returns the pause, unless it is over. What cannot be read is a pause without end: in doubt the
  // guard changes nothing.
  std::optional<GuardPause> read_pause(const Moment& now) const;
  Result<Done> write_pause(const GuardPause& pause);
  Result<Done> end_pause();

  // Returns what was left of a closing; nullopt: nothing, or it cannot be read.
  std::optional<OwnClosing> read_closing() const;
  // The same, but nothing while the guard is paused: then an operator keeps the server closed.
  std::optional<OwnClosing> find_reopenable(const Moment& now) const;
  Result<Done> write_closing(const OwnClosing& closing);
  Result<Done> forget_closing();

  // Returns what was left of the last majority; nullopt: nothing, or it cannot be read.
  std::optional<LastMajority> read_majority() const;
  Result<Done> write_majority(const LastMajority& last);

 private:
  Files& files_;
  std::string directory_;
};

// What a check tells of the guard.
struct GuardReport {
  bool missing = false;  // one was started, was not stopped, and does not run
  std::optional<GuardPause> pause = {};
  std::optional<GuardState> state = {};  // of the last guard
  std::string unread = {};               // why that cannot be read; empty: it was, or there is none
};
GuardReport read_guard(Files& files, const std::string& directory, const Moment& now);

// Returns what keeps that guard from its work, with what to type.
std::vector<std::string> find_guard_troubles(const GuardReport& report, bool with_lease);

// The same of the guard of that directory, which may not be there; nullopt when it is not ours.
std::optional<std::vector<std::string>> look_for_guard_troubles(Files& files,
                                                                const std::string& directory,
                                                                const Moment& now, bool with_lease);

}  // namespace ha
