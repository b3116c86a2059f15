// SPDX-License-Identifier: MIT
#include "common/mysql/mariadb_gtid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "common/mysql/gtid_set.h"
#include "common/text.h"

namespace ha {

namespace {

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end;
}

std::optional<MariadbGtid> parse_gtid(std::string_view text) {
  const std::size_t first = text.find('-');
  const std::size_t second = text.find('-', first + 1);
  if (first == text.npos || second == text.npos) return std::nullopt;
  MariadbGtid gtid;
  if (!parse_whole(text.substr(0, first), gtid.domain) ||
      !parse_whole(text.substr(first + 1, second - first - 1), gtid.server) ||
      !parse_whole(text.substr(second + 1), gtid.sequence))
    return std::nullopt;
  return gtid;
}

}  // namespace

std::string print(const MariadbGtid& gtid) {
  return fmt::format("{}-{}-{}", gtid.domain, gtid.server, gtid.sequence);
}

Result<MariadbGtids> MariadbGtids::parse(std::string_view text) {
  if (text.size() > kMaxGtidText)
    return Error{Errc::kBadData, fmt::format("GTID position of {} bytes refused", text.size())};
  MariadbGtids gtids;
  if (trim(text).empty()) return gtids;
  for (const std::string& part : split(text, ',')) {
    const auto gtid = parse_gtid(trim(part));
    if (!gtid || gtids.last(gtid->domain, gtid->server))
      return Error{Errc::kBadData,
                   fmt::format("not a GTID position: '{}'", shorten(sanitize(part), 60))};
    gtids.add(*gtid);
  }
  return gtids;
}

std::string MariadbGtids::print() const {
  std::vector<std::string> parts;
  for (const MariadbGtid& gtid : list()) parts.push_back(ha::print(gtid));
  return join(parts, ",");
}

std::vector<MariadbGtid> MariadbGtids::list() const {
  std::vector<MariadbGtid> gtids;
  for (const auto& [key, sequence] : last_) gtids.push_back({key.first, key.second, sequence});
  return gtids;
}

std::optional<std::uint64_t> MariadbGtids::last(std::uint32_t domain, std::uint32_t server) const {
  const auto found = last_.find({domain, server});
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<MariadbGtid> MariadbGtids::newest() const {
  std::vector<MariadbGtid> newest;
  for (const MariadbGtid& gtid : list()) {
    if (newest.empty() || newest.back().domain != gtid.domain)
      newest.push_back(gtid);
    else if (gtid.sequence > newest.back().sequence)
      newest.back() = gtid;
  }
  return newest;
}

void MariadbGtids::add(const MariadbGtid& gtid) {
  std::uint64_t& last = last_[{gtid.domain, gtid.server}];
  last = std::max(last, gtid.sequence);
}

std::uint64_t MariadbGtids::count_of(const MariadbGtid& gtid, const MariadbGtids& known) const {
  std::uint64_t below = known.last(gtid.domain, gtid.server).value_or(0);
  for (const MariadbGtid& other : list()) {
    if (other.domain != gtid.domain || other.server == gtid.server) continue;
    if (other.sequence >= gtid.sequence) return 1;
    below = std::max(below, other.sequence);
  }
  return gtid.sequence > below ? gtid.sequence - below : 1;
}

std::uint64_t MariadbGtids::count_beyond(const MariadbGtids& known) const {
  std::uint64_t sum = 0;
  for (const MariadbGtid& gtid : subtract(*this, known).list())
    sum += std::min(count_of(gtid, known), std::numeric_limits<std::uint64_t>::max() - sum);
  return sum;
}

bool contains(const MariadbGtids& whole, const MariadbGtids& part) {
  return subtract(part, whole).empty();
}

MariadbGtids subtract(const MariadbGtids& a, const MariadbGtids& b) {
  MariadbGtids rest;
  for (const MariadbGtid& gtid : a.list()) {
    const auto known = b.last(gtid.domain, gtid.server);
    if (!known || *known < gtid.sequence) rest.add(gtid);
  }
  return rest;
}

MariadbGtids unite(const MariadbGtids& a, const MariadbGtids& b) {
  MariadbGtids all = a;
  for (const MariadbGtid& gtid : b.list()) all.add(gtid);
  return all;
}

}  // namespace ha
