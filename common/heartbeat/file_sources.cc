// SPDX-License-Identifier: MIT
#include "common/heartbeat/file_sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/clock.h"
#include "common/engine/status_dat.h"
#include "common/engine/status_writers.h"
#include "common/files.h"
#include "common/machine.h"
#include "common/text.h"

namespace ha {

namespace {

// What the child says first; the content follows.
struct ChildReport {
  int error = 0;  // errno, 0: the file was opened
  bool regular = false;
  timespec modified = {};
};

// In the child of a program that may have threads: system calls only, no memory is asked for.
[[noreturn]] void report_file(const char* path, int pipe) {
  // The engine waits for the end of our output, which a hanging child must not keep open.
  const int null = open("/dev/null", O_RDWR);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ChildReport report;
  struct stat info = {};
  // Without O_NONBLOCK a named pipe would be waited for.
  const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 || fstat(file, &info) != 0) report.error = errno;
  report.regular = S_ISREG(info.st_mode);
  report.modified = info.st_mtim;
  char buffer[4096];
  ssize_t size = write(pipe, &report, sizeof report);
  if (report.error == 0 && report.regular)
    for (std::size_t sum = 0; sum < kMaxFileHead && size > 0; sum += static_cast<std::size_t>(size))
      if ((size = read(file, buffer, sizeof buffer)) > 0)
        size = write(pipe, buffer, static_cast<std::size_t>(size));
  _exit(0);
}

std::string read_to_end(int pipe) {
  std::string all;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(got));
  }
}

Error no_child(const std::string& path, int error) {
  return {Errc::kInternal, fmt::format("cannot read {}: no child process: {}{}", path,
                                       std::strerror(error), kOwnWant)};
}

Error file_error(const std::string& path, int error) {
  if (is_own_want(error))
    return {Errc::kInternal,
            fmt::format("cannot read {}: {}{}", path, std::strerror(error), kOwnWant)};
  const bool broken = error == ESTALE || error == ENOTCONN || error == EIO || error == ETIMEDOUT ||
                      error == EHOSTDOWN;
  return {broken ? Errc::kUnreachable : Errc::kUsage,
          fmt::format("cannot read {}: {}", path, std::strerror(error))};
}

// Runs remember the processes, because one reading sees only one of two that take turns.
void record_writer(const HeartbeatSpec& spec, std::int64_t pid, HeartbeatFacts& facts) {
  StatusWriters writers;
  const std::string& directory = spec.state_directory;
  const std::string memory = directory + "/writers-" + to_file_name(spec.file);
  std::string before;
  const auto made = directory.empty() ? Done{} : make_private_directory(directory);
  if (!made) facts.memory_trouble = "--state-dir: " + made.error().text;
  const bool remembers = made && !directory.empty();
  if (remembers) {
    if (const auto content = read_file(memory)) before = *content;
    writers.load(before);
  }
  writers.add(pid);
  facts.conflict = writers.conflict();
  if (!remembers || writers.text() == before) return;
  if (const auto saved = write_file_atomic(memory, writers.text()); !saved)
    facts.memory_trouble = "--state-dir: " + saved.error().text;
}

}  // namespace

Result<FileHead> read_file_head(const std::string& path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return no_child(path, errno);
  const pid_t child = fork();
  if (child < 0) {
    const int error = errno;
    close(ends[0]);
    close(ends[1]);
    return no_child(path, error);
  }
  if (child == 0) report_file(path.c_str(), ends[1]);
  close(ends[1]);
  const std::string answer = read_to_end(ends[0]);
  close(ends[0]);
  waitpid(child, nullptr, 0);

  ChildReport report;
  if (answer.size() < sizeof report)
    return Error{Errc::kInternal, fmt::format("cannot read {}: the child died", path)};
  std::memcpy(&report, answer.data(), sizeof report);
  FileHead head;
  if (report.error == ENOENT) return head;
  if (report.error != 0) return file_error(path, report.error);
  if (!report.regular) return Error{Errc::kUsage, path + " is not a regular file"};
  head.exists = true;
  head.modified_s = static_cast<double>(report.modified.tv_sec) +
                    1e-9 * static_cast<double>(report.modified.tv_nsec);
  head.content = answer.substr(sizeof report);
  return head;
}

Result<HeartbeatFacts> read_status_dat_heartbeat(const HeartbeatSpec& spec) {
  auto head = read_file_head(spec.file);
  // On a network file system the file that was just replaced is gone for a moment.
  if (!head && head.error().code == Errc::kUnreachable) head = read_file_head(spec.file);
  if (!head) return head.error();
  HeartbeatFacts facts{"", "the engine"};
  facts.absence =
      "there is no such file; the engine was stopped cleanly, is starting, or writes "
      "elsewhere (status_file in its configuration)";
  if (!head->exists) return facts;
  const StatusDat status = parse_status_dat(head->content);
  if (!status.complete || !status.created)
    return Error{Errc::kBadData,
                 spec.file + ": is not a whole status file (info and programstatus blocks wanted)"};
  if (status.pid) record_writer(spec, *status.pid, facts);
  facts.age_s = SystemClock().now_s() - static_cast<double>(*status.created);
  facts.active = status.flags.notifications;
  facts.checks = status.flags.service_checks;
  if (facts.active) facts.role = *facts.active ? "notifications enabled" : "notifications disabled";
  return facts;
}

Result<HeartbeatFacts> read_file_heartbeat(const HeartbeatSpec& spec) {
  const auto head = read_file_head(spec.file);
  if (!head) return head.error();
  HeartbeatFacts facts{"", "the writer"};
  facts.absence = "there is no such file";
  if (head->exists) facts.age_s = SystemClock().now_s() - head->modified_s;
  return facts;
}

}  // namespace ha
