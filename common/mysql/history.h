// SPDX-License-Identifier: MIT
// Which transactions a server has, applied or still in its relay logs, and what one server has
// beyond another. Pure: compares what was read.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/mysql/gtid_set.h"
#include "common/mysql/mariadb_gtid.h"

namespace ha {

struct MysqlHistory {
  GtidSet executed;
  GtidSet purged = {};     // part of executed that is in no binlog any more
  GtidSet retrieved = {};  // received by any channel, applied or not

  bool operator==(const MysqlHistory&) const = default;
};

struct MariadbHistory {
  std::uint32_t server_id = 0;
  MariadbGtids binlog_state;           // alone shows what others' transactions buried
  MariadbGtids binlog_position = {};   // last written to the own binlog
  MariadbGtids applied_position = {};  // last replicated (gtid_slave_pos)
  MariadbGtids current_position = {};
  MariadbGtids received_position = {};  // last received by any connection that uses GTIDs

  bool operator==(const MariadbHistory&) const = default;
};

// monostate: the server numbers no transactions (MySQL without gtid_mode=ON).
using History = std::variant<std::monostate, MysqlHistory, MariadbHistory>;

// What one server has and another lacks.
struct Extra {
  std::uint64_t count = 0;
  bool at_least = false;  // there may be more than can be told
  std::string text = {};  // the GTIDs, shortened for people

  bool any() const { return count > 0; }
};

// Says for people how many there are: "1 transaction", "at least 12 errant transactions".
std::string in_words(std::uint64_t count, std::string_view what = "transaction");
std::string in_words(const Extra& extra, std::string_view what = "transaction");

// Returns what `whose` has, applied or received, beyond `other`; nullopt when the two cannot be
// compared. A MariaDB server that never met an old server of its domain (it was set up from a copy)
// is not said to lack that one's transactions, unless `whose` wrote them itself.
std::optional<Extra> extra(const History& whose, const History& other);

// Returns what `other` has of the transactions that `whose` wrote itself, under its server_uuid
// (MySQL) or the server_id of its history (MariaDB), and `whose` has no longer: it was set back, by
// a power cut or a restored snapshot. Replication never brings them, for a replica skips what bears
// its own identity; only a copy helps. Nothing when the two cannot be compared, nothing of a
// MariaDB server that was set up from a copy which was further, and nothing in a domain that a
// MariaDB server with transactions of its own does not know.
Extra lost_own(const History& whose, std::string_view server_uuid, const History& other);

// Says so of `node` for people, and what to do: "lacks 5 transactions that it wrote itself ...".
std::string describe_lost(std::string_view node, const Extra& lost, std::string_view holders);

// True when `whose` has all that `other` has, applied or received; unlike extra() it makes no
// allowance for copies, so it is transitive. False when the two cannot be compared.
bool includes(const History& whose, const History& other);

// Returns a measure of a history that is never greater than that of one which includes it.
double extent(const History& history);

// Returns how many transactions `whose` has received but not applied; nullopt when it does not
// number them.
std::optional<std::uint64_t> unapplied(const History& whose);

// True when `whose` has applied all that `wanted` has applied; nullopt when the two cannot be
// compared.
std::optional<bool> has_applied(const History& whose, const History& wanted);

// Returns of what `whose` has, applied or received, the transactions that the server of `writer`
// wrote, under its server_uuid (MySQL) or the server_id of its history (MariaDB). Nothing when the
// two cannot be compared.
History written_by(const History& whose, const History& writer, std::string_view server_uuid);

// Returns everything that either has, what it only received apart. Precondition: both of one
// flavour, or one numbers nothing.
History unite(const History& a, const History& b);

}  // namespace ha
