// SPDX-License-Identifier: MIT
#include "common/execute/closing_record.h"

#include <utility>

namespace ha {

namespace {

// A connection that was ended may have temporary tables, whose end goes to the binlog.
constexpr double kSettle_s = 1;

}  // namespace

ClosingRecord::ClosingRecord(GuardFiles files, const std::string& node, double now_s)
    : files_(std::move(files)) {
  const auto earlier = files_.read_closing();
  if (earlier && earlier->node == node) closed_since_ = written_ = now_s;
}

void ClosingRecord::begin(double now_s) {
  const std::lock_guard guard(mutex_);
  closed_since_ = now_s;
}

void ClosingRecord::note_writable(double asked_s) {
  const std::lock_guard guard(mutex_);
  if (closed_since_ && asked_s > *closed_since_) closed_since_.reset();
}

void ClosingRecord::end() {
  const std::lock_guard guard(mutex_);
  closed_since_.reset();
}

std::optional<double> ClosingRecord::closed_since() const {
  const std::lock_guard guard(mutex_);
  return closed_since_;
}

Result<Done> ClosingRecord::keep(const OwnServer& own, double now_s) {
  const auto wanted = closed_since();
  if (!wanted) {
    if (removed_) return Done{};
    if (const auto removed = files_.forget_closing(); !removed) return removed;
    written_.reset();
    removed_ = true;
    return Done{};
  }
  if (written_ == wanted || now_s - *wanted < kSettle_s) return Done{};
  const auto closing = own.read_closing();
  if (!closing) return closing.error();
  if (closed_since() != wanted) return Done{};
  removed_ = false;
  if (const auto written = files_.write_closing(*closing); !written) return written;
  written_ = wanted;
  return Done{};
}

}  // namespace ha
