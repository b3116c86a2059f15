// SPDX-License-Identifier: MIT
#include "common/server_process.h"

#include <dirent.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "common/clock.h"
#include "common/files.h"
#include "common/open_file.h"
#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

// True for the programs of the packages, also for a debug one and for one that was renamed to make
// room for a wrapper: "mysqld-debug", "mysqld.real".
bool is_server_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view known : {"mysqld", "mariadbd"})
    if (name == known ||
        (name.starts_with(known) && (name[known.size()] == '-' || name[known.size()] == '.')))
      return true;
  return false;
}

// Returns which file the process executes; empty when that may not be seen.
std::string executed_file(const std::string& id) {
  char target[4096];
  const ssize_t size =
      readlink(("/proc/" + id + "/exe").c_str(), static_cast<char*>(target), sizeof target);
  std::string path(static_cast<const char*>(target), size > 0 ? static_cast<std::size_t>(size) : 0);
  // Of a program that was replaced by an update while it runs.
  constexpr std::string_view kReplaced = " (deleted)";
  if (path.ends_with(kReplaced)) path.resize(path.size() - kReplaced.size());
  return path;
}

// Wrappers change what a process calls itself, a loader is what the system sees to be executed.
bool is_server(const std::string& id) {
  if (is_server_name(trim(process_file(id, "comm")))) return true;
  const std::string path = executed_file(id);
  return is_server_name(path) ||
         (is_loader(path) && is_server_name(find_loaded(process_file(id, "cmdline"))));
}

// Returns the inodes of the sockets that listen on the port where the process is, which may be in a
// network of its own.
std::set<std::string> find_listeners_around(const std::string& id, unsigned port) {
  constexpr std::size_t kMostOfTable = 64 << 20;
  std::set<std::string> inodes;
  for (const char* const table : {"tcp", "tcp6"})
    if (const auto content = read_file("/proc/" + id + "/net/" + table, kMostOfTable))
      inodes.merge(find_listeners(*content, port));
  return inodes;
}

// True when the process has one of the sockets open; fails with kRefused when that cannot be seen.
Result<bool> has_socket(const std::string& id, const std::set<std::string>& inodes) {
  const std::string directory = "/proc/" + id + "/fd";
  DIR* const entries = opendir(directory.c_str());
  if (entries == nullptr)
    return Error{Errc::kRefused,
                 fmt::format("cannot read {}: {}", directory, std::strerror(errno))};
  bool found = false;
  while (const dirent* const entry = readdir(entries)) {
    char target[64];
    const ssize_t size =
        readlinkat(dirfd(entries), entry->d_name, static_cast<char*>(target), sizeof target);
    constexpr std::string_view kSocket = "socket:[";
    const std::string_view name(target, size > 0 ? static_cast<std::size_t>(size) : 0);
    if (name.starts_with(kSocket) && name.ends_with(']') &&
        inodes.contains(std::string(name.substr(kSocket.size(), name.size() - kSocket.size() - 1))))
      found = true;
  }
  closedir(entries);
  return found;
}

// Returns what the system knows a process by; -1: there is no such process, or nothing of the kind.
int open_handle(int id) { return static_cast<int>(syscall(SYS_pidfd_open, id, 0)); }

}  // namespace

bool is_loader(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return (name.starts_with("ld-") || name.starts_with("ld.") || name.starts_with("ld64.")) &&
         name.find(".so") != name.npos;
}

std::string find_loaded(std::string_view command_line) {
  const std::vector<std::string> words = split(command_line, '\0');
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) return words[i];
    if (words[i] != "--inhibit-cache") ++i;  // the others have a value
  }
  return "";
}

std::set<std::string> find_listeners(std::string_view table, unsigned port) {
  // "  sl  local_address rem_address   st ..."; 0A: it listens. Addresses end with a port.
  constexpr std::size_t kLocal = 1, kState = 3, kInode = 9;
  const std::string end = fmt::format(":{:04X}", port);
  std::set<std::string> inodes;
  for (const std::string& line : split(table, '\n')) {
    std::vector<std::string> fields = split(line, ' ');
    std::erase(fields, "");
    if (fields.size() > kInode && fields[kState] == "0A" && fields[kLocal].ends_with(end))
      inodes.insert(fields[kInode]);
  }
  return inodes;
}

Result<ServerProcess> find_server_process(int id, unsigned port) {
  const std::string name = std::to_string(id);
  const auto started = started_at(name);
  if (id <= 0 || !started) return Error{Errc::kMissing, fmt::format("there is no process {}", id)};
  if (!is_server(name))
    return Error{Errc::kRefused, fmt::format("process {} is no mysqld or mariadbd", id)};
  const auto listens = has_socket(name, find_listeners_around(name, port));
  if (!listens) return listens.error();
  if (!*listens)
    return Error{Errc::kRefused, fmt::format("process {} does not listen on port {}", id, port)};
  const double ticks_per_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  return ServerProcess{id, *started,
                       system_moment().uptime_s - static_cast<double>(*started) / ticks_per_s};
}

bool ProcessWatch::is_running(const ServerProcess& process) {
  const std::lock_guard guard(mutex_);
  if (handle_.get() < 0 || process_ != process) {
    // First the handle: what is read then is of its process, or of one that came after it.
    handle_ = Descriptor(open_handle(process.id));
    process_ = process;
    if (started_at(std::to_string(process.id)) != process.started) {
      handle_ = Descriptor();
      return false;
    }
    if (handle_.get() < 0) return true;
  }
  // It can be read once the process has ended.
  pollfd polled = {handle_.get(), POLLIN, 0};
  return poll(&polled, 1, 0) <= 0;
}

Result<Done> kill_process(const ServerProcess& process) {
  // What the descriptor is for does not change, so the process that is looked at is the one killed.
  const Descriptor descriptor(open_handle(process.id));
  if (descriptor.get() < 0 && errno == ESRCH) return Done{};
  if (started_at(std::to_string(process.id)) != process.started) return Done{};
  if (descriptor.get() >= 0 &&
      syscall(SYS_pidfd_send_signal, descriptor.get(), SIGKILL, nullptr, 0) == 0)
    return Done{};
  if (errno == ESRCH) return Done{};
  return Error{Errc::kRefused,
               fmt::format("cannot kill process {}: {}", process.id, std::strerror(errno))};
}

}  // namespace ha
