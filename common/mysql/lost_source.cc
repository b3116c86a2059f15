// SPDX-License-Identifier: MIT
#include "common/mysql/lost_source.h"

#include <algorithm>
#include <string_view>

#include "common/mysql/mariadb_gtid.h"
#include "common/text.h"

namespace ha {

namespace {

// ER_MASTER_FATAL_ERROR_READING_BINLOG, and its number in the receivers of MySQL 8.0 and later.
constexpr unsigned kFatalError = 1236, kFatalErrorNew = 13114;

// The source is asked for what lies behind its end. It is not so for a replica with transactions of
// its own: these bear its own identity, or stand in no binlog of the source.
constexpr std::string_view kBehindTheEnd[] = {"more gtids than the source has",
                                              "more gtids than the master has"};
// Or the replica was given the position of another server.
constexpr std::string_view kUnreadable[] = {"position > file size", "impossible position",
                                            "i/o error reading log event",
                                            "bogus data in log event"};
constexpr std::string_view kNotThere = "could not find first log file name";
constexpr std::string_view kLacksGtid = "requested to start from gtid ";

template <class Phrases>
bool says_any(const std::string& text, const Phrases& phrases) {
  return std::ranges::any_of(phrases,
                             [&](std::string_view one) { return text.find(one) != text.npos; });
}

// MariaDB: "... requested to start from GTID 0-1-10, which is not in the master's binlog".
std::optional<MariadbGtid> missing_gtid(const std::string& text) {
  const std::size_t begin = text.find(kLacksGtid);
  if (begin == text.npos || text.find("not in the master's binlog") == text.npos)
    return std::nullopt;
  const std::size_t from = begin + kLacksGtid.size();
  const auto gtid =
      MariadbGtids::parse(text.substr(from, text.find_first_not_of("0123456789-", from) - from));
  if (!gtid || gtid->empty()) return std::nullopt;
  return gtid->list()[0];
}

}  // namespace

SourceLoss judge_source_loss(const ChannelStatus& channel, std::uint32_t source_id,
                             const std::optional<BinlogPosition>& source_end) {
  const unsigned number = channel.io.error_number;
  if (channel.io.running() || (number != kFatalError && number != kFatalErrorNew))
    return SourceLoss::kNone;
  const std::string text = to_lower(channel.io.error);
  if (says_any(text, kBehindTheEnd)) return SourceLoss::kProven;
  if (const auto gtid = missing_gtid(text))
    return source_id != 0 && gtid->server == source_id ? SourceLoss::kProven : SourceLoss::kNone;
  // A file that was purged comes before those that are there, one that was reset away after them.
  if (text.find(kNotThere) != text.npos)
    return source_end && binlog_order({channel.read.file, 0}) > binlog_order({source_end->file, 0})
               ? SourceLoss::kPossible
               : SourceLoss::kNone;
  return says_any(text, kUnreadable) ? SourceLoss::kPossible : SourceLoss::kNone;
}

std::string source_words(const ReplicationThread& io) {
  constexpr std::size_t kMostText = 160;
  std::string text = io.error;
  if (const std::size_t begin = text.find(": '"); begin != text.npos) text.erase(0, begin + 3);
  text = text.substr(0, text.find(". This may indicate"));
  if (text.ends_with('\'')) text.pop_back();
  if (text.starts_with("Error: ")) text.erase(0, 7);
  return shorten(sanitize(text), kMostText);
}

}  // namespace ha
