// SPDX-License-Identifier: MIT
#include "tests/sim/server.h"

#include <algorithm>
#include <utility>

#include "tests/sim/world.h"

namespace ha::sim {

namespace {

constexpr std::uint32_t kSize = 300;  // of a transaction in a binlog

}  // namespace

Server::Server(World& world, std::size_t index, const ServerSettings& settings)
    : world_(world), index_(index), settings_(settings) {
  read_only_ = super_read_only_ = settings.read_only_file;
  semi_sync_source_ = semi_sync_active_ = settings.semi_sync.source;
  semi_sync_replica_ = settings.semi_sync.replica;
  second_channel_ = settings.second_channel;
}

void Server::make_replica(std::size_t source) {
  read_only_ = true;
  super_read_only_ = !settings_.mariadb;
  channel_.exists = true;
  channel_.source = static_cast<std::uint8_t>(source);
  channel_.by_gtid = settings_.gtid;
  channel_.read = channel_.executed = channel_.base = {1, kFirstOffset};
  channel_.delay = settings_.delay;
  channel_.sql = true;
  start_receiver();
}

void Server::make_primary() { read_only_ = super_read_only_ = false; }

std::string Server::host() const {
  const std::size_t nodes = world_.history().servers.size();
  return index_ < nodes ? "db" + std::to_string(index_ + 1)
                        : "vote" + std::to_string(index_ - nodes + 1);
}

bool Server::has_or_received(std::uint32_t transaction) const {
  if (has(transaction)) return true;
  for (std::size_t i = channel_.applied; i < channel_.relay.size(); ++i)
    if (channel_.relay[i].transaction == transaction) return true;
  return false;
}

// --- What happens to it.

void Server::crash(bool power_cut) {
  if (!up_) return;
  seems_closed_ = false;
  up_ = stopped_ = stuck_ = false;
  for (const Pending& one : std::exchange(waiting_, {})) finish_write(one, false);
  for (const Pending& one : std::exchange(pending_, {})) finish_write(one, false);
  locks_.clear();
  global_lock_ = closing_ = 0;
  for (const std::uint32_t id : std::exchange(sessions_, {})) world_.sessions()[id].open = false;
  drop_dumps();
  ++channel_.connection;
  ++channel_.tries;
  ++channel_.applying;
  channel_.apply_planned = false;
  if (channel_.io == Receiver::kRunning) channel_.io = Receiver::kConnecting;
  if (power_cut) lose_tail();
  // What is in the binlog is committed when the server starts again.
  for (const LogEntry& entry : binlog_)
    if (entry.transaction != kNoTransaction && !has(entry.transaction)) commit(entry.transaction);
}

// Binlog and data alike lose what was not synced.
void Server::lose_tail() {
  std::vector<std::uint32_t> lost;
  while (lost.size() < settings_.unsynced && !binlog_.empty() &&
         binlog_.back().transaction != kNoTransaction) {
    lost.push_back(binlog_.back().transaction);
    binlog_.pop_back();
  }
  if (!lost.empty()) {
    const Place end = binlog_.empty() ? Place{1, kFirstOffset} : binlog_.back().end;
    file_ = end.file;
    offset_ = end.offset;
    for (const std::uint32_t one : lost) {
      if (has(one)) has_[one] = false;
      world_.lost_on_disk(index_, one);
    }
    rebuild_gtids();
  }
  if (!channel_.exists) return;
  std::size_t applied = channel_.applied;
  while (applied > 0 && !channel_.relay[applied - 1].ignored &&
         !has(channel_.relay[applied - 1].transaction))
    --applied;
  // Relay logs are not synced either, and are fetched anew from where the applier stands.
  channel_.applied = applied;
  channel_.executed = applied == 0 ? channel_.base : channel_.relay[applied - 1].end;
  purge_relay_log();
}

void Server::rebuild_gtids() {
  executed_ = initial_executed_;
  binlog_state_ = {};
  written_server_ = applied_server_ = 0;
  written_number_ = applied_number_ = 0;
  for (const LogEntry& entry : binlog_)
    if (entry.transaction != kNoTransaction) record_gtid(world_.transactions()[entry.transaction]);
}

void Server::fence() {
  crash(false);
  fenced_ = true;
}

void Server::start(bool by_operator) {
  if (up_ || (fenced_ && !by_operator)) return;
  up_ = true;
  started_ = world_.now();
  const bool was_fenced = std::exchange(fenced_, false);
  ++boots_;
  disk_full_ = false;
  file_sizes_.resize(file_ - 1, kFirstOffset);
  file_sizes_.push_back(offset_);
  ++file_;
  offset_ = kFirstOffset;
  binlog_.push_back({kNoTransaction, {file_, offset_}});
  read_only_by_sql_ = false;
  // Who fences starts what was fenced closed.
  read_only_ = settings_.read_only_file || was_fenced;
  super_read_only_ = read_only_ && !settings_.mariadb;
  semi_sync_source_ = semi_sync_active_ = settings_.semi_sync.source;
  semi_sync_replica_ = settings_.semi_sync.replica;
  if (!channel_.exists) return;
  const bool by_mariadb_gtid = settings_.mariadb && channel_.by_gtid;
  if (!settings_.keeps_relay_log || by_mariadb_gtid) purge_relay_log();
  channel_.io = Receiver::kStopped;
  channel_.sql = true;
  start_receiver();
  plan_apply();
}

std::uint32_t Server::size_of(std::uint32_t file) const {
  if (file == file_) return offset_;
  return file < file_ ? file_sizes_[file - 1] : 0;
}

void Server::go_on() {
  stopped_ = stuck_ = false;
  network_changed();
  plan_apply();
}

void Server::free_disk() {
  if (!std::exchange(disk_full_, false)) return;
  release_waiting();
  plan_apply();
  network_changed();
}

void Server::stop_threads(bool receiver) {
  if (!up_ || !channel_.exists) return;
  if (receiver) {
    stop_receiver();
    return;
  }
  channel_.sql = channel_.apply_planned = false;
  ++channel_.applying;
}

void Server::copy_from(const Server& source) {
  binlog_.clear();
  file_ = 1;
  offset_ = kFirstOffset;
  file_sizes_.clear();
  has_ = source.has_;
  executed_ = initial_executed_ = source.executed_;
  binlog_state_ = {};
  written_server_ = 0;
  written_number_ = 0;
  const auto [server, number] = source.current_gtid();
  applied_server_ = copied_server_ = server;
  applied_number_ = copied_number_ = number;
  channel_ = {};
}

// --- Clients.

void Server::take_write(std::uint32_t client, std::uint32_t write) {
  const Pending wish{client, write, 0, 0};
  if (read_only_) return finish_write(wish, false);
  if (holds_up_writes()) {
    waiting_.push_back(wish);
    return;
  }
  auto& transactions = world_.transactions();
  const auto id = static_cast<std::uint32_t>(transactions.size());
  Transaction one;
  one.origin = static_cast<std::uint8_t>(index_);
  one.number = next_number();
  one.written = world_.now();
  one.lossless = semi_sync_source_ && settings_.semi_sync.lossless;
  transactions.push_back(one);
  world_.writes()[write].transaction = id;
  world_.writes()[write].taken = true;
  if (semi_sync_source_ && !settings_.semi_sync.lossless && clients() == 0)
    semi_sync_active_ = false;
  const bool waits = semi_sync_waits();
  append(id);
  if (waits) {
    Pending pending = wish;
    pending.transaction = id;
    pending.place = binlog_.size() - 1;
    pending_.push_back(pending);
    if (!settings_.semi_sync.lossless)
      world_.events().add(world_.now() + settings_.semi_sync.timeout, Happens::kSemiSyncTimeout,
                          static_cast<std::uint32_t>(index_), write, boots_);
    return;
  }
  commit(id);
  finish_write({client, write, 0, id}, true);
}

std::uint32_t Server::next_number() const {
  // What it has applied counts, too, where it logs no replicated changes.
  if (settings_.mariadb)
    return std::max(*std::ranges::max_element(binlog_state_), applied_number_) + 1;
  if (!settings_.gtid) return 0;
  std::uint32_t last = executed_.last(index_);
  for (const Pending& one : pending_)
    last = std::max(last, world_.transactions()[one.transaction].number);
  return last + 1;
}

void Server::finish_write(const Pending& pending, bool done) {
  world_.answer_client(static_cast<std::uint32_t>(index_), pending.client, pending.write, done);
}

void Server::release_waiting() {
  if (holds_up_writes()) return;
  for (const Pending& one : std::exchange(waiting_, {})) take_write(one.client, one.write);
}

void Server::release_pending() {
  std::size_t reached = 0;
  for (const Dump& dump : dumps_)
    if (dump.acknowledges) reached = std::max(reached, dump.acknowledged);
  const bool all = !semi_sync_waits();
  for (std::size_t i = 0; i < pending_.size();) {
    if (!all && pending_[i].place >= reached) {
      ++i;
      continue;
    }
    const Pending one = pending_[i];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    commit(one.transaction);
    finish_write(one, true);
  }
  if (applier_waits_ && (all || applier_waits_for_ < reached)) {
    applier_waits_ = false;
    plan_apply();
  }
  if (!all || !semi_sync_source_ || semi_sync_active_) return;
  // Fallen back, until a replica has caught up.
  if (reached >= binlog_.size() && clients() > 0) semi_sync_active_ = true;
}

void Server::end_client(std::uint32_t client) {
  const auto take = [&](std::vector<Pending>& list) {
    for (std::size_t i = 0; i < list.size();) {
      if (list[i].client != client) {
        ++i;
        continue;
      }
      const Pending one = list[i];
      if (&list == &pending_ && world_.history().commits_outlive_clients && !settings_.mariadb) {
        finish_write(one, false);
        ++i;
        continue;
      }
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
      // It is in the binlog already.
      if (&list == &pending_) commit(one.transaction);
      finish_write(one, false);
    }
  };
  take(waiting_);
  take(pending_);
}

void Server::semi_sync_timeout(std::uint32_t write, std::uint32_t boot) {
  if (boot != boots_ || !up_) return;
  const bool waits =
      std::ranges::any_of(pending_, [&](const Pending& one) { return one.write == write; });
  if (!waits) return;
  semi_sync_active_ = false;
  release_pending();
}

bool Server::semi_sync_waits() const {
  return semi_sync_source_ && semi_sync_active_ && (settings_.semi_sync.lossless || clients() > 0);
}

std::size_t Server::clients() const {
  return static_cast<std::size_t>(std::ranges::count(dumps_, true, &Dump::acknowledges));
}

void Server::record_gtid(const Transaction& one) {
  if (!settings_.mariadb) {
    if (one.number > 0) executed_.add(one.origin, one.number);
    return;
  }
  binlog_state_[one.origin] = one.number;
  written_server_ = one.origin;
  written_number_ = one.number;
  if (one.origin != index_) {
    applied_server_ = one.origin;
    applied_number_ = one.number;
  }
}

// What a replica has applied and what it wrote, whichever is later.
std::pair<std::uint8_t, std::uint32_t> Server::current_gtid() const {
  if (written_number_ > applied_number_ && written_server_ == index_)
    return {written_server_, written_number_};
  return {applied_server_, applied_number_};
}

void Server::append(std::uint32_t transaction) {
  offset_ += kSize;
  binlog_.push_back({transaction, {file_, offset_}});
  if (settings_.mariadb) {
    const Transaction& one = world_.transactions()[transaction];
    binlog_state_[one.origin] = std::max(binlog_state_[one.origin], one.number);
    written_server_ = one.origin;
    written_number_ = one.number;
  }
  pump_all();
}

void Server::commit(std::uint32_t transaction) {
  if (has_.size() <= transaction) has_.resize(transaction + 1);
  has_[transaction] = true;
  const Transaction& one = world_.transactions()[transaction];
  if (!settings_.mariadb && one.number > 0) executed_.add(one.origin, one.number);
}

// --- Sessions.

void Server::end_session(std::uint32_t session) {
  SimSession& one = world_.sessions()[session];
  if (!one.open) return;
  one.open = false;
  std::erase(sessions_, session);
  std::vector<std::string> freed;
  std::erase_if(locks_, [&](const UserLock& lock) {
    if (lock.session == session) freed.push_back(lock.name);
    return lock.session == session;
  });
  for (const std::string& lock : freed) grant(lock);
  if (global_lock_ == session + 1 || closing_ == session + 1) {
    (global_lock_ == session + 1 ? global_lock_ : closing_) = 0;
    release_waiting();
  }
}

// It knows nothing of a statement that is still under way.
bool Server::is_idle(std::uint32_t session) const {
  const SimSession& one = world_.sessions()[session];
  return !one.arrived && idle_time(session) > one.wait_timeout;
}

Time Server::idle_time(std::uint32_t session) const {
  return (world_.now() - world_.sessions()[session].used) * world_.rate(index_) / World::kRate;
}

// Without a lease nobody waits for a lock that is handed over, and who asks next gets it.
void Server::grant(const std::string& lock) {
  if (world_.history().lease.seconds == 0) return;
  const std::string question = "SELECT GET_LOCK('" + lock + "', ";
  const auto waits = [&](std::uint32_t id) {
    const SimSession& one = world_.sessions()[id];
    return one.arrived && one.waits && one.sql.starts_with(question);
  };
  const auto asked = [&](std::uint32_t id) { return world_.sessions()[id].asked; };
  std::vector<std::uint32_t> waiting;
  std::ranges::copy_if(sessions_, std::back_inserter(waiting), waits);
  if (const auto first = std::ranges::min_element(waiting, {}, asked); first != waiting.end())
    locks_.push_back({lock, *first});
}

std::optional<std::uint32_t> Server::lock_holder(std::string_view name) const {
  const auto held = std::ranges::find(locks_, name, &UserLock::name);
  if (held == locks_.end() || is_idle(held->session)) return std::nullopt;
  return world_.sessions()[held->session].process;
}

void Server::end_idle_sessions() {
  for (std::size_t i = 0; i < sessions_.size();) {
    const std::uint32_t id = sessions_[i];
    if (!is_idle(id)) {
      ++i;
      continue;
    }
    world_.log(host() + " ends connection " + std::to_string(id + 1) + ": wait_timeout");
    end_session(id);
  }
}

void Server::begin_session(std::uint32_t session) { sessions_.push_back(session); }

const Version& Server::version() const {
  static const Version mysql = parse_version("9.7.0"),
                       mariadb = parse_version("10.11.9-MariaDB-deb12");
  return settings_.mariadb ? mariadb : mysql;
}

}  // namespace ha::sim
