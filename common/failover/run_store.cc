// SPDX-License-Identifier: MIT
#include "common/failover/run_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr int kLockTries = 10;

std::string name_holder(const std::string& path) {
  const auto holder = read_file(path);
  return fmt::format("process {} of this host", holder ? sanitize(trim(*holder)) : "?");
}

}  // namespace

Result<RunStore> RunStore::open(const std::string& directory, const std::string& cluster) {
  for (const std::string& path : {directory, directory + "/" + cluster})
    if (const auto made = make_private_directory(path); !made) return made.error();
  return RunStore(directory + "/" + cluster);
}

RunStore::RunStore(RunStore&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RunStore::~RunStore() {
  if (lock_ >= 0) close(lock_);
}

Result<Done> RunStore::lock() {
  const std::string path = path_ + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return Error{Errc::kInternal, fmt::format("cannot open {}: {}", path, std::strerror(errno))};
  // Who looks whether it is free has it for a moment.
  for (int tries = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (tries < kLockTries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    close(fd);
    return Error{Errc::kRefused, name_holder(path)};
  }
  lock_ = fd;
  const std::string pid = std::to_string(getpid()) + "\n";
  // Only a courtesy to the next one.
  if (ftruncate(fd, 0) == 0) write_all(fd, pid);
  return Done{};
}

std::string RunStore::lock_holder() const {
  const std::string path = path_ + "/lock";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return "";
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return held ? name_holder(path) : "";
}

Result<std::vector<std::string>> RunStore::ids() const {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(kSuffix)) ids.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  if (error)
    return Error{Errc::kInternal, fmt::format("cannot read {}: {}", path_, error.message())};
  std::ranges::sort(ids);
  return ids;
}

Result<Run> RunStore::read(const std::string& id) const {
  const std::string path = path_ + "/" + id + std::string(kSuffix);
  if (!is_file_name(id) || access(path.c_str(), F_OK) != 0)
    return Error{Errc::kMissing, fmt::format("there is no run '{}'", sanitize(id))};
  const auto records = Journal::read(path);
  if (!records) return records.error();
  return read_run(id, *records);
}

Result<std::optional<Run>> RunStore::unfinished() const {
  const auto all = ids();
  if (!all) return all.error();
  if (all->empty()) return std::optional<Run>();
  // One run at a time, so only the newest can be.
  auto run = read(all->back());
  if (!run) return run.error();
  const bool open = run->end == RunEnd::kUnfinished || run->end == RunEnd::kFailed;
  if (!open || run->acknowledged) return std::optional<Run>();
  return std::optional<Run>(std::move(*run));
}

Result<std::optional<Run>> RunStore::last_opened(const std::vector<std::string>& commands) const {
  const auto all = ids();
  if (!all) return all.error();
  for (auto id = all->rbegin(); id != all->rend(); ++id) {
    auto run = read(*id);
    if (!run) return run.error();
    if (std::ranges::find(commands, run->plan.command) == commands.end() || !run->opened())
      continue;
    if (run->acknowledged) return std::optional<Run>();
    return std::optional<Run>(std::move(*run));
  }
  return std::optional<Run>();
}

Result<std::optional<Run>> RunStore::last_failover() const { return last_opened({"failover"}); }

Result<std::optional<Run>> RunStore::last_change() const {
  return last_opened({"failover", "switchover"});
}

std::string RunStore::new_id(double now_s) const {
  const std::time_t seconds = static_cast<std::time_t>(now_s);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &utc);
  const int milliseconds = static_cast<int>(std::floor((now_s - std::floor(now_s)) * 1000));
  return fmt::format("{}.{:03}", text, milliseconds);
}

Result<Journal> RunStore::journal(const std::string& id) const {
  return Journal::open(path_ + "/" + id + std::string(kSuffix));
}

}  // namespace ha
