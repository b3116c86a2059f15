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
#include <set>
#include <thread>
#include <utility>

#include "common/files.h"
#include "common/machine.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr int kLockTries = 10;
// How long a run that could not be taken back is tried again before new ones are made.
constexpr double kPatience_s = 600;

// Returns the number that an id carries; 0: none.
std::int64_t number_of(const std::string& id) {
  const std::size_t dash = id.rfind('-');
  return dash == id.npos ? 0 : parse_integer(id.substr(dash + 1)).value_or(0);
}

bool is_given_up(const Run& run, const Moment& now) {
  return run.end == RunEnd::kFailed &&
         age_of(run.failed.value_or(run.last), now).value_or(kPatience_s) >= kPatience_s;
}

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
    return Error{Errc::kInternal, fmt::format("cannot read {}: {}{}", path_, error.message(),
                                              is_own_want(error.value()) ? kOwnWant : "")};
  std::ranges::sort(ids, {}, [](const std::string& id) { return std::pair(number_of(id), id); });
  return ids;
}

Result<Run> RunStore::read(const std::string& id) const {
  const std::string path = path_of(id);
  if (!is_file_name(id) || access(path.c_str(), F_OK) != 0)
    return Error{Errc::kMissing, fmt::format("there is no run '{}'", sanitize(id))};
  const auto records = Journal::read(path);
  auto run = records ? read_run(id, *records) : Result<Run>(records.error());
  if (run || run.error().code != Errc::kBadData) return run;
  return Error{Errc::kBadData, fmt::format("{}; to do without it, run: mysql_ha journal ack {}",
                                           ha::shorten(run.error().text, 300), id)};
}

Result<std::optional<Run>> RunStore::unfinished(const Moment& now) const {
  const auto all = ids();
  if (!all) return all.error();
  for (auto id = all->rbegin(); id != all->rend(); ++id) {
    auto run = read(*id);
    if (!run) return run.error();
    if (run->open() && !is_given_up(*run, now)) return std::optional<Run>(std::move(*run));
    // By their time alone, nobody knows which of two came later.
    if (run->opened() && number_of(*id) > 0) break;
  }
  return std::optional<Run>();
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

Result<RoleHistory> RunStore::roles() const {
  const auto all = ids();
  if (!all) return all.error();
  RoleHistory roles;
  for (auto id = all->rbegin(); id != all->rend(); ++id) {
    const auto run = read(*id);
    if (!run) return run.error();
    if (!run->plan.changes_primary() || !run->opened()) continue;
    if (roles.primary.empty()) {
      roles.primary = run->plan.candidate;
      roles.run = run->id;
      roles.since_s = run->begun.now_s;
    }
    // Whatever came after an older change made another node the primary.
    for (const std::string& node : {run->plan.primary, run->plan.candidate})
      if (node != roles.primary) roles.replaced.insert(node);
  }
  return roles;
}

Result<std::string> RunStore::new_id(double now_s) const {
  const auto all = ids();
  if (!all) return all.error();
  const std::int64_t number = all->empty() ? 1 : number_of(all->back()) + 1;
  const std::time_t seconds = static_cast<std::time_t>(now_s);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &utc);
  const int milliseconds = static_cast<int>(std::floor((now_s - std::floor(now_s)) * 1000));
  return fmt::format("{}.{:03}-{}", text, milliseconds, number);
}

Result<Journal> RunStore::journal(const std::string& id) const {
  return Journal::open(path_of(id));
}

Result<Done> RunStore::shorten(const std::string& id) const {
  auto opened = journal(id);
  if (!opened) return opened.error();
  auto records = condense(opened->records());
  if (records.size() == opened->records().size()) return Done{};
  return opened->rewrite(std::move(records));
}

Result<std::string> RunStore::set_aside(const std::string& id) const {
  const std::string path = path_ + "/" + id + ".damaged";
  if (rename(path_of(id).c_str(), path.c_str()) != 0)
    return Error{Errc::kInternal, fmt::format("cannot rename {} to {}: {}", path_of(id), path,
                                              std::strerror(errno))};
  return path;
}

Result<Done> RunStore::prune(std::size_t most, const Moment& now) const {
  const auto all = ids();
  if (!all) return all.error();
  if (all->size() <= most) return Done{};
  std::set<std::string> told;  // what newer runs tell
  for (std::size_t i = all->size(); i-- > 0;) {
    const auto run = read((*all)[i]);
    if (!run) continue;
    bool needed = run->open() && !is_given_up(*run, now);
    // The last failover, the last change, and who was replaced in it or copied over.
    if (run->opened())
      for (const std::string& what : {run->plan.command, "from " + run->plan.primary})
        needed |= told.insert(what).second;
    if (run->copied_over) needed |= told.insert("copy " + run->plan.candidate).second;
    const bool old = all->size() - i > most;
    if (!old || needed || has_saved_files(run->id)) continue;
    if (unlink(path_of(run->id).c_str()) != 0)
      return Error{Errc::kInternal,
                   fmt::format("cannot remove {}: {}", path_of(run->id), std::strerror(errno))};
  }
  return Done{};
}

bool RunStore::has_saved_files(const std::string& id) const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(id + ".") && name != id + std::string(kSuffix)) return true;
  }
  return static_cast<bool>(error);  // who cannot tell removes nothing
}

std::string RunStore::path_of(const std::string& id) const {
  return path_ + "/" + id + std::string(kSuffix);
}

}  // namespace ha
