// SPDX-License-Identifier: MIT
#include "common/engine/process_id.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <sstream>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kStartTime = 22;  // field of /proc/PID/stat, counted from 1

// Returns when a living process was started, in ticks.
std::optional<std::uint64_t> started_at(std::int64_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid));
  // The second field, a name in parentheses, may hold anything.
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= kStartTime; ++number) {
    if (!(fields >> field)) return std::nullopt;
    if (number == 3 && (field == "Z" || field == "X")) return std::nullopt;
  }
  const auto ticks = parse_integer(field);
  if (!ticks || *ticks < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*ticks);
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
