// SPDX-License-Identifier: MIT
#include "common/resync/dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <optional>

#include "common/execute/binlog_text.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kGtids = "GLOBAL.GTID_PURGED=";
constexpr std::string_view kSource = "CHANGE ";  // MASTER TO, REPLICATION SOURCE TO
constexpr std::string_view kGlobal = "SET GLOBAL ";

// Each server has its own.
constexpr const char* kOwnTables[] = {"gtid_executed", "gtid_slave_pos", "slave_master_info",
                                      "slave_relay_log_info", "slave_worker_info"};

// Returns what follows `name` and '=' in a statement, up to the next comma, without quotes.
std::string value_of(std::string_view statement, std::string_view name) {
  const std::size_t found = statement.find(name);
  if (found == statement.npos) return "";
  std::string_view value = statement.substr(found + name.size());
  value = trim(value.substr(0, value.find(',')));
  if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
    value = value.substr(1, value.size() - 2);
  return std::string(value);
}

}  // namespace

std::vector<std::string> dump_arguments(const Node& node, DumpLock lock) {
  const Version& version = node.facts->version;
  const bool mysql = version.flavour == Flavour::kMysql;
  std::vector<std::string> words = {
      "--host=" + node.host,
      fmt::format("--port={}", node.port),
      "--all-databases",
      lock == DumpLock::kAllTables ? "--lock-all-tables" : "--single-transaction",
      "--routines",
      "--events",
      "--triggers",
      "--hex-blob",
      "--comments",  // its last line is one
      "--default-character-set=utf8mb4",
      "--max-allowed-packet=1G",
      mysql && version.at_least(8, 0, 26) ? "--source-data=1" : "--master-data=1"};
  if (mysql) {
    words.emplace_back("--no-tablespaces");
    words.push_back(std::holds_alternative<MysqlHistory>(node.facts->history)
                        ? "--set-gtid-purged=ON"
                        : "--set-gtid-purged=OFF");
  }
  for (const char* const table : kOwnTables)
    words.push_back(fmt::format("--ignore-table=mysql.{}", table));
  return words;
}

Result<CopyMoment> read_dump_moment(std::istream& dump) {
  CopyMoment moment;
  bool known = false;
  // Both stand before the first database.
  const Error end{Errc::kBadData, "the dump does not show the binlog position"};
  const auto read = for_each_statement(dump, [&](const std::string& sql) -> Result<Done> {
    const std::string_view words = trim(sql);
    if (words.starts_with("CREATE DATABASE") || words.starts_with("USE ")) return end;
    if (const std::size_t found = words.find(kGtids); found != words.npos) {
      const std::size_t last = words.rfind('\'');
      const std::size_t first = last == words.npos ? last : words.rfind('\'', last - 1);
      if (first == words.npos || first < found) return end;
      moment.gtids = words.substr(first + 1, last - first - 1);
      std::erase(moment.gtids, '\n');
    }
    if (words.starts_with(kSource)) {
      moment.position.file = value_of(words, "_LOG_FILE=");
      const auto offset = parse_integer(value_of(words, "_LOG_POS="));
      known = offset && !moment.position.file.empty();
      moment.position.offset = static_cast<std::uint64_t>(offset.value_or(0));
    }
    return Done{};
  });
  if (!known) return read ? end : read.error();
  return moment;
}

Result<Done> check_dump_end(std::istream& dump) {
  constexpr std::string_view kLastLine = "\n-- Dump completed";
  constexpr std::streamoff kTail = 1024;
  dump.clear();
  dump.seekg(0, std::ios::end);
  dump.seekg(std::max<std::streamoff>(0, std::streamoff(dump.tellg()) - kTail));
  const std::string tail{std::istreambuf_iterator<char>(dump), {}};
  const std::size_t last = tail.rfind(kLastLine);
  if (last == tail.npos || trim(tail.substr(last)).find('\n') != std::string::npos)
    return Error{Errc::kBadData,
                 "the dump is not complete: it does not end with '-- Dump completed'"};
  return Done{};
}

std::string binlog_state_of_copy(const MariadbGtids& before, const MariadbGtids& after,
                                 const MariadbGtids& moment) {
  MariadbGtids state = before;
  for (const MariadbGtid& gtid : after.list())
    for (const MariadbGtid& newest : moment.list())
      if (gtid.domain == newest.domain && gtid.sequence <= newest.sequence) state.add(gtid);
  // A domain's newest stands last, wherever the server sorts it.
  std::vector<std::string> words;
  for (const MariadbGtid& gtid : state.list())
    if (!moment.last(gtid.domain, gtid.server)) words.push_back(print(gtid));
  for (const MariadbGtid& gtid : moment.list()) words.push_back(print(gtid));
  return join(words, ",");
}

Result<CopyMoment> parse_moment(std::string_view text) {
  const std::vector<std::string> lines = split(trim(text), '\n');
  const std::vector<std::string> words = split_words(lines.back());
  const auto offset = words.size() < 2 ? std::nullopt : parse_integer(words[1]);
  if (!offset || *offset <= 0 || words.size() > 3)
    return Error{Errc::kBadData, "the command does not print FILE POSITION [GTIDS] but: " +
                                     shorten(sanitize(lines.back()), 100)};
  return CopyMoment{{words[0], static_cast<std::uint64_t>(*offset)},
                    words.size() > 2 ? words[2] : ""};
}

bool is_about_server(std::string_view statement) {
  // In front of the first text, and in a conditional comment at most.
  const std::string_view words = trim(statement).substr(0, 64);
  constexpr std::size_t kComment = 10;
  return words.starts_with(kSource) || words.find(kGlobal) < kComment ||
         words.find(kGtids) < words.find('\'');
}

}  // namespace ha
