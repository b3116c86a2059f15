// SPDX-License-Identifier: MIT
// The files of a manager's host, as its run sees them.
#include <sstream>
#include <utility>

#include "tests/sim/manager.h"

namespace ha::sim {

FileInfo Manager::info(const std::string& path) {
  const auto found = disk_.files.find(path);
  if (found != disk_.files.end()) return {FileInfo::Kind::kRegular, found->second.size()};
  return {disk_.directories.contains(path) ? FileInfo::Kind::kOther : FileInfo::Kind::kMissing, 0};
}

Result<std::string> Manager::read(const std::string& path, std::size_t most) {
  if (path == kPidFile && keeps_lease()) return std::to_string(world_.server(host()).boots());
  auto found = disk_.files.find(path);
  if (world_.history().broken == Break::kMemory && path.ends_with("/memory.json"))
    if (const auto first = disk_.files.find(path + ".first"); first != disk_.files.end())
      found = first;
  if (found == disk_.files.end())
    return Error{Errc::kMissing, "cannot read " + path + ": No such file or directory"};
  if (found->second.size() > most) return Error{Errc::kUsage, path + " is too large"};
  return found->second;
}

Result<std::unique_ptr<std::istream>> Manager::open(const std::string& path) {
  const auto found = disk_.files.find(path);
  if (found == disk_.files.end()) return Error{Errc::kMissing, "cannot read " + path};
  return std::unique_ptr<std::istream>(std::make_unique<std::istringstream>(found->second));
}

void Disk::will_change(const std::string& path) {
  const auto found = files.find(path);
  unsynced.push_back({path, found == files.end() ? std::nullopt : std::optional(found->second)});
}

void Disk::lose_unsynced(Random& random) {
  const auto kept = random.between(0, std::ssize(unsynced));
  while (std::ssize(unsynced) > kept) {
    const Change& last = unsynced.back();
    if (last.before)
      files[last.path] = *last.before;
    else
      files.erase(last.path);
    unsynced.pop_back();
  }
  unsynced.clear();
  for (const auto& [path, synced] : appending)
    if (const auto file = files.find(path); file != files.end() && file->second.size() > synced)
      file->second.resize(static_cast<std::size_t>(random.between(
          static_cast<std::int64_t>(synced), static_cast<std::int64_t>(file->second.size()))));
  appending.clear();
}

// Waits for the disk.
void Manager::sync() {
  if (const Time time = world_.history().sync_time; time > 0) wait_until(world_.now() + time);
}

Error Manager::no_space(const std::string& path) const {
  return {Errc::kInternal, "cannot write " + path + ": No space left on device"};
}

Result<Done> Manager::write_atomic(const std::string& path, std::string_view content, mode_t) {
  effect();
  if (disk_.full) {
    forgets_ = true;
    return no_space(path);
  }
  sync();
  disk_.will_change(path);
  disk_.files[path] = content;
  sync();
  disk_.unsynced.clear();
  disk_.appending.erase(path);
  if (world_.history().broken == Break::kMemory && path.ends_with("/memory.json"))
    disk_.files.try_emplace(path + ".first", content);
  return Done{};
}

class SimAppendFile : public AppendFile {
 public:
  SimAppendFile(Manager& manager, std::string path) : manager_(manager), path_(std::move(path)) {}

  Result<Done> append(std::string_view content) override {
    if (const auto written = append_passing(content); !written) return written;
    manager_.sync();
    manager_.disk_.appending.erase(path_);
    return Done{};
  }

  // A kill may come in the middle of it.
  Result<Done> append_passing(std::string_view content) override {
    std::string& file = manager_.disk_.files[path_];
    try {
      manager_.effect();
    } catch (const Killed&) {
      if (manager_.effects_ % 2 == 0) file += content.substr(0, content.size() / 2);
      throw;
    }
    if (manager_.disk_.full) return manager_.no_space(path_);
    manager_.disk_.appending.try_emplace(path_, file.size());
    file += content;
    return Done{};
  }

  Result<Done> truncate(std::uint64_t size) override {
    manager_.effect();
    manager_.disk_.files[path_].resize(size);
    return Done{};
  }

 private:
  Manager& manager_;
  const std::string path_;
};

Result<std::unique_ptr<AppendFile>> Manager::open_append(const std::string& path) {
  effect();
  if (disk_.files.contains(path))
    return std::unique_ptr<AppendFile>(std::make_unique<SimAppendFile>(*this, path));
  if (disk_.full) return no_space(path);
  disk_.will_change(path);
  disk_.files.try_emplace(path);
  sync();
  disk_.unsynced.clear();
  return std::unique_ptr<AppendFile>(std::make_unique<SimAppendFile>(*this, path));
}

Result<Done> Manager::rename(const std::string& from, const std::string& to) {
  effect();
  const auto found = disk_.files.find(from);
  if (found == disk_.files.end())
    return Error{Errc::kInternal, "cannot rename " + from + ": No such file or directory"};
  disk_.will_change(to);
  disk_.will_change(from);
  disk_.files[to] = std::move(found->second);
  disk_.files.erase(from);
  return Done{};
}

Result<Done> Manager::remove(const std::string& path) {
  // What is cleaned up while a process is killed stays.
  if (killed_ || !disk_.files.contains(path)) return Done{};
  disk_.will_change(path);
  disk_.files.erase(path);
  return Done{};
}

Result<Done> Manager::remove_all(const std::string& path) {
  if (killed_) return Done{};
  disk_.files.erase(path);
  std::erase_if(disk_.files, [&](const auto& one) { return one.first.starts_with(path + "/"); });
  disk_.directories.erase(path);
  return Done{};
}

Result<Done> Manager::link(const std::string&, const std::string& path) {
  disk_.files.try_emplace(path);
  return Done{};
}

Result<std::vector<std::string>> Manager::list(const std::string& directory) {
  std::vector<std::string> names;
  const std::string prefix = directory + "/";
  for (auto file = disk_.files.lower_bound(prefix);
       file != disk_.files.end() && file->first.starts_with(prefix); ++file)
    if (file->first.find('/', prefix.size()) == std::string::npos)
      names.push_back(file->first.substr(prefix.size()));
  return names;
}

Result<Done> Manager::make_private_directory(const std::string& path) {
  disk_.directories.insert(path);
  return Done{};
}

Result<Done> Manager::check_private_directory(const std::string& path) {
  if (disk_.directories.contains(path)) return Done{};
  return Error{Errc::kMissing, path + " does not exist"};
}

Result<Done> Manager::check_replaceable(const std::string&) { return Done{}; }

class SimFileLock : public FileLock {
 public:
  SimFileLock(Manager& manager, std::string path) : manager_(manager), path_(std::move(path)) {}
  ~SimFileLock() override {
    const auto held = manager_.disk_.locks.find(path_);
    if (held != manager_.disk_.locks.end() && held->second == manager_.id_)
      manager_.disk_.locks.erase(held);
  }

 private:
  Manager& manager_;
  const std::string path_;
};

Result<std::unique_ptr<FileLock>> Manager::lock(const std::string& path) {
  effect();
  const auto [held, ours] = disk_.locks.try_emplace(path, id_);
  if (!ours && world_.history().broken != Break::kLock)
    return Error{Errc::kRefused, "process " + std::to_string(held->second) + " of this host"};
  return std::unique_ptr<FileLock>(std::make_unique<SimFileLock>(*this, path));
}

std::string Manager::lock_holder(const std::string& path) {
  const auto held = disk_.locks.find(path);
  if (held == disk_.locks.end()) return "";
  return "process " + std::to_string(held->second) + " of this host";
}

}  // namespace ha::sim
