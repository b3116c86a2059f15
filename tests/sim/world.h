// SPDX-License-Identifier: MIT
// A simulated world: servers, the network between hosts, clients that write, managers that run our
// own code in fibers. A discrete-event simulation in one thread: what a history does depends on
// nothing but its data.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/events.h"
#include "tests/sim/fiber.h"
#include "tests/sim/history.h"
#include "tests/sim/random.h"
#include "tests/sim/server.h"

namespace ha::sim {

class Manager;
struct Disk;

// Something is not as a simulation can go on with: an unknown statement, a wait that never ends.
struct Impossible {
  std::string text;
};

// A session of a manager with a server. It outlives its client: the server has to notice.
struct SimSession {
  std::uint8_t server = 0, host = 0;
  std::uint32_t boot = 0;  // of the server, when it began
  std::uint32_t process = 0;
  bool open = true;  // as the server sees it
  bool client_gone = false;
  bool ghost = false;  // its client's host went without a word
  Time lock_wait = 31536000 * kSecond;
  Time used = 0;  // when its last statement ended
  Time wait_timeout = 0;
  bool arrived = false;  // the statement under way is at its server
  // The statement under way.
  std::string sql = {};
  Time asked = 0;
  bool waits = false;
  std::optional<Result<Rows>> answer = {};
  std::uint32_t fiber = 0, wait = 0;
};

struct Client {
  std::uint8_t host = 0, target = 0;
  std::uint32_t write = 0;  // the one under way; 0: none
  Time asked = 0;
};

struct Write {
  std::uint8_t server = 0;
  std::uint32_t transaction = 0;
  bool taken = false, done = false, failed = false, waits = false;
};

// Told what happens, to judge it.
class Witness {
 public:
  virtual ~Witness() = default;
  // A client is told by `server` that its write is done.
  virtual void acknowledged(std::size_t server, std::uint32_t transaction) = 0;
  // A manager sends a statement.
  virtual void sent(std::uint32_t /*process*/, std::string_view /*sql*/) {}
  // A manager takes the lock of a server: it has a new plan.
  virtual void locks(std::uint32_t /*process*/) {}
  // A manager's statement changes a server.
  virtual void changed(std::size_t server, std::uint32_t process, std::string_view what) = 0;
  // A server forgets its source and relay log, `undrained` transactions of it not applied.
  virtual void forgot_source(std::size_t server, std::size_t undrained) = 0;
  virtual void opened(std::size_t server, std::uint32_t process) = 0;
  virtual void violated(std::string text) = 0;
  // A guard begins a run of its own, and ends it; of an end that it does not tell nothing is heard.
  virtual void run_begins(std::uint32_t /*process*/) {}
  virtual void run_ends(std::uint32_t /*process*/) {}
};

class World {
 public:
  World(const History& history, Witness& witness);
  ~World();

  // Runs until nothing is left to happen before `until`.
  void run(Time until);

  const History& history() const { return history_; }
  Time now() const { return now_; }
  Events& events() { return events_; }
  Random& random() { return random_; }
  Witness& witness() { return witness_; }
  std::vector<Server>& servers() { return servers_; }
  const Server& server(std::size_t i) const { return servers_[i]; }
  // How many of them are nodes; those that only vote come after these.
  std::size_t nodes() const { return history_.servers.size(); }
  std::vector<Transaction>& transactions() { return transactions_; }
  std::vector<SimSession>& sessions() { return sessions_; }
  std::vector<Write>& writes() { return writes_; }

  // --- The network.
  bool passes(std::size_t from, std::size_t to) const {
    return (lost_[from] & (1u << to)) == 0 && host_up(from) && host_up(to);
  }
  bool host_up(std::size_t host) const { return (down_ & (1u << host)) == 0; }
  void set_host_up(std::size_t host, bool up);
  // Until when a host stands still.
  Time frozen_until(std::size_t host) const { return frozen_until_[host]; }
  // How long something takes from one host to the other.
  Time delay(std::size_t from, std::size_t to);

  // --- Fibers.
  std::uint32_t add_fiber(std::size_t host, std::function<void()> body);
  std::uint32_t current_fiber() const { return current_; }
  // Suspends the running fiber until `at`, or until wake() is called for this wait.
  void wait_until(Time at);
  // Wakes a fiber that waits, at `at`.
  void wake(std::uint32_t fiber, std::uint32_t wait, Time at);
  std::uint32_t wait_of(std::uint32_t fiber) const { return fibers_[fiber].wait; }
  bool is_alive(std::uint32_t fiber) const { return fibers_[fiber].fiber != nullptr; }

