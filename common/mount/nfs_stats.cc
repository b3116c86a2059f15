// SPDX-License-Identifier: MIT
#include "common/mount/nfs_stats.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mount/mountinfo.h"
#include "common/text.h"

namespace ha {

namespace {

// The kernel's counters are never negative. Their sums wrap, as the counters themselves do.
std::uint64_t number_at(const std::vector<std::string>& words, std::size_t place) {
  const long long number = place < words.size() ? parse_integer(words[place]).value_or(0) : 0;
  return number > 0 ? static_cast<std::uint64_t>(number) : 0;
}

std::uint64_t excess(std::uint64_t number, std::uint64_t over) {
  return number > over ? number - over : 0;
}

// "xprt: tcp PORT BINDS CONNECTS CONNECT_TIME IDLE_TIME SENT RECEIVED ..."; UDP has no connections.
void add_transport(const std::vector<std::string>& words, NfsStats& stats) {
  const std::size_t sent = words.size() > 1 && words[1] == "udp" ? 4 : 7;
  stats.unanswered += excess(number_at(words, sent), number_at(words, sent + 1));
}

// "READ: OPERATIONS TRANSMISSIONS TIMEOUTS BYTES_SENT BYTES_RECEIVED QUEUE_MS RTT_MS EXECUTE_MS"
void add_operation(const std::vector<std::string>& words, NfsStats& stats) {
  const std::uint64_t operations = number_at(words, 1);
  stats.operations += operations;
  stats.retransmissions += excess(number_at(words, 2), operations);
  stats.timeouts += number_at(words, 3);
  stats.round_trip_ms += number_at(words, 7);
}

}  // namespace

std::vector<NfsStats> parse_mountstats(std::string_view text) {
  std::vector<NfsStats> all;
  bool nfs = false, operations = false;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> words = split_words(line);
    if (words.empty()) continue;
    // "device SOURCE mounted on POINT with fstype TYPE [statvers=1.1]"
    if (words[0] == "device") {
      nfs = words.size() > 7 && mount_kind(words[7]) == "nfs";
      operations = false;
      if (nfs) all.push_back({unescape_octal(words[4])});
    } else if (!nfs) {
      continue;
    } else if (words[0] == "age:") {
      all.back().age_s = number_at(words, 1);
    } else if (words[0] == "xprt:") {
      add_transport(words, all.back());
    } else if (words[0] == "per-op") {
      operations = true;
    } else if (operations) {
      add_operation(words, all.back());
    }
  }
  return all;
}

std::string describe(const NfsStats& stats) {
  const double each_ms = static_cast<double>(stats.round_trip_ms) /
                         static_cast<double>(std::max<std::uint64_t>(1, stats.operations));
  return fmt::format(
      "{}: NFS in {}: {} operations of {:.1f}ms each, {} sent again, {} timed out, {} requests "
      "without an answer",
      stats.point, format_duration(static_cast<double>(stats.age_s)), stats.operations, each_ms,
      stats.retransmissions, stats.timeouts, stats.unanswered);
}

}  // namespace ha
