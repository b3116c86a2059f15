// SPDX-License-Identifier: MIT
#include "common/mount/touch.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/deadline.h"
#include "common/files.h"
#include "common/open_file.h"
#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

using Record = TouchRecord;

bool failed(Record& record, TouchStep step) {
  record.step = step;
  record.error = errno;
  return false;
}

// The numbers of statvfs() are unsigned; what is negative comes as one that is very large.
double as_signed(fsblkcnt_t number) {
  return static_cast<double>(static_cast<std::int64_t>(number));
}

bool read_owner(int directory, Record& record) {
  struct stat info = {};
  if (fstat(directory, &info) != 0) return failed(record, TouchStep::kStat);
  record.has_owner = true;
  record.uid = info.st_uid;
  record.gid = info.st_gid;
  record.mode = info.st_mode & 07777;
  return true;
}

bool read_usage(int directory, Record& record) {
  struct statvfs info = {};
  if (fstatvfs(directory, &info) != 0) return failed(record, TouchStep::kUsage);
  take_usage(info, record);
  return true;
}

// Calls visit(name) for each entry until it returns false; false, with errno, when the listing
// fails.
template <class Visit>
bool each_entry(int directory, Visit visit) {
  const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = copy < 0 ? nullptr : fdopendir(copy);
  if (stream == nullptr) return false;
  errno = 0;
  while (const dirent* const entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && !visit(entry->d_name)) break;
    errno = 0;
  }
  const int error = errno;
  closedir(stream);
  errno = error;
  return error == 0;
}

bool count_entries(int directory, Record& record) {
  const bool listed =
      each_entry(directory, [&](const char*) { return ++record.entries < kMaxEntries; });
  return listed || failed(record, TouchStep::kList);
}

// The name tells machine and process, so that a later probe knows whose file is a leftover, and
// cannot be foreseen.
std::string file_prefix() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return fmt::format(".check_share_mount-{}-", host);
}

std::string random_digits() {
  std::uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) number = 0;
  return fmt::format("{:016x}", number);
}

// Removes what probes of this machine left that are no longer alive. A probe that still hangs
// keeps its file.
void remove_leftovers(int directory, const std::string& prefix) {
  constexpr int kMostLookedAt = 10000;
  int looked_at = 0;
  each_entry(directory, [&](const char* name) {
    const std::string_view text = name;
    if (!text.starts_with(prefix)) return ++looked_at < kMostLookedAt;
    const std::string_view rest = text.substr(prefix.size());
    const std::string process(rest.substr(0, rest.find('-')));
    if (parse_integer(process) && !is_running(process)) unlinkat(directory, name, 0);
    return ++looked_at < kMostLookedAt;
  });
}

bool write_and_read_back(int file, Record& record) {
  const std::string written = random_digits() + "\n";
  if (!write_all(file, written) || fsync(file) != 0) return failed(record, TouchStep::kWrite);
  // Else the answer would come from this machine's memory.
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  std::string read(written.size(), '\0');
  const ssize_t got = pread(file, read.data(), read.size(), 0);
  if (got < 0) return failed(record, TouchStep::kReadBack);
  read.resize(static_cast<std::size_t>(got));
  record.wrong_data = read != written;
  return true;
}

// True when no other user's link leads to the directory: a share's users could have root write
// anywhere. "x" stands for the file that is to come.
bool leads_to(const std::string& path, int directory) {
  const auto place = open_place(path + "/x");
  struct stat meant = {}, found = {};
  return place && fstat(directory, &meant) == 0 && fstat(place->directory.get(), &found) == 0 &&
         meant.st_dev == found.st_dev && meant.st_ino == found.st_ino;
}

bool test_writing(const std::string& path, int directory, Record& record) {
  if (!leads_to(path, directory)) {
    errno = ELOOP;
    return failed(record, TouchStep::kCreate);
  }
  const std::string prefix = file_prefix();
  remove_leftovers(directory, prefix);
  const std::string name = fmt::format("{}{}-{}", prefix, getpid(), random_digits());
  const int file =
      openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return failed(record, TouchStep::kCreate);
  bool sound = write_and_read_back(file, record);
  // NFS tells of some failures only here.
  if (close(file) != 0 && sound) sound = failed(record, TouchStep::kWrite);
  record.wrote = sound;
  // A probe in another container of this name may take it for a leftover.
  if (unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT && sound)
    return failed(record, TouchStep::kRemove);
  return sound;
}

bool inspect(const std::string& path, int& directory, Record& record) {
  directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 && errno == EACCES) {
    // Who may not list it may still be told the rest.
    directory = open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return failed(record, TouchStep::kOpen);
    if (!read_owner(directory, record) || !read_usage(directory, record)) return false;
    errno = EACCES;
    return failed(record, TouchStep::kList);
  }
  if (directory < 0) return failed(record, TouchStep::kOpen);
  return read_owner(directory, record) && read_usage(directory, record) &&
         count_entries(directory, record);
}

}  // namespace

void take_usage(const struct statvfs& info, TouchRecord& record) {
  constexpr double kUnknown = -1;
  const double blocks = as_signed(info.f_blocks), free = as_signed(info.f_bfree);
  double available = as_signed(info.f_bavail);
  if (available == kUnknown) available = free;
  record.has_usage = blocks > 0 && free >= 0 && free <= blocks && available <= blocks;
  if (record.has_usage) {
    const double used = blocks - free, whole = used + available;
    record.used_percent = whole > 0 ? 100 * used / whole : 100;
    record.used_of_all_percent = 100 * used / blocks;
    record.no_space = available <= 0;
  }
  const double inodes = as_signed(info.f_files), unused = as_signed(info.f_ffree);
  record.has_inodes = inodes > 0 && unused >= 0 && unused <= inodes;
  if (record.has_inodes) {
    record.inodes_used_percent = 100 * (inodes - unused) / inodes;
    record.no_inode = unused == 0;
  }
}

void touch(const std::string& path, bool write_test,
           const std::function<void(const TouchRecord&)>& report) {
  const SystemClock clock;
  const double start_s = clock.monotonic_s();
  Record record;
  record.privileged = geteuid() == 0;
  const auto report_so_far = [&] {
    record.seconds = clock.monotonic_s() - start_s;
    report(record);
  };
  int directory = -1;
  if (inspect(path, directory, record) && write_test) {
    report_so_far();
    test_writing(path, directory, record);
  }
  if (directory >= 0) close(directory);
  record.finished = true;
  report_so_far();
}

}  // namespace ha
