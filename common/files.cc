// SPDX-License-Identifier: MIT
#include "common/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "common/commands.h"
#include "common/machine.h"
#include "common/missing_directory.h"
#include "common/open_file.h"

namespace ha {

namespace {

Error system_error(Errc code, std::string_view what, const std::string& path) {
  const bool ours = is_own_want(errno);
  return {ours ? Errc::kInternal : code, fmt::format("cannot {} {}: {}{}", what, path,
                                                     std::strerror(errno), ours ? kOwnWant : "")};
}

// Root leaves a directory to whose it is; what root has made by mistake is given away.
std::string describe_owner(const std::string& path, uid_t owner) {
  const std::string theirs = user_name(owner), ours = user_name(geteuid());
  const std::string whose =
      fmt::format("{} belongs to user {}, and this runs as {}", path, theirs, ours);
  if (geteuid() == 0)
    return fmt::format("{}; run: runuser -u {} -- {}", whose, theirs, kThisCommand);
  if (owner == 0) return fmt::format("{}; run as root: chown -R {} {}", whose, ours, path);
  return fmt::format("{}; run as root: runuser -u {} -- {}", whose, theirs, kThisCommand);
}

// A user who may rename a directory's parents can put another in its place while we are at work in
// it. The groups of a distribution's directories are trusted. Empty: nobody else may.
std::string find_exchanger(const std::string& path, int directory) {
  Descriptor at(openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat below = {}, info = {};
  if (at.get() < 0 || fstat(directory, &below) != 0) return "";
  while (fstat(at.get(), &info) == 0) {
    if (info.st_ino == below.st_ino && info.st_dev == below.st_dev) return "";
    const bool anyone = (info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0;
    const bool other = info.st_uid != 0 && info.st_uid != geteuid();
    if (anyone || other)
      return fmt::format(
          "{} lies in a directory {}, so it could be exchanged; choose one whose parents "
          "belong to root{}",
          path, anyone ? "of all users" : "of user " + user_name(info.st_uid),
          geteuid() == 0 ? "" : " or to user " + user_name(geteuid()));
    below = info;
    at = Descriptor(openat(at.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  return "";
}

// Names what failed, and on which path.
Error explain(const Error& error, Errc code, std::string_view what, const std::string& path) {
  return {code, fmt::format("cannot {} {}: {}", what, path, error.text)};
}

// Opens a file of its own in the place, and says how it is called.
Result<Descriptor> create_temporary(const Place& place, std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    unsigned char random[6] = {};
    if (getrandom(random, sizeof random, 0) != sizeof random) break;
    name = place.name + ".";
    for (const unsigned char byte : random) name += kLetters[byte % kLetters.size()];
    Descriptor file(openat(place.directory.get(), name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.get() >= 0) return file;
    if (errno != EEXIST) break;
  }
  return Error{Errc::kInternal, std::strerror(errno)};
}

}  // namespace

namespace {

// A name is on disk only when its directory is.
Result<Done> sync_directory(int directory, const std::string& path) {
  const Descriptor readable(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (readable.get() >= 0 && fsync(readable.get()) == 0) return Done{};
  return system_error(Errc::kInternal, "write", path.substr(0, path.rfind('/') + 1));
}

}  // namespace

Result<Done> sync_name(const std::string& path) {
  const auto place = open_place(path);
  if (!place) return explain(place.error(), Errc::kInternal, "write", path);
  return sync_directory(place->directory.get(), path);
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto file =
      path == "-" ? Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : open_file(path, O_RDONLY);
  if (!file) return explain(file.error(), file.error().code, "read", path);
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(file->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(Errc::kUsage, "read", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<std::size_t>(got));
    if (content.size() > most)
      return Error{Errc::kUsage, fmt::format("{} is larger than {} bytes", path, most)};
  }
}

std::string user_name(unsigned uid) {
  const passwd* const user = getpwuid(uid);
  return user == nullptr ? std::to_string(uid) : user->pw_name;
}

Result<Done> make_private_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    // Before the user is looked up, which sets errno, too.
    const std::string reason = std::strerror(errno);
    return missing_directory(path, reason, user_name(geteuid()));
  }
  return check_private_directory(path);
}

Result<Done> check_private_directory(const std::string& path) {
  const auto directory = open_file(path, O_PATH | O_NOFOLLOW);
  if (!directory) {
    const bool missing = directory.error().code == Errc::kMissing;
    return explain(directory.error(), missing ? Errc::kMissing : Errc::kInternal, "read", path);
  }
  struct stat info = {};
  if (fstat(directory->get(), &info) != 0) return system_error(Errc::kInternal, "read", path);
  if (!S_ISDIR(info.st_mode)) return Error{Errc::kUsage, path + " is not a directory"};
  if (info.st_uid != geteuid()) return Error{Errc::kUsage, describe_owner(path, info.st_uid)};
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return Error{Errc::kUsage,
                 fmt::format("other users may write to {0}; run: chmod go-w {0}", path)};
  if (std::string trouble = find_exchanger(path, directory->get()); !trouble.empty())
    return Error{Errc::kUsage, std::move(trouble)};
  return Done{};
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

namespace {

enum class Until { kReplaced, kOnDisk };

Result<Done> replace_file(const std::string& path, std::string_view content, mode_t mode,
                          Until until) {
  const auto place = open_place(path);
  if (!place) return explain(place.error(), Errc::kInternal, "write", path);
  const int directory = place->directory.get();
  std::string temporary;
  const auto file = create_temporary(*place, temporary);
  if (!file) return explain(file.error(), Errc::kInternal, "write", path);
  if (!write_all(file->get(), content) || fchmod(file->get(), mode) != 0 ||
      (until == Until::kOnDisk && fsync(file->get()) != 0) ||
      renameat(directory, temporary.c_str(), directory, place->name.c_str()) != 0) {
    const Error error = system_error(Errc::kInternal, "write", path);
    unlinkat(directory, temporary.c_str(), 0);
    return error;
  }
  return until == Until::kOnDisk ? sync_directory(directory, path) : Result<Done>(Done{});
}

}  // namespace

Result<Done> write_file_atomic(const std::string& path, std::string_view content, mode_t mode) {
  return replace_file(path, content, mode, Until::kOnDisk);
}

Result<Done> write_passing_file(const std::string& path, std::string_view content) {
  return replace_file(path, content, 0600, Until::kReplaced);
}

}  // namespace ha
