// SPDX-License-Identifier: MIT
#include "common/mysql/gtid_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "common/text.h"

namespace ha {

namespace {

using Interval = GtidSet::Interval;
using Intervals = std::vector<Interval>;

// GNO_END - 1, the last number that a server hands out.
constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int64_t>::max() - 1;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_tag(std::string_view text) {
  constexpr std::size_t kMaxTag = 32;
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz_";
  return !text.empty() && text.size() <= kMaxTag && kFirst.find(text[0]) != kFirst.npos &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == text.npos;
}

std::optional<std::int64_t> parse_gtid_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  const auto number = parse_integer(text);
  return number && *number <= kMaxNumber ? number : std::nullopt;
}

std::optional<Interval> parse_interval(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_gtid_number(trim(text.substr(0, dash)));
  const auto last = dash == text.npos ? first : parse_gtid_number(trim(text.substr(dash + 1)));
  if (!first || !last || *first < 1) return std::nullopt;
  return Interval{*first, *last};
}

// Sorts, drops the empty ones (a server reads 5-3 and 2-0 as nothing) and joins what touches.
Intervals normalize(Intervals intervals) {
  std::erase_if(intervals, [](const Interval& i) { return i.last < i.first; });
  std::ranges::sort(intervals, {}, &Interval::first);
  Intervals joined;
  for (const Interval& interval : intervals) {
    if (!joined.empty() && interval.first <= joined.back().last + 1)
      joined.back().last = std::max(joined.back().last, interval.last);
    else
      joined.push_back(interval);
  }
  return joined;
}

// Precondition of both: normalized.
Intervals subtract_intervals(const Intervals& a, const Intervals& b) {
  Intervals rest;
  auto hole = b.begin();
  for (Interval piece : a) {
    while (hole != b.end() && hole->last < piece.first) ++hole;
    for (auto cut = hole; cut != b.end() && cut->first <= piece.last; ++cut) {
      if (piece.first < cut->first) rest.push_back({piece.first, cut->first - 1});
      piece.first = cut->last + 1;
    }
    if (piece.first <= piece.last) rest.push_back(piece);
  }
  return rest;
}

bool contains_intervals(const Intervals& whole, const Intervals& part) {
  auto around = whole.begin();
  for (const Interval& piece : part) {
    while (around != whole.end() && around->last < piece.first) ++around;
    if (around == whole.end() || piece.first < around->first || piece.last > around->last)
      return false;
  }
  return true;
}

}  // namespace

Result<GtidSet> GtidSet::parse(std::string_view text) {
  const auto bad = [](std::string_view part) {
    return Error{Errc::kBadData, fmt::format("not a GTID set: '{}'", shorten(sanitize(part), 60))};
  };
  if (text.size() > kMaxGtidText)
    return Error{Errc::kBadData, fmt::format("GTID set of {} bytes refused", text.size())};
  GtidSet set;
  for (const std::string& raw : split(text, ',')) {
    const std::string part = to_lower(trim(raw));
    if (part.empty()) continue;
    const std::vector<std::string> words = split(part, ':');
    Source source{std::string(trim(words[0])), ""};
    if (!is_uuid(source.uuid) || words.size() < 2) return bad(part);
    bool complete = false;  // a uuid or tag asks for an interval after it
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::string_view word = trim(words[i]);
      if (is_tag(word)) {
        if (i > 1 && !complete) return bad(part);
        source.tag = word;
        complete = false;
        continue;
      }
      const auto interval = parse_interval(word);
      if (!interval) return bad(part);
      set.sources_[source].push_back(*interval);
      complete = true;
    }
    if (!complete) return bad(part);
  }
  for (auto& [source, intervals] : set.sources_) intervals = normalize(std::move(intervals));
  std::erase_if(set.sources_, [](const auto& entry) { return entry.second.empty(); });
  return set;
}

std::string GtidSet::print() const {
  std::string text, uuid;
  for (const auto& [source, intervals] : sources_) {
    if (source.uuid != uuid) text += (text.empty() ? "" : ",") + source.uuid;
    uuid = source.uuid;
    if (!source.tag.empty()) text += ":" + source.tag;
    for (const Interval& i : intervals)
      text +=
          i.first == i.last ? fmt::format(":{}", i.first) : fmt::format(":{}-{}", i.first, i.last);
  }
  return text;
}

std::uint64_t GtidSet::count() const {
  std::uint64_t sum = 0;
  for (const auto& [source, intervals] : sources_)
    for (const Interval& i : intervals) {
      const auto more = static_cast<std::uint64_t>(i.last - i.first) + 1;
      if (sum > std::numeric_limits<std::uint64_t>::max() - more)
        return std::numeric_limits<std::uint64_t>::max();
      sum += more;
    }
  return sum;
}

GtidSet GtidSet::of_server(std::string_view uuid) const {
  GtidSet part;
  for (const auto& [source, intervals] : sources_)
    if (source.uuid == uuid) part.sources_[source] = intervals;
  return part;
}

std::vector<std::string> GtidSet::servers() const {
  std::vector<std::string> uuids;
  for (const auto& [source, intervals] : sources_)
    if (uuids.empty() || uuids.back() != source.uuid) uuids.push_back(source.uuid);
  return uuids;
}

bool contains(const GtidSet& whole, const GtidSet& part) {
  return std::ranges::all_of(part.sources_, [&](const auto& entry) {
    const auto found = whole.sources_.find(entry.first);
    return found != whole.sources_.end() && contains_intervals(found->second, entry.second);
  });
}

GtidSet subtract(const GtidSet& a, const GtidSet& b) {
  GtidSet rest;
  for (const auto& [source, intervals] : a.sources_) {
    const auto found = b.sources_.find(source);
    Intervals left =
        found == b.sources_.end() ? intervals : subtract_intervals(intervals, found->second);
    if (!left.empty()) rest.sources_[source] = std::move(left);
  }
  return rest;
}

GtidSet unite(const GtidSet& a, const GtidSet& b) {
  GtidSet all = a;
  for (const auto& [source, intervals] : b.sources_) {
    Intervals& mine = all.sources_[source];
    mine.insert(mine.end(), intervals.begin(), intervals.end());
    mine = normalize(std::move(mine));
  }
  return all;
}

}  // namespace ha
