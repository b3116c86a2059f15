// SPDX-License-Identifier: MIT
#include "common/posix_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/files.h"
#include "common/lock_file.h"
#include "common/machine.h"
#include "common/open_file.h"
#include "common/text.h"

namespace ha {

namespace {

Error file_error(std::string_view what, const std::string& path, int error) {
  return {Errc::kInternal, fmt::format("cannot {} {}: {}{}", what, path, std::strerror(error),
                                       is_own_want(error) ? kOwnWant : "")};
}

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(std::string path, Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Result<Done> append(std::string_view content) override {
    return write(content, [this] { return fdatasync(file_.get()) == 0; });
  }

  Result<Done> append_passing(std::string_view content) override {
    return write(content, [] { return true; });
  }

  Result<Done> truncate(std::uint64_t size) override {
    if (ftruncate(file_.get(), static_cast<off_t>(size)) != 0)
      return file_error("repair", path_, errno);
    return Done{};
  }

 private:
  template <class Sync>
  Result<Done> write(std::string_view content, const Sync& sync) {
    const off_t before = lseek(file_.get(), 0, SEEK_END);
    if (write_all(file_.get(), content) && sync()) return Done{};
    const Error error = file_error("write", path_, errno);
    // Half a record must not become the first half of the next.
    if (before < 0 || ftruncate(file_.get(), before) != 0)
      return file_error("repair", path_, errno);
    return error;
  }

  std::string path_;
  Descriptor file_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(LockFile file) : file_(std::move(file)) {}

 private:
  LockFile file_;
};

std::string name_holder(const std::string& path) {
  const auto holder = read_file(path);
  return fmt::format("process {} of this host", holder ? sanitize(trim(*holder)) : "?");
}

}  // namespace

FileInfo PosixFiles::info(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return {};
  return {S_ISREG(info.st_mode) ? FileInfo::Kind::kRegular : FileInfo::Kind::kOther,
          static_cast<std::uint64_t>(info.st_size)};
}

Result<std::string> PosixFiles::read(const std::string& path, std::size_t most) {
  return read_file(path, most);
}

Result<std::unique_ptr<std::istream>> PosixFiles::open(const std::string& path) {
  auto file = std::make_unique<std::ifstream>(path);
  if (!*file) return Error{Errc::kMissing, "cannot read " + path};
  return std::unique_ptr<std::istream>(std::move(file));
}

Result<Done> PosixFiles::write_atomic(const std::string& path, std::string_view content,
                                      mode_t mode) {
  return write_file_atomic(path, content, mode);
}

Result<Done> PosixFiles::write_passing(const std::string& path, std::string_view content) {
  return write_passing_file(path, content);
}

Result<std::unique_ptr<AppendFile>> PosixFiles::open_append(const std::string& path) {
  const bool is_new = info(path).kind == FileInfo::Kind::kMissing;
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return file_error("open", path, errno);
  if (is_new)
    if (const auto synced = sync_name(path); !synced) return synced.error();
  return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(path, std::move(file)));
}

Result<Done> PosixFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return Done{};
  return file_error("rename", fmt::format("{} to {}", from, to), errno);
}

Result<Done> PosixFiles::remove(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return Done{};
  return file_error("remove", path, errno);
}

Result<Done> PosixFiles::remove_all(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return file_error("remove", path, error.value());
  return Done{};
}

Result<Done> PosixFiles::link(const std::string& target, const std::string& path) {
  if (symlink(target.c_str(), path.c_str()) == 0) return Done{};
  return file_error("make", path, errno);
}

Result<std::vector<std::string>> PosixFiles::list(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    names.push_back(entry.path().filename());
  if (error) return file_error("read", directory, error.value());
  return names;
}

Result<Done> PosixFiles::make_private_directory(const std::string& path) {
  return ha::make_private_directory(path);
}

Result<Done> PosixFiles::check_private_directory(const std::string& path) {
  return ha::check_private_directory(path);
}

Result<Done> PosixFiles::check_replaceable(const std::string& path) {
  const auto place = open_place(path);
  if (!place) return place.error();
  if (faccessat(place->directory.get(), ".", W_OK | X_OK, 0) != 0)
    return Error{Errc::kUsage, std::strerror(errno)};
  return Done{};
}

std::string PosixFiles::user() { return user_name(geteuid()); }

Result<std::unique_ptr<FileLock>> PosixFiles::lock(const std::string& path) {
  auto file = LockFile::open(path);
  if (!file) return file.error();
  if (!file->take()) return Error{Errc::kRefused, name_holder(path)};
  const std::string pid = std::to_string(getpid()) + "\n";
  // Only a courtesy to the next one.
  if (ftruncate(file->descriptor(), 0) == 0) write_all(file->descriptor(), pid);
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(*file)));
}

std::string PosixFiles::lock_holder(const std::string& path) {
  return is_locked(path) ? name_holder(path) : "";
}

}  // namespace ha
