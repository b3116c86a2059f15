// SPDX-License-Identifier: MIT
#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/sim/manager.h"

namespace ha::sim {

namespace {

// How often what the network holds up is sent again.
constexpr Time kRetransmit = 200 * kMillisecond;
constexpr Time kStatementTime = 100;           // that a server takes, beside the network
constexpr Time kClientPatience = 2 * kSecond;  // before a client tries another server

}  // namespace

World::World(const History& history, Witness& witness)
    : history_(history), witness_(witness), random_(source_of(history.seed) ^ 0x5151) {
  const std::size_t hosts = history.hosts();
  lost_.assign(hosts, 0);
  slow_.assign(hosts, 0);
  wall_offset_.assign(hosts, 0);
  frozen_until_.assign(hosts, 0);
  transactions_.reserve(256);
  sessions_.reserve(256);
  writes_.resize(1);
  servers_.reserve(history.voters());
  for (std::size_t i = 0; i < history.voters(); ++i)
    servers_.emplace_back(*this, i, i < nodes() ? history.servers[i] : ServerSettings{});
  for (std::size_t i = 0; i < nodes(); ++i)
    if (history.sources[i] < 0)
      servers_[i].make_primary();
    else
      servers_[i].make_replica(static_cast<std::size_t>(history.sources[i]));
  const std::size_t disks = history.managers + (history.lease.seconds > 0 ? nodes() : 0);
  for (std::size_t i = 0; i < disks; ++i) disks_.push_back(std::make_unique<Disk>());
  for (std::size_t i = 0; i < history.clients; ++i) {
    clients_.push_back({static_cast<std::uint8_t>(history.host_of_client(i))});
    events_.add(history.write_interval + static_cast<Time>(i) * 7 * kMillisecond,
                Happens::kClientWrites, static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < history.faults.size(); ++i) {
    events_.add(history.faults[i].at, Happens::kFault, static_cast<std::uint32_t>(i));
    events_.add(history.faults[i].ends, Happens::kFaultEnds, static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < history.runs.size(); ++i)
    events_.add(history.runs[i].at, Happens::kManagerStarts, static_cast<std::uint32_t>(i));
  if (history.lease.seconds > 0) begin_guards();
}

// Fibers that are left are ended as by a kill.
World::~World() {
  for (auto& manager : managers_) manager->kill();
  for (std::size_t i = 0; i < fibers_.size(); ++i)
    while (fibers_[i].fiber && !fibers_[i].fiber->done()) resume(static_cast<std::uint32_t>(i));
}

void World::run(Time until) {
  while (!events_.empty() && events_.next_at() <= until) {
    now_ = events_.next_at();
    const Event event = events_.take();
    try {
      dispatch(event);
    } catch (const Impossible& why) {
      witness_.violated(why.text);
      break;
    }
  }
  now_ = until;
}

void World::log(std::string line) {
  if (!tells_) return;
  char time[32];
  std::snprintf(time, sizeof time, "%10.4f  ", static_cast<double>(now_) / 1e6);
  timeline_.push_back(time + std::move(line));
}

void World::dispatch(const Event& event) {
  switch (event.what) {
    case Happens::kWake: {
      const FiberSlot& slot = fibers_[event.a];
      if (!slot.fiber || slot.wait != event.b) break;
      if (const Time until = frozen_until_[slot.host]; until > now_)
        events_.add(until, Happens::kWake, event.a, event.b);
      else
        resume(event.a);
      break;
    }
    case Happens::kStatement:
      statement_arrives(event.a);
      break;
    case Happens::kEventArrives:
      servers_[event.a].event_arrives(event.b, event.c);
      break;
    case Happens::kAcknowledged:
      servers_[event.a].acknowledged(event.b, event.c, event.d);
      break;
    case Happens::kApply:
      servers_[event.a].apply(event.b);
      break;
    case Happens::kReceiverTries:
      servers_[event.a].receiver_tries(event.b);
      break;
    case Happens::kReceiverGivesUp:
      servers_[event.a].receiver_gives_up(event.b);
      break;
    case Happens::kSemiSyncTimeout:
      servers_[event.a].semi_sync_timeout(event.b, event.c);
      break;
    case Happens::kClientWrites:
      client_writes(event.a);
      break;
    case Happens::kWriteArrives:
      write_arrives(event.a, event.b);
      break;
    case Happens::kReplyArrives:
      reply_arrives(event.a, event.b);
      break;
    case Happens::kFault:
      fault_at_ = now_;
      begin_fault(history_.faults[event.a]);
      break;
    case Happens::kFaultEnds:
      fault_at_ = now_;
      end_fault(history_.faults[event.a]);
      break;
    case Happens::kManagerStarts:
      if (const ManagerRun& run = history_.runs[event.a];
          host_up(history_.host_of_manager(run.manager)))
        start_manager(run);
      break;
    case Happens::kFence:
      log("fence: db" + std::to_string(event.a + 1) + " is off");
      servers_[event.a].fence();
      break;
    case Happens::kSessionEnds: {
      SimSession& session = sessions_[event.a];
      const bool hears = session.ghost || passes(session.host, session.server);
      if (hears && !servers_[session.server].hung())
        servers_[session.server].end_session(event.a);
      else if (session.open)
        events_.add(now_ + kRetransmit, Happens::kSessionEnds, event.a);
      break;
    }
    case Happens::kGuardStarts:
      start_guard(event.a);
      break;
    case Happens::kWatchdog:
      watchdog_acts(event.a);
      break;
    case Happens::kHostBoots:
      boot_host(event.a);
      network_changed();
      break;
    case Happens::kServerStarts:
      if (host_up(event.a)) servers_[event.a].start(false);
      break;
  }
}

// --- The network.

Time World::delay(std::size_t from, std::size_t to) {
  constexpr Time kWithinHost = 50;
  if (from == to) return kWithinHost;
  return history_.network_delay + random_.between(0, history_.network_delay) + slow_[from] +
         slow_[to];
}

void World::set_host_up(std::size_t host, bool up) {
  if (up)
    down_ &= ~(1u << host);
  else
    down_ |= 1u << host;
}

void World::network_changed() {
  // What is cut off for too long is given up by its receivers.
  for (const Server& server : servers_) {
    const Channel& channel = server.channel();
    if (server.up() && channel.exists && channel.io == Receiver::kRunning)
      events_.add(now_ + server.settings().net_timeout, Happens::kReceiverGivesUp,
                  static_cast<std::uint32_t>(server.index()), channel.connection);
  }
  for (Server& server : servers_) server.network_changed();
}

// --- Faults.

void World::begin_fault(const Fault& fault) {
  log(describe(history_, fault));
  Server* const server = fault.node < servers_.size() ? &servers_[fault.node] : nullptr;
  switch (fault.kind) {
    case FaultKind::kCrash:
      server->crash(false);
      break;
    case FaultKind::kPowerCut:
      set_host_up(fault.node, false);
      server->crash(true);
      kill_guard(fault.node);
      break;
    case FaultKind::kFreeze:
      server->stop_process();
      break;
    case FaultKind::kStick:
      server->stick();
      break;
    case FaultKind::kDiskFull:
      server->fill_disk();
      break;
    case FaultKind::kCut:
      for (std::size_t i = 0; i < lost_.size(); ++i)
        lost_[i] |= (fault.hosts & (1u << i)) != 0 ? ~fault.hosts : fault.hosts;
      break;
    case FaultKind::kOneWay:
      lost_[fault.node] |= fault.hosts;
      break;
    case FaultKind::kSlow:
      slow_[fault.node] += fault.amount;
      break;
    case FaultKind::kClockJump:
      wall_offset_[history_.host_of_manager(fault.node)] += fault.amount;
      break;
    case FaultKind::kReceiverStops:
      server->stop_threads(true);
      break;
    case FaultKind::kApplierStops:
      server->stop_threads(false);
      break;
    case FaultKind::kManagerCut:
    case FaultKind::kManagerFreeze:
    case FaultKind::kManagerDisk:
      return begin_manager_fault(fault);
    case FaultKind::kGuardKill:
      if (!history_.lease.watchdog) alone_ |= 1u << fault.node;
      return kill_guard(fault.node);
  }
  network_changed();
}

void World::begin_manager_fault(const Fault& fault) {
  const std::size_t host = history_.host_of_manager(fault.node);
  Disk& disk = *disks_[fault.node];
  if (fault.kind == FaultKind::kManagerFreeze) {
    frozen_until_[host] = std::max(frozen_until_[host], fault.ends);
    if (fault.node >= history_.managers && !history_.lease.watchdog) alone_ |= 1u << host;
  }
  if (fault.kind == FaultKind::kManagerDisk) disk.full = true;
  if (fault.kind != FaultKind::kManagerCut) return;
  set_host_up(host, false);
  for (const auto& manager : managers_)
    if (manager->what().manager == fault.node) manager->kill();
  disk.lose_unsynced(random_);
}

void World::end_fault(const Fault& fault) {
  Server* const server = fault.node < servers_.size() ? &servers_[fault.node] : nullptr;
  switch (fault.kind) {
    case FaultKind::kPowerCut:
      if (history_.lease.seconds > 0) {
        boot_host(fault.node);
        break;
      }
      set_host_up(fault.node, true);
      server->start(false);
      break;
    case FaultKind::kGuardKill:
      start_guard(fault.node);
      break;
    case FaultKind::kCrash:
      // What its watchdog has reset is started when it boots.
      if (history_.lease.seconds == 0 || host_up(fault.node)) server->start(false);
      break;
    case FaultKind::kFreeze:
    case FaultKind::kStick:
      server->go_on();
      break;
    case FaultKind::kDiskFull:
      server->free_disk();
      break;
    case FaultKind::kCut:
    case FaultKind::kOneWay:
      lost_.assign(lost_.size(), 0);
      for (const Fault& other : history_.faults) {
        if (&other == &fault || other.at > now_ || other.ends <= now_) continue;
        if (other.kind == FaultKind::kOneWay) lost_[other.node] |= other.hosts;
        if (other.kind != FaultKind::kCut) continue;
        for (std::size_t i = 0; i < lost_.size(); ++i)
          lost_[i] |= (other.hosts & (1u << i)) != 0 ? ~other.hosts : other.hosts;
      }
      break;
    case FaultKind::kSlow:
      slow_[fault.node] -= fault.amount;
      break;
    case FaultKind::kClockJump:
      break;
    case FaultKind::kReceiverStops:
    case FaultKind::kApplierStops:
    case FaultKind::kManagerFreeze:
      break;
    case FaultKind::kManagerCut:
      set_host_up(history_.host_of_manager(fault.node), true);
      break;
    case FaultKind::kManagerDisk:
      disks_[fault.node]->full = false;
      break;
  }
  log("ends: " + describe(history_, fault));
  network_changed();
}

void World::lost_on_disk(std::size_t server, std::uint32_t transaction) {
  log("db" + std::to_string(server + 1) + " lost write " + std::to_string(transaction));
  transactions_[transaction].received_by &= ~(1u << server);
}

// --- Fibers.

std::uint32_t World::add_fiber(std::size_t host, std::function<void()> body) {
  fibers_.push_back({std::make_unique<Fiber>(std::move(body)), 0, static_cast<std::uint8_t>(host)});
  const auto id = static_cast<std::uint32_t>(fibers_.size() - 1);
  events_.add(now_, Happens::kWake, id, 0);
  return id;
}

void World::resume(std::uint32_t fiber) {
  const std::uint32_t before = std::exchange(current_, fiber);
  fibers_[fiber].fiber->resume();
  current_ = before;
  if (fibers_[fiber].fiber->done()) fibers_[fiber].fiber.reset();
}

void World::wait_until(Time at) {
  const std::uint32_t fiber = current_;
  const std::uint32_t wait = ++fibers_[fiber].wait;
  if (at < kNever) events_.add(std::max(at, now_), Happens::kWake, fiber, wait);
  Fiber::suspend();
}

void World::wake(std::uint32_t fiber, std::uint32_t wait, Time at) {
  events_.add(std::max(at, now_), Happens::kWake, fiber, wait);
}

// --- Clients.

void World::client_writes(std::uint32_t id) {
  Client& client = clients_[id];
  const auto try_next = [&] {
    client.target = static_cast<std::uint8_t>((client.target + 1) % nodes());
  };
  if (client.write != 0 && now_ - client.asked >= kClientPatience) {
    client.write = 0;
    try_next();
  }
  // Connections do not last, and a new one may go anywhere.
  if (client.write == 0 && random_.chance(4)) try_next();
  if (client.write == 0 && now_ < history_.calm + 20 * kSecond) {
    writes_.push_back({client.target});
    client.write = static_cast<std::uint32_t>(writes_.size() - 1);
    client.asked = now_;
    if (passes(client.host, client.target))
      events_.add(now_ + delay(client.host, client.target), Happens::kWriteArrives, id,
                  client.write);
  }
  events_.add(now_ + history_.write_interval * (is_quiet() ? history_.quiet : 1),
              Happens::kClientWrites, id);
}

bool World::is_quiet() const {
  constexpr Time kLately = 3 * kSecond;
  return now_ > fault_at_ + kLately &&
         std::ranges::none_of(managers_, [](const auto& one) { return one->works(); });
}

void World::write_arrives(std::uint32_t client, std::uint32_t write) {
  Server& server = servers_[writes_[write].server];
  if (!host_up(server.index()) || server.hung()) return;
  if (!server.up())
    return answer_client(static_cast<std::uint32_t>(server.index()), client, write, false);
  server.take_write(client, write);
}

void World::answer_client(std::uint32_t server, std::uint32_t client, std::uint32_t write,
                          bool done) {
  Write& one = writes_[write];
  if (one.done || one.failed) return;
  (done ? one.done : one.failed) = true;
  if (!passes(server, clients_[client].host)) return;
  if (done) witness_.acknowledged(server, one.transaction);
  events_.add(now_ + delay(server, clients_[client].host), Happens::kReplyArrives, client, write);
}

void World::reply_arrives(std::uint32_t id, std::uint32_t write) {
  Client& client = clients_[id];
  if (client.write != write) return;
  client.write = 0;
  if (!writes_[write].done)
    client.target = static_cast<std::uint8_t>((client.target + 1) % nodes());
}

// --- Managers and their sessions.

std::uint32_t World::start_manager(const ManagerRun& run) {
  const auto id = static_cast<std::uint32_t>(managers_.size());
  managers_.push_back(std::make_unique<Manager>(*this, *disks_[run.manager], run, id));
  return id;
}

void World::fence_later(std::size_t server) {
  events_.add(now_ + 5 * kSecond, Happens::kFence, static_cast<std::uint32_t>(server));
}

void World::kill_session(std::uint32_t id) {
  if (id >= sessions_.size() || !sessions_[id].open) return;
  SimSession& session = sessions_[id];
  servers_[session.server].end_session(id);
  if (session.waits) {
    session.waits = false;
    session.answer = Error{Errc::kUnreachable, "Lost connection to server during query", 2013};
    wake(session.fiber, session.wait, now_ + delay(session.server, session.host));
  }
}

void World::leave_session(std::uint32_t id) {
  SimSession& session = sessions_[id];
  session.client_gone = true;
  session.ghost = !host_up(session.host);
  // Nobody sends again what the network has held up.
  if (session.ghost && !session.arrived) session.waits = false;
  events_.add(now_ + (session.ghost ? history_.keepalive : delay(session.host, session.server)),
              Happens::kSessionEnds, id);
}

void World::statement_arrives(std::uint32_t id) {
  SimSession& session = sessions_[id];
  const auto again = [&](Time after) { events_.add(now_ + after, Happens::kStatement, id); };
  Server& server = servers_[session.server];
  if (session.answer && !session.ghost) {
    // The reply, held up by the network.
    if (!passes(session.server, session.host)) return again(kRetransmit);
    return wake(session.fiber, session.wait, now_ + delay(session.server, session.host));
  }
  if (!session.waits) return;
  if (!passes(session.host, session.server) && !session.ghost) {
    // A host that is gone says nothing, ever.
    if (session.open || host_up(session.server)) again(kRetransmit);
    return;
  }
  server.end_idle_sessions();
  if (!session.open) {
    session.waits = false;
    session.answer = Error{Errc::kUnreachable, "Lost connection to server during query", 2013};
    if (!passes(session.server, session.host)) return again(kRetransmit);
    return wake(session.fiber, session.wait, now_ + delay(session.server, session.host));
  }
  if (server.hung()) return again(kRetransmit);
  session.arrived = true;
  auto answer = server.execute(id, session.sql, session.asked);
  if (!answer) return again(10 * kMillisecond);
  const auto begins = [&](const char* words) { return session.sql.starts_with(words); };
  if (tells_ && !begins("SELECT") && !begins("SHOW") && !begins("DO 0"))
    log(server.host() + " < " + session.sql + (*answer ? "" : "  FAILED " + answer->error().text));
  session.waits = session.arrived = false;
  session.used = now_;
  if (session.ghost) return;
  session.answer = std::move(answer);
  if (!passes(session.server, session.host)) return again(kRetransmit);
  wake(session.fiber, session.wait, now_ + kStatementTime + delay(session.server, session.host));
}

}  // namespace ha::sim
