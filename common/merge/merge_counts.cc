// SPDX-License-Identifier: MIT
#include "common/merge/merge_counts.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

const char* describe_adding(MergeEffect effect) {
  return effect == MergeEffect::kInsert ? "added" : "to be added";
}

}  // namespace

MergeCounts& MergeCounts::operator+=(const MergeCounts& other) {
  rows += other.rows;
  added += other.added;
  orphans += other.orphans;
  conflicts += other.conflicts;
  refused += other.refused;
  return *this;
}

std::string describe_counts(const MergeCounts& counts, MergeEffect effect, const std::string& from,
                            const std::string& to) {
  std::string text = fmt::format(
      "{} rows of {}: {} already on {}, {} {}, {} without a parent, {} whose key is "
      "taken",
      counts.rows, from, counts.present(), to, counts.added, describe_adding(effect),
      counts.orphans, counts.conflicts);
  if (counts.refused > 0) text += fmt::format(", {} refused by {}", counts.refused, to);
  return text;
}

std::string describe_progress(const std::string& table, const MergeCounts& counts,
                              std::uint64_t total, MergeEffect effect, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(counts.rows) / seconds : 0;
  std::string text = fmt::format("{}: {} of about {} rows, {} {}, {:.0f} rows a second", table,
                                 counts.rows, total, counts.added, describe_adding(effect), rate);
  if (rate > 0 && total > counts.rows)
    text += fmt::format(", about {} left",
                        format_duration(static_cast<double>(total - counts.rows) / rate));
  return text;
}

}  // namespace ha
