// SPDX-License-Identifier: MIT
// One run of mysql_ha on one of the managers' hosts: our own code, unchanged, in an Env that is
// simulated. Every effect on the world is counted, and the run can be killed at any of them.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/failover.h"
#include "common/execute/guard.h"
#include "tests/sim/history.h"
#include "tests/sim/time.h"
#include "tests/sim/world.h"

namespace ha::sim {

// The files of one host. A change of a directory is not on disk before the directory is synced, nor
// what is appended before the file is.
struct Disk {
  struct Change {
    std::string path;
    std::optional<std::string> before;  // nullopt: there was no such file
  };
  std::map<std::string, std::string> files = {};
  std::set<std::string> directories = {};
  std::map<std::string, std::uint32_t> locks = {};    // by path: the process that holds it
  std::vector<Change> unsynced = {};                  // in their order
  std::map<std::string, std::size_t> appending = {};  // by path: how much of it is synced
  bool full = false;

  // A directory's entry is about to change.
  void will_change(const std::string& path);
  // After a power cut: some of the last changes are not on disk, nor is the end of a file.
  void lose_unsynced(Random& random);
};

// Thrown when the process is killed; nothing of ours catches it.
struct Killed {};

class Manager : public Clock,
                public Connector,
                public Process,
                public Files,
                public Network,
                public Workers {
 public:
  Manager(World& world, Disk& disk, const ManagerRun& run, std::uint32_t id);

  // Ends it as SIGKILL does: what waits is woken to find that out.
  void kill();

  const ManagerRun& what() const { return run_; }
  std::uint32_t id() const { return id_; }
  bool ended() const { return ended_; }
  bool killed() const { return killed_ && !ended_; }
  // True while it may change something: a guard does so now and then.
  bool works() const { return !ended_ && !killed_ && (!is_guard() || runs_); }
  bool is_guard() const { return run_.errand == Errand::kGuard; }
  // True for a guard that keeps the lease of a server.
  bool keeps_lease() const { return is_guard() && run_.node >= 0; }
  // When it began, or a guard its last run.
  Time began() const { return began_; }
  // As if its host had not stood still.
  Time end() const { return end_ - frozen_; }
  std::uint32_t effects() const { return effects_; }
  // True when a server has answered it all that it asks in time, and it could remember that.
  bool looked_at(std::size_t server) const {
    return (looked_at_ & (1u << server)) != 0 && !forgets_;
  }
  // True when it has gone on with another run, or has rolled it back.
  bool resumes() const { return resumes_; }
  const FailoverOutcome& outcome() const { return outcome_; }
  const std::string& plan_refusal() const { return plan_text_; }

  // Clock
  double now_s() const override;
  double monotonic_s() const override;
  bool sleep(double seconds) override;
  void pause(double seconds) override;
  bool stopping() override;
  Moment moment() const override;

  // Connector
  Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) override;

  // Process
  Result<ProcessOutcome> run(const Command& command, const Deadline& deadline) override;
  Result<ServerProcess> find_server(int id, unsigned port) override;
  bool is_running(const ServerProcess& process) override;
  Result<Done> kill_server(const ServerProcess& process) override;

  // Files
  FileInfo info(const std::string& path) override;
  Result<std::string> read(const std::string& path, std::size_t most) override;
  Result<std::unique_ptr<std::istream>> open(const std::string& path) override;
  Result<Done> write_atomic(const std::string& path, std::string_view content,
                            mode_t mode) override;
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  Result<Done> rename(const std::string& from, const std::string& to) override;
  Result<Done> remove(const std::string& path) override;
  Result<Done> remove_all(const std::string& path) override;
  Result<Done> link(const std::string& target, const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<Done> make_private_directory(const std::string& path) override;
  Result<Done> check_private_directory(const std::string& path) override;
  Result<Done> check_replaceable(const std::string& path) override;
  std::string user() override { return "nagios"; }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  std::string lock_holder(const std::string& path) override;

  // Network
  std::set<std::string> resolve(const std::string& host) override;
  bool reach(const HostPort& place, const Deadline& deadline) override;
  std::unique_ptr<VipHost> open_vip_host(const VipOptions& vip, const std::string& host,
                                         Process& process, const Deadline& deadline) override;
  Result<std::unique_ptr<LoginRelay>> start_relay(const HostPort& server, LoginTls tls) override;

  // Workers
  std::vector<End> for_all(std::size_t count, const Deadline& deadline, Work work) override;
  Result<std::unique_ptr<Job>> start(std::function<void()> work) override;

 private:
  friend class SimSqlSession;
  friend class SimAppendFile;
  friend class SimFileLock;
  friend class SimGuardHost;
  void sync();
  Error no_space(const std::string& path) const;
  struct Group;
  class SimJob;

  void body();
  // Counts an effect; the run may be killed right before it.
  void effect();
  void wait_until(Time at);
  void add_fiber(std::function<void()> body);
  FailoverOptions options() const;
  GuardSettings guard_settings() const;
  // A guard begins or ends a run of its own.
  void begin_run();
  void end_run(const FailoverOutcome& outcome);
  void rest();
  // By the clocks of its host.
  double local_s(Time time) const;
  Time to_world(double seconds) const;
  Time pause_of_guard(Time pause) const;
  // Waits for as long as a program takes, or until the deadline.
  ProcessOutcome take_time(Time time, int code, const Deadline& deadline);
  ProcessOutcome fence(const Command& command, const Deadline& deadline);
  ProcessOutcome hook(HookNature nature, const Deadline& deadline);
  ProcessOutcome print_binlog(const Command& command);
  std::size_t host() const;

  World& world_;
  Disk& disk_;
  const ManagerRun run_;
  const std::uint32_t id_;
  Time began_, end_ = 0, frozen_ = 0;
  std::uint32_t effects_ = 0;
  bool killed_ = false, ended_ = false, resumes_ = false, forgets_ = false;
  bool runs_ = false;            // a guard: a run of its own is under way
  std::uint32_t looked_at_ = 0;  // a bit for each server
  std::vector<std::uint32_t> fibers_;
  FailoverOutcome outcome_;
  std::string plan_text_;
};

}  // namespace ha::sim
