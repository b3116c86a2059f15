// SPDX-License-Identifier: MIT
#include "common/open_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <vector>

#include "common/files.h"
#include "common/machine.h"

namespace ha {

namespace {

Error system_error(int error) {
  if (is_own_want(error)) return {Errc::kInternal, std::string(std::strerror(error)) + kOwnWant};
  return {error == ENOENT ? Errc::kMissing : Errc::kUsage, std::strerror(error)};
}

// What is left of a path, and the links that were followed so far.
class Walk {
 public:
  explicit Walk(std::string path) : rest_(std::move(path)) { at_ = Descriptor(open_start(rest_)); }

  // Goes to the directory of the last component. Returns an error number, 0 for success.
  int go() {
    for (;;) {
      if (at_.get() < 0) return errno;
      rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size()));
      const std::size_t end = rest_.find('/');
      if (rest_.find_first_not_of('/', end) == rest_.npos) {
        last_ = rest_.substr(0, end);
        return 0;
      }
      const std::string name = rest_.substr(0, end);
      rest_.erase(0, end);
      if (const int error = enter(name); error != 0) return error;
    }
  }

  // Follows the last component, a link; then go() is to be called again.
  int follow_last() {
    rest_.clear();
    return enter(last_);
  }

  int directory() const { return at_.get(); }
  Descriptor take_directory() { return std::move(at_); }
  const std::string& last() const { return last_; }
  // The kernel's own link, such as /proc/self/fd/3: only the kernel knows where it leads.
  bool magic() const { return magic_; }

  // Returns why what was reached, and `owner` has, is not to be touched.
  std::optional<Error> judge(uid_t owner) const {
    for (const Link& link : links_)
      if (link.owner != 0 && link.owner != geteuid() && link.owner != owner)
        return Error{Errc::kUsage,
                     fmt::format("{0} is a link of user {1} to what belongs to user {2}; name the "
                                 "target itself, or run as root: chown -h root {0}",
                                 link.path, user_name(link.owner), user_name(owner))};
    return std::nullopt;
  }

 private:
  struct Link {
    std::string path;
    uid_t owner;
  };

  static int open_start(const std::string& path) {
    return open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  }

  int enter(const std::string& name) {
    constexpr int kLook = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    // O_DIRECTORY lets autofs mount what belongs here.
    Descriptor next(openat(at_.get(), name.c_str(), kLook | O_DIRECTORY));
    if (next.get() < 0 && errno == ENOTDIR)
      next = Descriptor(openat(at_.get(), name.c_str(), kLook));
    struct stat info = {};
    if (next.get() < 0 || fstat(next.get(), &info) != 0) return errno;
    if (S_ISLNK(info.st_mode)) return follow(name, next.get(), info.st_uid);
    seen_ += name + '/';
    at_ = std::move(next);
    return 0;
  }

  int follow(const std::string& name, int link, uid_t owner) {
    constexpr std::size_t kMostLinks = 40;
    if (links_.size() >= kMostLinks) return ELOOP;
    links_.push_back({seen_ + name, owner});
    struct statfs system = {};
    if (fstatfs(link, &system) == 0 && system.f_type == PROC_SUPER_MAGIC) {
      magic_ = rest_.find_first_not_of('/') == rest_.npos;
      if (magic_) return 0;
      at_ = Descriptor(openat(at_.get(), name.c_str(), O_PATH | O_CLOEXEC));
      return at_.get() < 0 ? errno : 0;
    }
    char target[PATH_MAX];
    const ssize_t length = readlinkat(link, "", target, sizeof target);
    if (length < 0) return errno;
    rest_.insert(0, std::string(target, static_cast<std::size_t>(length)) + '/');
    if (rest_.starts_with('/')) {
      at_ = Descriptor(open_start(rest_));
      seen_ = "/";
    }
    return 0;
  }

  Descriptor at_;
  std::string rest_, last_ = {};
  std::string seen_ = rest_.starts_with('/') ? "/" : "";
  std::vector<Link> links_ = {};
  bool magic_ = false;
};

// One system call where no link is on the way.
int open_without_links(const std::string& path, int flags, mode_t mode) {
  open_how how = {};
  how.flags = static_cast<unsigned>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_NO_SYMLINKS;
  return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}

Result<Descriptor> judged(const Walk& walk, int fd) {
  Descriptor file(fd);
  struct stat info = {};
  if (fd < 0 || fstat(fd, &info) != 0) return system_error(errno);
  if (auto refused = walk.judge(info.st_uid)) return std::move(*refused);
  return file;
}

// A link is no file yet: what it leads to need not exist.
Result<Descriptor> create_in(const Result<Place>& place, int flags, mode_t mode) {
  if (!place) return place.error();
  Descriptor file(openat(place->directory.get(), place->name.c_str(), flags | O_NOFOLLOW, mode));
  if (file.get() < 0) return system_error(errno);
  return file;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Result<Place> open_place(const std::string& path) {
  Walk walk(path);
  if (const int error = walk.go(); error != 0) return system_error(error);
  if (walk.last().empty() || walk.last() == "." || walk.last() == "..") return system_error(EISDIR);
  struct stat info = {};
  if (fstat(walk.directory(), &info) != 0) return system_error(errno);
  if (auto refused = walk.judge(info.st_uid)) return std::move(*refused);
  std::string name = walk.last();
  return Place{walk.take_directory(), std::move(name)};
}

Result<Descriptor> open_file(const std::string& path, int flags, mode_t mode) {
  flags |= O_CLOEXEC;
  if (const int fd = open_without_links(path, flags, mode); fd >= 0) return Descriptor(fd);
  if (path.empty()) return system_error(ENOENT);
  if ((flags & O_CREAT) != 0) return create_in(open_place(path), flags, mode);
  Walk walk(path);
  for (;;) {
    if (const int error = walk.go(); error != 0) return system_error(error);
    if (walk.last().empty()) return judged(walk, openat(walk.directory(), ".", flags));
    const char* const name = walk.last().c_str();
    const int fd = openat(walk.directory(), name, flags | O_NOFOLLOW);
    if (fd >= 0 || errno != ELOOP || (flags & O_NOFOLLOW) != 0) return judged(walk, fd);
    if (const int error = walk.follow_last(); error != 0) return system_error(error);
    if (walk.magic()) return judged(walk, openat(walk.directory(), name, flags));
  }
}

}  // namespace ha
