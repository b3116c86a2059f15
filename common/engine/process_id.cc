// SPDX-License-Identifier: MIT
#include "common/engine/process_id.h"

#include <unistd.h>

#include <ctime>

#include "common/files.h"
#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

std::optional<std::uint64_t> started_at(std::int64_t pid) {
  return ha::started_at(std::to_string(pid));
}

std::string this_boot() {
  const auto id = read_file("/proc/sys/kernel/random/boot_id");
  return id ? std::string(trim(*id)) : "";
}

}  // namespace

std::uint64_t ticks_now() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(now.tv_sec) * per_second +
         static_cast<std::uint64_t>(now.tv_nsec) * per_second / 1'000'000'000;
}

ProcessId this_process() {
  const std::int64_t pid = getpid();
  const auto ticks = started_at(pid);
  return {this_boot(), ticks ? *ticks : ticks_now(), pid};
}

bool is_running(const ProcessId& process) {
  return may_be_of_one_boot(process, {this_boot()}) && started_at(process.pid) == process.ticks;
}

}  // namespace ha
