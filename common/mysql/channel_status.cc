// SPDX-License-Identifier: MIT
#include "common/mysql/channel_status.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

std::string describe_stop(std::string_view name, const ReplicationThread& thread) {
  const char* const state = thread.state == ThreadState::kConnecting ? "connecting" : "stopped";
  if (thread.error_number == 0) return fmt::format("{} thread {}", name, state);
  return fmt::format("{} thread {}, error {}: {}", name, state, thread.error_number,
                     shorten(sanitize(thread.error), 300));
}

}  // namespace ha
