// SPDX-License-Identifier: MIT
#include "common/merge/merge_time.h"

#include <fmt/format.h>

#include <optional>

#include "common/text.h"

namespace ha {

namespace {

// Reads the text from its front on.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  bool take(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  // Takes exactly so many digits; nullopt: there are fewer, or it is above `most`.
  std::optional<int> number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= text_.size() || text_[i] < '0' || text_[i] > '9') return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    if (value < least || value > most) return std::nullopt;
    return value;
  }

  // Takes one to six digits as a fraction, in millionths.
  std::optional<int> fraction() {
    int value = 0, digits = 0;
    while (digits < 6 && !text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
      ++digits;
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 6; ++digits) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
};

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_of(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[month - 1];
}

// Days from 1970-01-01 to a day of a year that is not before it.
long long days_since_epoch(int year, int month, int day) {
  long long days = day - 1;
  for (int y = 1970; y < year; ++y) days += is_leap(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) days += days_of(year, m);
  return days;
}

// Reads the seconds and what may follow them.
bool read_seconds(Reader& reader, MergeTime& time) {
  if (reader.take(':')) {
    const auto second = reader.number(2, 0, 59);
    if (!second) return false;
    time.seconds += *second;
    if (reader.take('.')) {
      const auto micros = reader.fraction();
      if (!micros) return false;
      time.micros = *micros;
    }
  }
  return true;
}

bool read_zone(Reader& reader, MergeTime& time) {
  if (reader.take('Z')) return true;
  const bool east = reader.take('+');
  if (!east && !reader.take('-')) return false;
  const auto hours = reader.number(2, 0, 14);
  if (!hours || !reader.take(':')) return false;
  const auto minutes = reader.number(2, 0, 59);
  if (!minutes) return false;
  const long long offset = *hours * 3600LL + *minutes * 60LL;
  time.seconds += east ? -offset : offset;
  return true;
}

std::optional<MergeTime> read_calendar(std::string_view text) {
  Reader reader(text);
  const auto year = reader.number(4, 1970, 9999);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.number(2, 1, 12);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.number(2, 1, days_of(*year, *month));
  if (!day || !reader.take('T')) return std::nullopt;
  const auto hour = reader.number(2, 0, 23);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.number(2, 0, 59);
  if (!minute) return std::nullopt;
  MergeTime time{days_since_epoch(*year, *month, *day) * 86400 + *hour * 3600LL + *minute * 60LL};
  if (!read_seconds(reader, time) || !read_zone(reader, time) || !reader.at_end())
    return std::nullopt;
  return time;
}

std::optional<MergeTime> read_epoch(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto seconds = parse_integer(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  MergeTime time{*seconds};
  if (dot == text.npos) return time;
  Reader reader(text.substr(dot + 1));
  const auto micros = reader.fraction();
  if (!micros || !reader.at_end()) return std::nullopt;
  time.micros = *micros;
  return time;
}

}  // namespace

Result<MergeTime> parse_merge_time(std::string_view text) {
  const auto time = text.starts_with('@') ? read_epoch(text.substr(1)) : read_calendar(text);
  constexpr long long kLast = 253402300799;  // the year 9999
  if (!time || time->seconds < 0 || time->seconds > kLast)
    return Error{Errc::kUsage,
                 fmt::format("'{}' is neither @SECONDS since the epoch nor a time with its zone, "
                             "such as 2026-11-30T16:00:00+01:00 or 2026-11-30T15:00:00Z",
                             sanitize(text))};
  return *time;
}

std::string epoch_literal(const MergeTime& time) {
  return time.micros == 0 ? fmt::format("{}", time.seconds)
                          : fmt::format("{}.{:06}", time.seconds, time.micros);
}

}  // namespace ha
