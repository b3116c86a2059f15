// SPDX-License-Identifier: MIT
#include "common/context/run_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <set>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr int kLockTries = 10;
constexpr double kLockPause_s = 0.01;
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

}  // namespace

Result<RunStore> RunStore::open(Files& files, const std::string& directory,
                                const std::string& cluster) {
  for (const std::string& path : {directory, directory + "/" + cluster})
    if (const auto made = files.make_private_directory(path); !made) return made.error();
  return RunStore(files, directory + "/" + cluster);
}

Result<Done> RunStore::lock(Clock& clock) {
  for (int tries = 1;; ++tries) {
    auto lock = files_.lock(path_ + "/lock");
    if (lock) {
      lock_ = std::move(*lock);
      return Done{};
    }
    if (lock.error().code != Errc::kRefused || tries >= kLockTries) return lock.error();
    // One that looks whether it is free has it for a moment.
    clock.pause(kLockPause_s);
  }
}

std::string RunStore::lock_holder() const { return files_.lock_holder(path_ + "/lock"); }

Result<std::vector<std::string>> RunStore::ids() const {
  const auto names = files_.list(path_);
  if (!names) return names.error();
  std::vector<std::string> ids;
  for (const std::string& name : *names)
    if (name.ends_with(kSuffix)) ids.push_back(name.substr(0, name.size() - kSuffix.size()));
  std::ranges::sort(ids, {}, [](const std::string& id) { return std::pair(number_of(id), id); });
  return ids;
}

Result<Run> RunStore::read(const std::string& id) const {
  const std::string path = path_of(id);
  if (!is_file_name(id) || files_.info(path).kind == FileInfo::Kind::kMissing)
    return Error{Errc::kMissing, fmt::format("there is no run '{}'", sanitize(id))};
  auto content = files_.read(path, std::numeric_limits<std::size_t>::max());
  if (!content) return content.error();
  if (const auto known = known_.find(id);
      known != known_.end() && known->second.content == *content)
    return known->second.run;
  const auto records = Journal::parse(path, *content);
  auto run = records ? read_run(id, *records) : Result<Run>(records.error());
  if (run) known_[id] = {std::move(*content), *run};
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

Result<std::optional<Run>> RunStore::last_opened(const std::vector<PlanCommand>& commands) const {
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

Result<std::optional<Run>> RunStore::last_failover() const {
  return last_opened({PlanCommand::kFailover});
}

Result<std::optional<Run>> RunStore::last_change() const {
  return last_opened({PlanCommand::kFailover, PlanCommand::kSwitchover});
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
  return Journal::open(files_, path_of(id));
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
  if (const auto renamed = files_.rename(path_of(id), path); !renamed) return renamed.error();
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
      for (const std::string& what :
           {std::string(command_name(run->plan.command)), "from " + run->plan.primary})
        needed |= told.insert(what).second;
    if (run->copied_over) needed |= told.insert("copy " + run->plan.candidate).second;
    const bool old = all->size() - i > most;
    if (!old || needed || has_saved_files(run->id)) continue;
    if (const auto removed = files_.remove(path_of(run->id)); !removed) return removed;
  }
  return Done{};
}

bool RunStore::has_saved_files(const std::string& id) const {
  const auto names = files_.list(path_);
  // Without the names nothing may be removed.
  return !names || std::ranges::any_of(*names, [&](const std::string& name) {
    return name.starts_with(id + ".") && name != id + std::string(kSuffix);
  });
}

std::string RunStore::path_of(const std::string& id) const {
  return path_ + "/" + id + std::string(kSuffix);
}

}  // namespace ha
