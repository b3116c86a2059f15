// SPDX-License-Identifier: MIT
#include "common/mysql/local_stamp.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mysql/session.h"

namespace ha {

namespace {

// A writer's clock may be this far before the server's.
constexpr double kSlack_s = 60;

}  // namespace

std::string local_stamp_columns(const std::string& stamp) {
  // What UNIX_TIMESTAMP takes for one of two readings turns into the same local time when the other
  // is turned back. MySQL compares it with a column of text as text.
  return fmt::format(
      "{0} AS now, CAST({1} AS CHAR) AS stamp, NULLIF(UNIX_TIMESTAMP({1}), 0) AS stamp_s,"
      " CASE CAST({1} AS DATETIME(6)) WHEN FROM_UNIXTIME(UNIX_TIMESTAMP({1}) + 3600) THEN 3600"
      " WHEN FROM_UNIXTIME(UNIX_TIMESTAMP({1}) - 3600) THEN -3600"
      " WHEN FROM_UNIXTIME(UNIX_TIMESTAMP({1}) + 1800) THEN 1800"
      " WHEN FROM_UNIXTIME(UNIX_TIMESTAMP({1}) - 1800) THEN -1800 ELSE 0 END AS twin_s",
      kServerNow, stamp);
}

std::string exact_stamp_columns(const std::string& stamp, const std::string& epoch_s) {
  return fmt::format("{} AS now, CAST({} AS CHAR) AS stamp, NULLIF({}, 0) AS stamp_s, 0 AS twin_s",
                     kServerNow, stamp, epoch_s);
}

LocalStamp read_local_stamp(const Row& row) {
  LocalStamp stamp{row.text("stamp").value_or(""), row.number("now").value_or(0),
                   row.number("stamp_s")};
  const double twin_s = row.number("twin_s").value_or(0);
  if (!stamp.written_s || twin_s == 0) return stamp;
  const double other_s = *stamp.written_s + twin_s;
  stamp.later_s = std::max(*stamp.written_s, other_s);
  stamp.written_s = std::min(*stamp.written_s, other_s);
  return stamp;
}

StampAge age_of(const LocalStamp& stamp, const SeenStamp* before) {
  if (!stamp.written_s) return {};
  const double earlier = stamp.now_s - *stamp.written_s;
  if (!stamp.later_s || *stamp.later_s > stamp.now_s + kMaxFuture_s) return {earlier};
  const double later = stamp.now_s - *stamp.later_s;
  const StampAge either{later, earlier};
  if (before == nullptr) return either;
  if (before->text == stamp.text) {
    if (!before->written_s) return either;
    // Runs an hour apart may meet the same local time twice, unless it was old at the one before.
    const double half = (*stamp.later_s - *stamp.written_s) / 2;
    if (stamp.now_s - before->seen_s >= half && before->seen_s - *before->written_s < half)
      return either;
    return {stamp.now_s - *before->written_s};
  }
  const double not_before = before->written_s.value_or(before->seen_s - kSlack_s);
  return *stamp.written_s < not_before ? StampAge{later} : either;
}

SeenStamp remember(const LocalStamp& stamp, const StampAge& age) {
  SeenStamp seen{stamp.text, {}, stamp.now_s};
  if (age.age_s && !age.other_age_s) seen.written_s = stamp.now_s - *age.age_s;
  return seen;
}

}  // namespace ha
