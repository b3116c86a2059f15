// SPDX-License-Identifier: MIT
// How a simulated server replicates: what it sends as a source, what it receives and applies.
#include <algorithm>
#include <utility>

#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace ha::sim {

namespace {

// ER_SERVER_SOURCE_FATAL_ERROR_READING_BINLOG in the receivers of MySQL 8, and its old number.
constexpr unsigned kFatalMysql = 13114, kFatalMariadb = 1236;
constexpr unsigned kCannotConnect = 2003, kLost = 2013, kDuplicate = 1062;

}  // namespace

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
  release_pending();
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
  if (source.up_) source.release_pending();
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
  source.release_pending();
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
    const Place end = {channel_.read.file, source.size_of(channel_.read.file)};
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
    // A receiver that lost its connection goes on behind what it has, not behind what is applied.
    const auto [server, number] = channel_.io_number > 0
                                      ? std::pair(channel_.io_server, channel_.io_number)
                                      : std::pair(applied_server_, applied_number_);
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
  RelayEntry relay{.transaction = entry.transaction, .end = entry.end, .received = world_.now()};
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

}  // namespace ha::sim