  // --- Replies to clients.
  void answer_client(std::uint32_t server, std::uint32_t client, std::uint32_t write, bool done);
  void fence_later(std::size_t server);
  void kill_session(std::uint32_t session);
  // The client of a session is gone; its server hears of it, or not, when the host went with it.
  void leave_session(std::uint32_t session);
  // A power cut has taken a transaction from a server's disk.
  void lost_on_disk(std::size_t server, std::uint32_t transaction);

  // --- Managers.
  std::uint32_t start_manager(const ManagerRun& run);
  std::vector<std::unique_ptr<Manager>>& managers() { return managers_; }
  Time wall_offset(std::size_t host) const { return wall_offset_[host]; }

  // --- Guards, and what is on the hosts of servers beside them (guards.cc).
  // How fast the clocks of a host are, in 10,000ths.
  int rate(std::size_t host) const {
    return kRate + (history_.lease.drift.empty() ? 0 : history_.lease.drift[host]);
  }
  static constexpr int kRate = 10'000;
  // Starts one unless it runs, or its host is down.
  void start_guard(std::size_t node);
  void kill_guard(std::size_t node);
  // Whether a guard has been killed, or has stood still, with no watchdog to end that.
  bool lets_server_alone(std::size_t node) const { return alone_ & (1u << node); }
  void feed_watchdog(std::size_t host, Time lasts);
  void disarm_watchdog(std::size_t host);
  // Kills the server's process, which its service manager starts again.
  void kill_server(std::size_t node);
  // Boots what is down and starts guards that do not run, as an operator does.
  void start_all();
  // True while nothing has happened for long enough that guards have done what follows from it.
  bool is_calm() const;
  // Returns when something is going to happen the next time.
  Time next_fault() const;

  // Keeps a line for the timeline, if one is wanted.
  bool logs() const { return tells_; }
  void log(std::string line);
  void set_tells(bool tells) { tells_ = tells; }
  const std::vector<std::string>& timeline() const { return timeline_; }

 private:
  struct FiberSlot {
    std::unique_ptr<Fiber> fiber;
    std::uint32_t wait = 0;
    std::uint8_t host = 0;
  };

  void dispatch(const Event& event);
  void resume(std::uint32_t fiber);
  void begin_fault(const Fault& fault);
  void begin_manager_fault(const Fault& fault);
  void end_fault(const Fault& fault);
  void network_changed();
  void watchdog_acts(std::size_t host);
  void boot_host(std::size_t node);
  Manager* guard_of(std::size_t node);
  void begin_guards();
  void client_writes(std::uint32_t client);
  // True while no manager is at work and no fault has begun or ended lately.
  bool is_quiet() const;
  void write_arrives(std::uint32_t client, std::uint32_t write);
  void reply_arrives(std::uint32_t client, std::uint32_t write);
  void statement_arrives(std::uint32_t session);

  const History& history_;
  Witness& witness_;
  Time now_ = 0;
  Events events_;
  Random random_;
  std::vector<Server> servers_;
  std::vector<Transaction> transactions_;
  std::vector<SimSession> sessions_;
  std::vector<Client> clients_;
  Time fault_at_ = 0;  // when the last one began or ended
  std::vector<Write> writes_;
  std::vector<std::uint32_t> lost_;  // by host: a bit for each that hears nothing from it
  std::uint32_t down_ = 0;
  std::vector<Time> slow_;
  std::vector<Time> wall_offset_, frozen_until_;
  std::vector<FiberSlot> fibers_;
  std::uint32_t current_ = UINT32_MAX;        // none
  std::vector<std::unique_ptr<Disk>> disks_;  // of the managers' hosts
  std::vector<std::unique_ptr<Manager>> managers_;
  std::vector<Time> watchdogs_;  // by host: until when it was fed; 0: it is not armed
  std::uint32_t alone_ = 0;      // a bit for each node
  std::vector<Time> edges_;      // when faults begin and end, and runs begin
  mutable std::size_t next_edge_ = 0;
  bool tells_ = false;
  std::vector<std::string> timeline_;
};

}  // namespace ha::sim
