// SPDX-License-Identifier: MIT
#include "common/posix_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "common/machine.h"
#include "common/server_process.h"
#include "common/text.h"

namespace ha {

namespace {

// Our environment with the command's additions, as execve wants it.
class Environment {
 public:
  explicit Environment(const Command& command) {
    for (const auto& [name, value] : command.environment) added_.push_back(name + "=" + value);
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view name(*entry, std::strcspn(*entry, "="));
      if (std::ranges::find(command.environment, name,
                            &std::pair<std::string, std::string>::first) ==
          command.environment.end())
        pointers_.push_back(*entry);
    }
    for (std::string& entry : added_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }

 private:
  std::vector<std::string> added_;
  std::vector<char*> pointers_;
};

// What the process does that leads a command's group. We may have threads, so only functions that a
// signal handler may call.
[[noreturn]] void kill_group_at_end_of(int pipe) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  setpgid(0, 0);
  // It holds none of our locks and connections.
  dup2(pipe, STDIN_FILENO);
  close_range(STDOUT_FILENO, ~0U, 0);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR) continue;
  kill(0, SIGKILL);
  _exit(1);
}

// Leads the process group of a command that has to end with us, for as long as this lives.
class GroupLeader {
 public:
  GroupLeader() = default;
  GroupLeader(const GroupLeader&) = delete;
  GroupLeader& operator=(const GroupLeader&) = delete;
  ~GroupLeader() {
    if (pid_ <= 0) return;
    // First, or the end of the pipe would end what a command has left behind on purpose.
    kill(pid_, SIGKILL);
    close(alive_);
    waitpid(pid_, nullptr, 0);
  }

  // Returns 0 or the system's error number.
  int start() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    const pid_t pid = fork();
    if (pid == 0) kill_group_at_end_of(ends[0]);
    const int error = pid < 0 ? errno : 0;
    close(ends[0]);
    if (error != 0) {
      close(ends[1]);
      return error;
    }
    // Parent and child both do this; the first one counts.
    setpgid(pid, pid);
    pid_ = pid;
    alive_ = ends[1];
    return 0;
  }

  // The group, 0 for one of the command's own.
  pid_t group() const { return pid_; }

 private:
  pid_t pid_ = 0;
  int alive_ = -1;
};

// Starts the command in a process group, 0 for one of its own; returns 0 or the system's error
// number.
int spawn(const Command& command, int output, pid_t group, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (command.output_file.empty())
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  else
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, command.output_file.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, group);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  std::vector<char*> argv;
  for (const std::string& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  Environment environment(command);
  const int error =
      posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

Error start_error(const std::string& program, int error) {
  // EAGAIN: no process is left for us.
  const bool ours = is_own_want(error) || error == EAGAIN;
  return {ours              ? Errc::kInternal
          : error == ENOENT ? Errc::kMissing
                            : Errc::kUsage,
          fmt::format("cannot run {}: {}{}", program, std::strerror(error), ours ? kOwnWant : "")};
}

// Takes what the pipe holds now; false at its end. Bounded, so that a chatterer cannot hold us past
// the deadline.
bool drain(int pipe, std::string& output) {
  char buffer[4096];
  for (int rounds = 0; rounds < 64; ++rounds) {
    const ssize_t got = read(pipe, buffer, sizeof buffer);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    const std::size_t room = kMaxProcessOutput - output.size();
    output.append(buffer, std::min(static_cast<std::size_t>(got), room));
  }
  return true;
}

// Collects output until the child has ended or is to be ended; true when it has ended. The end of
// the pipe is not waited for: a daemon that the command started may hold it.
bool watch(int pidfd, int pipe, const Command& command, const Deadline& deadline,
           std::string& output) {
  bool open = true;
  for (;;) {
    pollfd polled[] = {{pidfd, POLLIN, 0}, {open ? pipe : -1, POLLIN, 0}};
    const double wait_s =
        std::min(deadline.remaining_s(), command.may_go_on ? 1.0 : deadline.remaining_s());
    const int ready = poll(polled, 2, static_cast<int>(std::ceil(wait_s * 1000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0 && polled[1].revents != 0) open = drain(pipe, output);
    if (ready > 0 && polled[0].revents != 0) {
      if (open) drain(pipe, output);
      return true;
    }
    if (deadline.passed() || (command.may_go_on && !command.may_go_on())) return false;
  }
}

// Gives a killed child a moment to go; a child stuck in the kernel is left to init.
void reap(int pidfd, pid_t pid) {
  constexpr int kMoment_ms = 200;
  pollfd polled = {pidfd, POLLIN, 0};
  poll(&polled, 1, kMoment_ms);
  waitpid(pid, nullptr, WNOHANG);
}

}  // namespace

Result<ProcessOutcome> PosixProcess::run(const Command& command, const Deadline& deadline) {
  int ends[2];
  // Only our end must not block: the command may be surprised by an output that does not.
  if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
    return Error{Errc::kInternal,
                 fmt::format("cannot create a pipe: {}{}", std::strerror(errno), kOwnWant)};
  const double start_s = deadline.clock().monotonic_s();
  pid_t pid = 0;
  GroupLeader leader;
  int error = command.ends_with_us ? leader.start() : 0;
  if (error == 0) error = spawn(command, ends[1], leader.group(), pid);
  close(ends[1]);
  const int pidfd = error == 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
  if (pidfd < 0) {
    close(ends[0]);
    return start_error(command.argv[0], error != 0 ? error : errno);
  }

  ProcessOutcome outcome;
  const bool ended = watch(pidfd, ends[0], command, deadline, outcome.output);
  outcome.seconds = deadline.clock().monotonic_s() - start_s;
  if (ended) {
    int status = 0;
    waitpid(pid, &status, 0);
    outcome.end =
        WIFEXITED(status) ? ProcessOutcome::End::kExited : ProcessOutcome::End::kSignalled;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  } else {
    kill(leader.group() != 0 ? -leader.group() : -pid, SIGKILL);
    reap(pidfd, pid);
    outcome.end = ProcessOutcome::End::kTimedOut;
  }
  close(pidfd);
  close(ends[0]);
  return outcome;
}

Result<std::string> PosixProcess::find(const std::string& name) { return find_program(name); }

Result<ServerProcess> PosixProcess::find_server(int id, unsigned port) {
  return find_server_process(id, port);
}

bool PosixProcess::is_running(const ServerProcess& process) { return watch_.is_running(process); }

Result<Done> PosixProcess::kill_server(const ServerProcess& process) {
  return kill_process(process);
}

Result<std::string> find_program(const std::string& name) {
  std::vector<std::string> directories = {""};
  if (name.find('/') == name.npos) {
    const char* const path = std::getenv("PATH");
    // What the C library falls back to, confstr(_CS_PATH).
    directories = split(path != nullptr ? path : "/bin:/usr/bin", ':');
  }
  int error = ENOENT;
  for (const std::string& directory : directories) {
    const std::string path = directory.empty() ? name : directory + "/" + name;
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0) {
      if (errno == EACCES) error = EACCES;
    } else if (S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0) {
      return path;
    } else {
      error = EACCES;
    }
  }
  return Error{error == ENOENT ? Errc::kMissing : Errc::kUsage,
               fmt::format("cannot run {}: {}", sanitize(name), std::strerror(error))};
}

}  // namespace ha
