// SPDX-License-Identifier: MIT
#include "tests/sim/server.h"

#include <algorithm>
#include <utility>

#include "tests/sim/world.h"

namespace ha::sim {

namespace {

constexpr std::uint32_t kNoTransaction = UINT32_MAX;  // of an entry that only begins a new file
constexpr std::uint32_t kSize = 300;                  // of a transaction in a binlog
constexpr std::uint32_t kFirstOffset = 4;
// ER_SERVER_SOURCE_FATAL_ERROR_READING_BINLOG in the receivers of MySQL 8, and its old number.
constexpr unsigned kFatalMysql = 13114, kFatalMariadb = 1236;
constexpr unsigned kCannotConnect = 2003, kLost = 2013, kDuplicate = 1062;

}  // namespace

Server::Server(World& world, std::size_t index, const ServerSettings& settings)
    : world_(world), index_(index), settings_(settings) {
  read_only_ = super_read_only_ = settings.read_only_file;
  semi_sync_source_ = semi_sync_active_ = settings.semi_sync.source;
  semi_sync_replica_ = settings.semi_sync.replica;
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

bool Server::has_or_received(std::uint32_t transaction) const {
  if (has(transaction)) return true;
  for (std::size_t i = channel_.applied; i < channel_.relay.size(); ++i)
    if (channel_.relay[i].transaction == transaction) return true;
  return false;
}

// --- What happens to it.

void Server::crash(bool power_cut) {
  if (!up_) return;
  up_ = stopped_ = stuck_ = false;
  for (const Pending& one : std::exchange(waiting_, {})) finish_write(one, false);
  for (const Pending& one : std::exchange(pending_, {})) finish_write(one, false);
  locks_.clear();
  global_lock_ = 0;
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
    if (entry.transaction != kNoTransaction) note_gtid(world_.transactions()[entry.transaction]);
}

void Server::fence() {
  crash(false);
  fenced_ = true;
}

void Server::start(bool by_operator) {
  if (up_ || (fenced_ && !by_operator)) return;
  up_ = true;
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

void Server::go_on() {
  stopped_ = stuck_ = false;
  network_changed();
  plan_apply();
}

void Server::free_disk() {
  if (!std::exchange(disk_full_, false)) return;
  settle_waiting();
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
  if (disk_full_ || global_lock_ != 0) {
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
  if (settings_.mariadb) return *std::ranges::max_element(binlog_state_) + 1;
  if (!settings_.gtid) return 0;
  std::uint32_t last = executed_.last(index_);
  for (const Pending& one : pending_)
    last = std::max(last, world_.transactions()[one.transaction].number);
  return last + 1;
}

void Server::finish_write(const Pending& pending, bool done) {
  world_.answer_client(static_cast<std::uint32_t>(index_), pending.client, pending.write, done);
}

void Server::settle_waiting() {
  if (disk_full_ || global_lock_ != 0) return;
  for (const Pending& one : std::exchange(waiting_, {})) take_write(one.client, one.write);
}

void Server::settle_pending() {
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
  settle_pending();
}

bool Server::semi_sync_waits() const {
  return semi_sync_source_ && semi_sync_active_ && (settings_.semi_sync.lossless || clients() > 0);
}

std::size_t Server::clients() const {
  return static_cast<std::size_t>(std::ranges::count(dumps_, true, &Dump::acknowledges));
}

void Server::note_gtid(const Transaction& one) {
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

// --- Replication: the source's side.

bool Server::skips(const Dump& dump, const LogEntry& entry) const {
  if (entry.transaction == kNoTransaction || settings_.mariadb) return false;
  const Transaction& one = world_.transactions()[entry.transaction];
  return one.number > 0 && dump.known.has(one.origin, one.number);
}

void Server::pump(Dump& dump) {
  if (!up_ || stopped_ || dump.stalled) return;
  const Server& replica = world_.servers()[dump.replica];
  while (dump.next < binlog_.size()) {
    if (skips(dump, binlog_[dump.next]) && dump.next + 1 < binlog_.size()) {
      ++dump.next;
      continue;
    }
    if (!world_.passes(index_, dump.replica) || !replica.up() || replica.stopped_) {
      dump.stalled = true;
      return;
    }
    dump.arrives = std::max(dump.arrives, world_.now() + world_.delay(index_, dump.replica));
    world_.events().add(dump.arrives, Happens::kEventArrives, dump.replica, dump.connection,
                        static_cast<std::uint32_t>(dump.next));
    ++dump.next;
  }
}

void Server::pump_all() {
  for (Dump& dump : dumps_) pump(dump);
}

void Server::drop_dumps() {
  for (const Dump& dump : std::exchange(dumps_, {})) {
    Server& replica = world_.servers()[dump.replica];
    if (world_.passes(index_, dump.replica))
      replica.lose_source(dump.connection, kLost, "Lost connection to server during query");
    else
      world_.events().add(world_.now() + replica.settings_.net_timeout, Happens::kReceiverGivesUp,
                          dump.replica, dump.connection);
  }
}

void Server::network_changed() {
  for (Dump& dump : dumps_) {
    if (!dump.stalled || !world_.passes(index_, dump.replica)) continue;
    const Server& replica = world_.servers()[dump.replica];
    if (!replica.up() || replica.stopped_) continue;
    dump.stalled = false;
    pump(dump);
  }
}

void Server::acknowledged(std::uint32_t replica, std::uint32_t connection, std::uint32_t place) {
  if (!up_) return;
  for (Dump& dump : dumps_) {
    if (dump.replica != replica || dump.connection != connection) continue;
    dump.acknowledged = std::max(dump.acknowledged, std::size_t{place} + 1);
    if (place < binlog_.size() && binlog_[place].transaction != kNoTransaction)
      world_.transactions()[binlog_[place].transaction].received_by |= 1u << replica;
  }
  settle_pending();
}

// --- Replication: the replica's side.

void Server::start_receiver() {
  if (channel_.io == Receiver::kRunning) return;
  channel_.io = Receiver::kConnecting;
  channel_.io_errno = 0;
  channel_.io_error.clear();
  if (settings_.mariadb && channel_.by_gtid) purge_relay_log();
  world_.events().add(world_.now() + kMillisecond, Happens::kReceiverTries,
                      static_cast<std::uint32_t>(index_), ++channel_.tries);
}

void Server::stop_receiver() {
  ++channel_.tries;
  hang_up();
  channel_.io = Receiver::kStopped;
}

// Ends its connection to its source.
void Server::hang_up() {
  Server& source = world_.servers()[channel_.source];
  std::erase_if(source.dumps_, [&](const Dump& dump) {
    return dump.replica == index_ && dump.connection == channel_.connection;
  });
  ++channel_.connection;
  if (source.up_) source.settle_pending();
}

void Server::lose_source(std::uint32_t connection, unsigned number, const char* text) {
  if (!up_ || channel_.connection != connection || channel_.io != Receiver::kRunning) return;
  receiver_failed(number, text, false);
}

void Server::receiver_failed(unsigned number, std::string text, bool for_good) {
  hang_up();
  channel_.io = for_good ? Receiver::kStopped : Receiver::kConnecting;
  channel_.io_errno = number;
  channel_.io_error = std::move(text);
  if (!for_good)
    world_.events().add(world_.now() + settings_.connect_retry, Happens::kReceiverTries,
                        static_cast<std::uint32_t>(index_), ++channel_.tries);
}

void Server::receiver_gives_up(std::uint32_t connection) {
  if (!up_ || channel_.connection != connection || channel_.io != Receiver::kRunning) return;
  const Server& source = world_.server(channel_.source);
  const bool connected = source.up_ && std::ranges::any_of(source.dumps_, [&](const Dump& dump) {
                           return dump.replica == index_ && dump.connection == connection;
                         });
  const bool hears = connected && world_.passes(channel_.source, index_) && !source.stopped_;
  if (hears) return;
  receiver_failed(kLost, "Lost connection to server during query", false);
}

void Server::receiver_tries(std::uint32_t generation) {
  if (!up_ || generation != channel_.tries || channel_.io != Receiver::kConnecting) return;
  Server& source = world_.servers()[channel_.source];
  const bool reaches =
      world_.passes(index_, channel_.source) && world_.passes(channel_.source, index_);
  if (stopped_ || !reaches || !source.answers()) {
    channel_.io_errno = kCannotConnect;
    channel_.io_error = "error connecting to source 'repl@" + source.host() +
                        ":3306' - retry-time: 1 retries: 1 message: Can't connect to MySQL "
                        "server on '" +
                        source.host() + ":3306' (111)";
    world_.events().add(world_.now() + settings_.connect_retry, Happens::kReceiverTries,
                        static_cast<std::uint32_t>(index_), generation);
    return;
  }
  connect_receiver(source);
}

void Server::connect_receiver(Server& source) {
  std::size_t start = 0;
  std::string text;
  if (!find_start(source, start, text))
    return receiver_failed(settings_.mariadb ? kFatalMariadb : kFatalMysql,
                           "Got fatal error " + std::to_string(kFatalMariadb) +
                               " from source when reading data from binary log: '" + text + "'",
                           true);
  // One that came to nothing is still there until its source notices.
  std::erase_if(source.dumps_, [&](const Dump& dump) { return dump.replica == index_; });
  channel_.io = Receiver::kRunning;
  channel_.io_errno = 0;
  channel_.io_error.clear();
  Dump dump;
  dump.replica = static_cast<std::uint8_t>(index_);
  dump.connection = ++channel_.connection;
  dump.acknowledges = semi_sync_replica_ && source.settings_.semi_sync.installed;
  dump.next = dump.acknowledged = start;
  if (channel_.by_gtid && !settings_.mariadb) dump.known = received_or_executed();
  source.dumps_.push_back(std::move(dump));
  source.pump(source.dumps_.back());
  source.settle_pending();
}

Gtids Server::received_or_executed() const {
  Gtids all = executed_;
  all.add_all(channel_.retrieved);
  return all;
}

// Finds where in the source's binlog the receiver begins; false, with what the source says, when it
// cannot.
bool Server::find_start(const Server& source, std::size_t& start, std::string& text) const {
  if (!channel_.by_gtid) {
    const Place end = {source.file_, source.offset_};
    if (channel_.read > end) {
      text = channel_.read.file > source.file_
                 ? "Could not find first log file name in binary log index file"
                 : "Client requested source to start replication from position > file size";
      return false;
    }
    start = 0;
    while (start < source.binlog_.size() && source.binlog_[start].end <= channel_.read) ++start;
    const bool known = start == 0 ? channel_.read == Place{1, kFirstOffset}
                                  : source.binlog_[start - 1].end == channel_.read;
    if (known) return true;
    text = "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source";
    return false;
  }
  if (settings_.mariadb) {
    const auto [server, number] = std::pair(applied_server_, applied_number_);
    start = 0;
    if (number == 0) return true;
    for (std::size_t i = source.binlog_.size(); i-- > 0;) {
      if (source.binlog_[i].transaction == kNoTransaction) continue;
      const Transaction& one = world_.transactions()[source.binlog_[i].transaction];
      if (one.origin != server || one.number != number) continue;
      start = i + 1;
      return true;
    }
    if (source.applied_server_ == server && source.applied_number_ == number &&
        source.written_number_ <= number)
      return true;  // it was copied, and its binlog begins there
    if (source.copied_server_ == server && source.copied_number_ == number) return true;
    text = "Error: connecting slave requested to start from GTID 0-" + std::to_string(server + 1) +
           "-" + std::to_string(number) + ", which is not in the master's binlog";
    return false;
  }
  const Gtids known = received_or_executed();
  if (!source.executed_.covers(channel_.source, known)) {
    text =
        "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may "
        "indicate that the end of the binary log was truncated";
    return false;
  }
  for (std::size_t s = 0; s < kMostNodes; ++s)
    if (!known.covers(s, source.initial_executed_)) {
      text = "Cannot replicate because the source purged required binary logs";
      return false;
    }
  start = 0;
  return true;
}

void Server::event_arrives(std::uint32_t connection, std::uint32_t place) {
  if (!up_ || channel_.connection != connection || channel_.io != Receiver::kRunning) return;
  Server& source = world_.servers()[channel_.source];
  const auto dump = std::ranges::find_if(source.dumps_, [&](const Dump& one) {
    return one.replica == index_ && one.connection == connection;
  });
  if (dump == source.dumps_.end() || place >= source.binlog_.size()) return;
  // What comes while it cannot take it is sent again when it can.
  if (stopped_ || disk_full_) {
    dump->stalled = true;
    dump->next = std::min(dump->next, std::size_t{place});
    return;
  }
  const LogEntry& entry = source.binlog_[place];
  RelayEntry relay{entry.transaction, entry.end};
  const Transaction* const one =
      entry.transaction == kNoTransaction ? nullptr : &world_.transactions()[entry.transaction];
  const bool known = one != nullptr && source.skips(*dump, entry);
  relay.ignored = one == nullptr || known || one->origin == index_;
  channel_.read = entry.end;
  if (!relay.ignored && one->number > 0) {
    channel_.retrieved.add(one->origin, one->number);
    channel_.io_server = one->origin;
    channel_.io_number = one->number;
  }
  channel_.relay.push_back(relay);
  if (dump->acknowledges)
    world_.events().add(world_.now() + world_.delay(index_, channel_.source),
                        Happens::kAcknowledged, channel_.source, static_cast<std::uint32_t>(index_),
                        connection, place);
  plan_apply();
}

void Server::purge_relay_log() {
  channel_.relay.clear();
  channel_.applied = 0;
  channel_.read = channel_.base = channel_.executed;
  channel_.retrieved.clear();
  channel_.io_number = 0;
  ++channel_.relay_file;
}

void Server::plan_apply() {
  if (!up_ || !channel_.exists || !channel_.sql || channel_.apply_planned || applier_waits_) return;
  // What only moves the position costs nothing.
  while (channel_.applied < channel_.relay.size() && channel_.relay[channel_.applied].ignored)
    channel_.executed = channel_.relay[channel_.applied++].end;
  if (channel_.applied >= channel_.relay.size()) return;
  const std::uint32_t next = channel_.relay[channel_.applied].transaction;
  const Time due = world_.transactions()[next].written + channel_.delay;
  channel_.apply_planned = true;
  world_.events().add(std::max(world_.now() + settings_.apply_time, due), Happens::kApply,
                      static_cast<std::uint32_t>(index_), channel_.applying);
}

void Server::apply(std::uint32_t generation) {
  if (generation != channel_.applying) return;
  channel_.apply_planned = false;
  if (!up_ || !channel_.sql || stopped_ || stuck_ || disk_full_) return;
  if (global_lock_ != 0) {
    channel_.apply_planned = true;
    world_.events().add(world_.now() + 50 * kMillisecond, Happens::kApply,
                        static_cast<std::uint32_t>(index_), generation);
    return;
  }
  if (channel_.applied >= channel_.relay.size()) return;
  const RelayEntry entry = channel_.relay[channel_.applied];
  const Transaction& one = world_.transactions()[entry.transaction];
  const bool by_number = !settings_.mariadb && settings_.gtid;
  if (by_number && executed_.has(one.origin, one.number)) {
    channel_.executed = entry.end;
    ++channel_.applied;
    return plan_apply();
  }
  if (has(entry.transaction)) {
    channel_.sql = false;
    channel_.sql_errno = kDuplicate;
    channel_.sql_error = "Could not execute Write_rows event: Duplicate entry";
    return;
  }
  ++channel_.applied;
  channel_.executed = entry.end;
  commit(entry.transaction);
  applied_server_ = one.origin;
  applied_number_ = one.number;
  if (settings_.log_updates) {
    const bool waits = semi_sync_waits();
    append(entry.transaction);
    // It waits for its own replicas as a client would.
    if (waits) {
      applier_waits_ = true;
      applier_waits_for_ = binlog_.size() - 1;
      return;
    }
  }
  plan_apply();
}

// --- Sessions.

void Server::end_session(std::uint32_t session) {
  SimSession& one = world_.sessions()[session];
  if (!one.open) return;
  one.open = false;
  std::erase(sessions_, session);
  std::erase_if(locks_, [&](const UserLock& lock) { return lock.session == session; });
  if (global_lock_ == session + 1) {
    global_lock_ = 0;
    settle_waiting();
  }
}

void Server::begin_session(std::uint32_t session) { sessions_.push_back(session); }

const Version& Server::version() const {
  static const Version mysql = parse_version("9.7.0"),
                       mariadb = parse_version("10.11.9-MariaDB-deb12");
  return settings_.mariadb ? mariadb : mysql;
}

}  // namespace ha::sim
