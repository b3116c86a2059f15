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
      known_.clear();
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
  std::ranges::sort(ids, {},
                    [](const std::string& id) { return std::pair(number_of_run(id), id); });
  return ids;
}

Result<Run> RunStore::read(const std::string& id) const {
  const std::string path = path_of(id);
  const FileInfo info = is_file_name(id) ? files_.info(path) : FileInfo();
  if (info.kind == FileInfo::Kind::kMissing)
    return Error{Errc::kMissing, fmt::format("there is no run '{}'", sanitize(id))};
  const auto known = known_.find(id);
  // Once the lock is ours nobody else writes, and what we write makes it longer.
  if (lock_ != nullptr && known != known_.end() && known->second.content.size() == info.size)
    return known->second.run;
  auto content = files_.read(path, std::numeric_limits<std::size_t>::max());
  if (!content) return content.error();
  if (known != known_.end() && known->second.content == *content) return known->second.run;
  const auto records = Journal::parse(path, *content);
  auto run = records ? read_run(id, *records) : Result<Run>(records.error());
  if (run) known_[id] = {std::move(*content), *run};
  if (run || run.error().code != Errc::kBadData) return run;
  return Error{Errc::kBadData,
               fmt::format("{}; to set this journal aside, run: mysql_ha journal ack {}",
                           ha::shorten(run.error().text, 300), id)};
}

Result<Runs> RunStore::runs() const {
  const auto all = ids();
  if (!all) return all.error();
  Runs runs;
  for (const std::string& id : *all) runs.push_back(read(id));
  return runs;
}

Result<Runs> RunStore::recent_runs(const std::vector<NodeAddress>& nodes) const {
  auto all = ids();
  if (!all) return all.error();
  std::set<std::string> names;
  for (const NodeAddress& node : nodes) names.insert(node.name);
  HistoryReach reach(names);
  Runs runs;
  for (auto id = all->rbegin(); id != all->rend(); ++id) {
    runs.push_back(read(*id));
    // Nothing is told beyond one that cannot be read.
    if (!runs.back() || reach.add(*runs.back())) break;
  }
  std::ranges::reverse(runs);
  return runs;
}

Result<std::string> RunStore::new_id(double now_s) const {
  const auto all = ids();
  if (!all) return all.error();
  const std::int64_t number = all->empty() ? 1 : number_of_run(all->back()) + 1;
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
  known_.erase(id);
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
    // The last failover, the last change, and the nodes that were replaced in it or copied over.
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
