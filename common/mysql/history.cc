// SPDX-License-Identifier: MIT
#include "common/mysql/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMostText = 200;

GtidSet everything(const MysqlHistory& history) {
  return unite(history.executed, history.retrieved);
}

MariadbGtids everything(const MariadbHistory& history) {
  MariadbGtids all = history.binlog_state;
  for (const MariadbGtids* position : {&history.binlog_position, &history.applied_position,
                                       &history.current_position, &history.received_position})
    all = unite(all, *position);
  return all;
}

Extra extra_of(const MysqlHistory& whose, const MysqlHistory& other) {
  const GtidSet rest = subtract(everything(whose), everything(other));
  return {rest.count(), false, shorten(rest.print(), kMostText)};
}

MariadbGtids applied_by(const MariadbHistory& history) {
  return unite(unite(history.applied_position, history.current_position), history.binlog_state);
}

// True when the domain went on beyond `gtid` in `known`.
bool is_buried(const MariadbGtid& gtid, const MariadbGtids& known) {
  return std::ranges::any_of(known.newest(), [&](const MariadbGtid& newest) {
    return newest.domain == gtid.domain && newest.sequence > gtid.sequence;
  });
}

// True when `known` is as far as `gtid` in its domain, by whatever server.
bool reaches(const MariadbGtids& known, const MariadbGtid& gtid) {
  return std::ranges::any_of(known.newest(), [&](const MariadbGtid& newest) {
    return newest.domain == gtid.domain && newest.sequence >= gtid.sequence;
  });
}

bool has_domain(const MariadbGtids& gtids, std::uint32_t domain) {
  return std::ranges::any_of(gtids.newest(),
                             [&](const MariadbGtid& newest) { return newest.domain == domain; });
}

Extra extra_of(const MariadbHistory& whose, const MariadbHistory& other) {
  const MariadbGtids mine = everything(whose), known = everything(other);
  Extra extra;
  MariadbGtids rest;
  for (const MariadbGtid& gtid : subtract(mine, known).list()) {
    const bool met = known.last(gtid.domain, gtid.server).has_value();
    if (!met && gtid.server != whose.server_id && is_buried(gtid, known)) continue;
    rest.add(gtid);
    extra.at_least = extra.at_least || is_buried(gtid, mine);
    const std::uint64_t more = mine.count_of(gtid, known);
    extra.count += std::min(more, std::numeric_limits<std::uint64_t>::max() - extra.count);
  }
  extra.text = shorten(rest.print(), kMostText);
  return extra;
}

Extra lost_by(const MysqlHistory& whose, std::string_view server_uuid, const MysqlHistory& other) {
  const GtidSet lost = subtract(everything(other).of_server(server_uuid), everything(whose));
  return {lost.count(), false, shorten(lost.print(), kMostText)};
}

Extra lost_by(const MariadbHistory& whose, const MariadbHistory& other) {
  // What bears its own identity it may receive, but skips.
  const MariadbGtids mine = applied_by(whose), theirs = everything(other);
  // A domain that it does not know was deleted, or is that of another cluster where the number of
  // its server is used, too. An empty binlog was reset and knows none.
  const bool reset = whose.binlog_state.empty();
  Extra lost;
  MariadbGtids rest;
  for (const MariadbGtid& gtid : theirs.list()) {
    if (gtid.server != whose.server_id || (!reset && !has_domain(mine, gtid.domain))) continue;
    const auto own = mine.last(gtid.domain, gtid.server);
    // A copy tells only how far it is in the domain.
    if (own ? *own >= gtid.sequence : reaches(mine, gtid)) continue;
    rest.add(gtid);
    lost.count += theirs.count_of(gtid, mine);
    lost.at_least = lost.at_least || is_buried(gtid, theirs);
  }
  lost.text = shorten(rest.print(), kMostText);
  return lost;
}

}  // namespace

Extra lost_own(const History& whose, std::string_view server_uuid, const History& other) {
  if (const auto* a = std::get_if<MysqlHistory>(&whose), *b = std::get_if<MysqlHistory>(&other);
      a && b)
    return lost_by(*a, server_uuid, *b);
  if (const auto* a = std::get_if<MariadbHistory>(&whose), *b = std::get_if<MariadbHistory>(&other);
      a && b)
    return lost_by(*a, *b);
  return {};
}

