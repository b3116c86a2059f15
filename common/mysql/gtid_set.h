// SPDX-License-Identifier: MIT
// Sets of MySQL's global transaction identifiers, compared as sets, never as text or by size, and
// never by asking a server. Grammar: MySQL manual, "GTID Sets" and (tags, from 8.3) "Tagged GTIDs".

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/result.h"

namespace ha {

// Longer text is refused: a server that is sound stays far below.
inline constexpr std::size_t kMaxGtidText = 16u << 20;

class GtidSet {
 public:
  // The origin that numbers the transactions: a server, and from 8.3 on a tag within it (empty:
  // none).
  struct Source {
    std::string uuid;  // lower case
    std::string tag;   // lower case
    auto operator<=>(const Source&) const = default;
  };
  // Transactions first..last, both within.
  struct Interval {
    std::int64_t first = 0, last = 0;
    bool operator==(const Interval&) const = default;
  };

  // Parses what a server prints; blanks and line ends may stand between the parts. Fails with
  // kBadData and the part that was not understood.
  static Result<GtidSet> parse(std::string_view text);

  // Prints as the server does: "uuid:1-5:7,uuid:1:tag:1-3"; empty for the empty set.
  std::string print() const;

  bool empty() const { return sources_.empty(); }

  // Returns the number of transactions, at most the largest uint64.
  std::uint64_t count() const;

  // Returns the transactions of one server, whatever their tag.
  GtidSet of_server(std::string_view uuid) const;

  // Returns the UUIDs of the servers that it holds transactions of, each once.
  std::vector<std::string> servers() const;

  bool operator==(const GtidSet&) const = default;

  // True when every transaction of `part` is in `whole`.
  friend bool contains(const GtidSet& whole, const GtidSet& part);
  // Returns what is in `a` and not in `b`.
  friend GtidSet subtract(const GtidSet& a, const GtidSet& b);
  // Returns what is in either.
  friend GtidSet unite(const GtidSet& a, const GtidSet& b);

 private:
  // Sorted, disjoint, not adjacent; no source without an interval.
  std::map<Source, std::vector<Interval>> sources_;
};

}  // namespace ha
