// SPDX-License-Identifier: MIT
// A time that was stored without its zone, as the server's session reads it. The hour that the end
// of summer time repeats (on Lord Howe Island half an hour) has two readings, and only what was
// seen before can tell which is right.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ha {

class Row;

// A clock this far before the writer's is still believed.
inline constexpr double kMaxFuture_s = 2;

// The server's time as SQL, in seconds since the epoch with fractions. Unlike NOW() it does not
// depend on the session's zone.
inline constexpr std::string_view kServerNow =
    "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000)";

// Times are seconds since the epoch.
struct LocalStamp {
  std::string text = {};                 // as it is stored; empty: NULL
  double now_s = 0;                      // by the server's clock, when it was read
  std::optional<double> written_s = {};  // unset: NULL, the zero date, no time
  // The stamp's later reading, where there are two; written_s is the earlier one then.
  std::optional<double> later_s = {};
};

// Returns the select expressions from which read_local_stamp() reads a DATETIME in the session's
// time zone; `stamp` is an SQL expression.
std::string local_stamp_columns(const std::string& stamp);

// Likewise for a stamp that has one reading, which `epoch_s`, an SQL expression, tells.
std::string exact_stamp_columns(const std::string& stamp, const std::string& epoch_s);

LocalStamp read_local_stamp(const Row& row);

// What a run remembers of a stamp with two readings.
struct SeenStamp {
  std::string text;
  std::optional<double> written_s = {};  // unset: it could not tell
  double seen_s = 0;                     // by the server's clock

  bool operator==(const SeenStamp&) const = default;
};

struct StampAge {
  std::optional<double> age_s = {};        // negative: in the future; unset: there is no stamp
  std::optional<double> other_age_s = {};  // of the earlier reading, when both are possible
};

// Returns the age of a stamp that its writer replaces by newer ones. Of two readings the later is
// not in the future; a stamp that has not changed is as old as it was, one that has changed was
// written after the one before. `before` may be null.
StampAge age_of(const LocalStamp& stamp, const SeenStamp* before);

// Returns what the next run is to know.
SeenStamp remember(const LocalStamp& stamp, const StampAge& age);

}  // namespace ha