History written_by(const History& whose, const History& writer, std::string_view server_uuid) {
  const auto *mysql = std::get_if<MysqlHistory>(&whose), *a = std::get_if<MysqlHistory>(&writer);
  if (mysql && a) return MysqlHistory{everything(*mysql).of_server(server_uuid)};
  const auto *mariadb = std::get_if<MariadbHistory>(&whose),
             *b = std::get_if<MariadbHistory>(&writer);
  if (!mariadb || !b) return {};
  MariadbHistory part{b->server_id, {}};
  for (const MariadbGtid& gtid : everything(*mariadb).list())
    if (gtid.server == b->server_id) part.binlog_state.add(gtid);
  return part;
}

std::string in_words(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string in_words(const Extra& extra, std::string_view what) {
  return (extra.at_least ? "at least " : "") + in_words(extra.count, what);
}

std::string describe_lost(std::string_view node, const Extra& lost, std::string_view holders) {
  return fmt::format(
      "lacks {} that it wrote itself and that {} still {}; replication never brings them back: {}; "
      "run: mysql_ha resync {}",
      in_words(lost), holders, holders.find(',') == holders.npos ? "has" : "have", lost.text, node);
}

std::optional<Extra> extra(const History& whose, const History& other) {
  if (const auto* a = std::get_if<MysqlHistory>(&whose), *b = std::get_if<MysqlHistory>(&other);
      a && b)
    return extra_of(*a, *b);
  if (const auto* a = std::get_if<MariadbHistory>(&whose), *b = std::get_if<MariadbHistory>(&other);
      a && b)
    return extra_of(*a, *b);
  return std::nullopt;
}

bool includes(const History& whose, const History& other) {
  if (const auto* a = std::get_if<MysqlHistory>(&whose), *b = std::get_if<MysqlHistory>(&other);
      a && b)
    return contains(everything(*a), everything(*b));
  if (const auto* a = std::get_if<MariadbHistory>(&whose), *b = std::get_if<MariadbHistory>(&other);
      a && b)
    return contains(everything(*a), everything(*b));
  return false;
}

double extent(const History& history) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&history))
    return static_cast<double>(everything(*mysql).count());
  double sum = 0;
  if (const auto* mariadb = std::get_if<MariadbHistory>(&history))
    for (const MariadbGtid& gtid : everything(*mariadb).list())
      sum += static_cast<double>(gtid.sequence);
  return sum;
}

std::optional<std::uint64_t> unapplied(const History& whose) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&whose))
    return subtract(mysql->retrieved, mysql->executed).count();
  const auto* mariadb = std::get_if<MariadbHistory>(&whose);
  if (mariadb == nullptr) return std::nullopt;
  const MariadbGtids applied = applied_by(*mariadb);
  return unite(applied, mariadb->received_position).count_beyond(applied);
}

std::optional<bool> has_applied(const History& whose, const History& wanted) {
  if (const auto* a = std::get_if<MysqlHistory>(&whose), *b = std::get_if<MysqlHistory>(&wanted);
      a && b)
    return contains(a->executed, b->executed);
  if (const auto* a = std::get_if<MariadbHistory>(&whose),
      *b = std::get_if<MariadbHistory>(&wanted);
      a && b)
    return contains(applied_by(*a), b->current_position);
  return std::nullopt;
}

History unite(const History& a, const History& b) {
  if (std::holds_alternative<std::monostate>(a)) return b;
  if (const auto* first = std::get_if<MysqlHistory>(&a)) {
    MysqlHistory all = *first;
    if (const auto* second = std::get_if<MysqlHistory>(&b))
      all.retrieved = unite(all.retrieved, everything(*second));
    return all;
  }
  MariadbHistory all = std::get<MariadbHistory>(a);
  if (const auto* second = std::get_if<MariadbHistory>(&b))
    for (MariadbGtids MariadbHistory::*const part :
         {&MariadbHistory::binlog_state, &MariadbHistory::binlog_position,
          &MariadbHistory::applied_position, &MariadbHistory::current_position,
          &MariadbHistory::received_position})
      all.*part = unite(all.*part, second->*part);
  return all;
}

}  // namespace ha
