// SPDX-License-Identifier: MIT
#include "common/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "common/commands.h"

namespace ha {

namespace {

Error system_error(Errc code, std::string_view what, const std::string& path) {
  return {code, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
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

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const Descriptor file(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    return system_error(errno == ENOENT ? Errc::kMissing : Errc::kUsage, "read", path);
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
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

Error missing_directory(const std::string& path, int system_errno) {
  return {
      Errc::kInternal,
      fmt::format("{0} does not exist and cannot be created: {1}; run as root: install -d -o {2} "
                  "-m 700 {0}",
                  path, std::strerror(system_errno), user_name(geteuid()))};
}

Result<Done> make_private_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return missing_directory(path, errno);
  return check_private_directory(path);
}

Result<Done> check_private_directory(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0)
    return system_error(errno == ENOENT ? Errc::kMissing : Errc::kInternal, "read", path);
  if (!S_ISDIR(info.st_mode)) return Error{Errc::kUsage, path + " is not a directory"};
  if (info.st_uid != geteuid()) return Error{Errc::kUsage, describe_owner(path, info.st_uid)};
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return Error{Errc::kUsage,
                 fmt::format("other users may write to {0}; run: chmod go-w {0}", path)};
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

Result<Done> write_file_atomic(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));  // creates with mode 0600
  if (file.get() < 0) return system_error(Errc::kInternal, "write", path);
  if (!write_all(file.get(), content) || fsync(file.get()) != 0 ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = system_error(Errc::kInternal, "write", path);
    unlink(temporary.c_str());
    return error;
  }
  // The new name is on disk only when the directory is.
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  const Descriptor parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || fsync(parent.get()) != 0)
    return system_error(Errc::kInternal, "write", directory);
  return Done{};
}

}  // namespace ha
