// SPDX-License-Identifier: MIT
// MariaDB's GTIDs, domain-server-sequence. A position names the last transaction of each domain, a
// binlog state the last of each server in each domain; a server that has one has, by its own
// account, everything before it. Sequence numbers grow within a domain, so those of one server have
// gaps where another wrote. Grammar: MariaDB Knowledge Base, "Global Transaction ID".

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace ha {

struct MariadbGtid {
  std::uint32_t domain = 0, server = 0;
  std::uint64_t sequence = 0;

  auto operator<=>(const MariadbGtid&) const = default;
};

std::string print(const MariadbGtid& gtid);

// Holds for each domain and server the last sequence number: a binlog state, or a position.
class MariadbGtids {
 public:
  // Parses "0-1-100,0-2-95"; blanks may stand around the commas. Fails with kBadData and the part
  // that was not understood, or a server that appears twice in a domain.
  static Result<MariadbGtids> parse(std::string_view text);

  // Prints by domain and server; empty for none.
  std::string print() const;

  bool empty() const { return last_.empty(); }
  std::vector<MariadbGtid> list() const;

  // Returns the last sequence number of a server in a domain, nullopt when it wrote nothing there.
  std::optional<std::uint64_t> last(std::uint32_t domain, std::uint32_t server) const;

  // Returns the GTID with the highest sequence number of each domain.
  std::vector<MariadbGtid> newest() const;

  // Remembers a GTID if it is later than what is known of its server.
  void add(const MariadbGtid& gtid);

  // Returns how many transactions one of these entries stands for at least, beyond what is known
  // of its server and on top of the other servers here: exact for the newest of the domain, 1 for
  // one that later transactions buried.
  std::uint64_t count_of(const MariadbGtid& gtid, const MariadbGtids& known) const;

  // Returns the sum of count_of() over the entries that go beyond `known`, at most the largest
  // uint64.
  std::uint64_t count_beyond(const MariadbGtids& known) const;

  bool operator==(const MariadbGtids&) const = default;

  // True when every server of `part` is in `whole`, as far or further.
  friend bool contains(const MariadbGtids& whole, const MariadbGtids& part);
  // Returns the entries of `a` that go beyond `b`.
  friend MariadbGtids subtract(const MariadbGtids& a, const MariadbGtids& b);
  // Returns the later of each.
  friend MariadbGtids unite(const MariadbGtids& a, const MariadbGtids& b);

 private:
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> last_;
};

}  // namespace ha
