// SPDX-License-Identifier: MIT
#include "common/execute/majority_record.h"

namespace ha {

std::optional<LastMajority> MajorityRecord::recall(const Moment& now) {
  auto last = files_.read_majority();
  if (!last || last->node != node_) return std::nullopt;
  const auto majority_s = recall_majority(*last, now, lease_s_);
  if (!majority_s) return std::nullopt;
  kept_ = last;
  last->at.uptime_s = *majority_s;
  return last;
}

Result<Done> MajorityRecord::keep(const State& state, const Moment& now) {
  std::optional<LastMajority> wanted = kept_;
  if (state.closed && wanted)
    wanted->closed = true;
  else if (state.majority_s && !now.boot.empty())
    wanted = {node_, {now.now_s, *state.majority_s, now.boot}, lease_s_, false, state.server};
  if (kept_ && wanted->at.uptime_s == kept_->at.uptime_s) wanted->at.now_s = kept_->at.now_s;
  if (wanted == kept_) return Done{};
  const auto written = files_.write_majority(*wanted);
  if (written) kept_ = std::move(wanted);
  return written;
}

}  // namespace ha
