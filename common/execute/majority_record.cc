// SPDX-License-Identifier: MIT
#include "common/execute/majority_record.h"

namespace ha {

std::optional<double> MajorityRecord::recall(const Moment& now) const {
  const auto last = files_.read_majority();
  if (!last || last->node != node_) return std::nullopt;
  return recall_majority(*last, now, lease_s_);
}

Result<Done> MajorityRecord::keep(std::optional<double> majority_s, const Moment& now) {
  if (!majority_s || majority_s == kept_s_ || now.boot.empty()) return Done{};
  const auto written = files_.write_majority({node_, {now.now_s, *majority_s, now.boot}, lease_s_});
  if (written) kept_s_ = majority_s;
  return written;
}

}  // namespace ha
