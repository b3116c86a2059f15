// SPDX-License-Identifier: MIT
#include "common/mount/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "common/lock_file.h"
#include "common/machine.h"
#include "common/mount/touch.h"
#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

using End = ProbeAnswer::End;

// What a child writes into its pipe.
struct Told {
  std::size_t target = 0;
  TouchRecord record = {};
};
static_assert(sizeof(Told) <= PIPE_BUF, "a record has to arrive whole");

// The name of the process that probes a mount; the kernel keeps 15 bytes of it.
std::string process_name(const std::string& mount_id) {
  return ("ha-mount-" + mount_id).substr(0, 15);
}

double to_seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double now_s(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return to_seconds(now);
}

// Finds the probes among our user's processes: name and seconds since the start.
std::map<std::string, double> find_probes() {
  const std::string prefix = process_name("");
  std::map<std::string, double> ages;
  for (const std::string& id : process_ids()) {
    const std::string name(trim(process_file(id, "comm")));
    struct stat owner = {};
    if (!name.starts_with(prefix) || stat(("/proc/" + id).c_str(), &owner) != 0 ||
        owner.st_uid != geteuid())
      continue;
    if (const auto ticks = started_at(id))
      ages[name] = now_s(CLOCK_BOOTTIME) -
                   static_cast<double>(*ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return ages;
}

// The right to probe a mount.
struct Claim {
  std::optional<LockFile> lock = {};       // whose holder has it; nullopt: nothing to hold
  std::optional<double> older_age_s = {};  // set: an older probe has it
};

// Claims by a lock file; nothing when there can be none.
std::optional<Claim> claim_by_file(int mount_id, const std::string& directory) {
  if (directory.empty()) return std::nullopt;
  const std::string path = fmt::format("{}/share-mount-{}.lock", directory, mount_id);
  auto lock = LockFile::open(path);
  if (!lock) return std::nullopt;
  if (lock->take()) {
    futimens(lock->descriptor(), nullptr);
    return Claim{std::move(*lock)};
  }
  struct stat info = {};
  fstat(lock->descriptor(), &info);
  return Claim{{}, now_s(CLOCK_REALTIME) - to_seconds(info.st_mtim)};
}

// Keeps nothing of the parent's but the pipe and the lock: a program that waits for the end of our
// output must not have to wait for a child that hangs.
void leave_parent(pid_t parent, int pipe, int lock, int mount_id) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  prctl(PR_SET_NAME, process_name(std::to_string(mount_id)).c_str());
  const int null = open("/dev/null", O_RDWR);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  const auto low = static_cast<unsigned>(lock < 0 ? pipe : std::min(pipe, lock));
  const auto high = static_cast<unsigned>(std::max(pipe, lock));
  close_range(STDERR_FILENO + 1, low - 1, 0);
  close_range(low + 1, high - 1, 0);
  close_range(high + 1, ~0U, 0);
}

// The probe of one mount.
struct Job {
  enum class Phase { kWaiting, kRunning, kOver };
  int mount_id = 0;
  std::vector<std::size_t> targets = {};
  Phase phase = Phase::kWaiting;  // for an older probe to end
  pid_t child = 0;
  int pipe = -1;
  double started_s = 0;
};

class Probing {
 public:
  Probing(const std::vector<ProbeTarget>& targets, std::string directory, const Deadline& deadline)
      : targets_(targets),
        directory_(std::move(directory)),
        deadline_(deadline),
        budget_s_(deadline.remaining_s()),
        answers_(targets.size()) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      auto job = std::ranges::find(jobs_, targets[i].mount_id, &Job::mount_id);
      if (job == jobs_.end()) job = jobs_.insert(job, Job{targets[i].mount_id});
      job->targets.push_back(i);
    }
  }

  std::vector<ProbeAnswer> run() {
    while (step()) {
    }
    for (Job& job : jobs_)
      if (job.phase == Job::Phase::kRunning) end(job, {End::kHangs});
    reap();
    return std::move(answers_);
  }

 private:
  // Starts what may be started and takes what is told next; false when nothing more will be.
  bool step() {
    constexpr double kRetry_s = 0.1;
    double wait_s = deadline_.remaining_s();
    bool over = true;
    processes_.reset();
    std::vector<pollfd> polled;
    for (Job& job : jobs_) {
      if (job.phase == Job::Phase::kWaiting) start(job);
      if (job.phase == Job::Phase::kWaiting) wait_s = std::min(wait_s, kRetry_s);
      over = over && job.phase == Job::Phase::kOver;
      polled.push_back({job.pipe, POLLIN, 0});
    }
    if (over || deadline_.passed()) return false;
    poll(polled.data(), polled.size(), static_cast<int>(std::ceil(wait_s * 1000)));
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (polled[i].revents != 0) take(jobs_[i]);
    return true;
  }

  Claim claim_mount(int mount_id) {
    if (auto claim = claim_by_file(mount_id, directory_)) return std::move(*claim);
    if (!processes_) processes_ = find_probes();
    const auto older = processes_->find(process_name(std::to_string(mount_id)));
    return {{}, older == processes_->end() ? std::nullopt : std::optional(older->second)};
  }

  void start(Job& job) {
    const Claim claim = claim_mount(job.mount_id);
    if (claim.older_age_s) {
      answer(job, {End::kOlderHangs, {}, std::max(0.0, *claim.older_age_s)});
      // A young one may be that of another run that is about to end well.
      if (*claim.older_age_s >= budget_s_) job.phase = Job::Phase::kOver;
      return;
    }
    answer(job, {End::kHangs});
    job.phase = Job::Phase::kRunning;
    job.started_s = now_s(CLOCK_MONOTONIC);
    int ends[2] = {-1, -1};
    const pid_t parent = getpid();
    job.child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    const int error = errno;
    if (job.child == 0) run_child(job, parent, ends[1], claim.lock ? claim.lock->descriptor() : -1);
    job.pipe = ends[0];
    if (ends[1] >= 0) close(ends[1]);
    if (job.child < 0)
      end(job, {End::kImpossible, {}, 0, std::string(std::strerror(error)) + kOwnWant});
  }

  [[noreturn]] void run_child(const Job& job, pid_t parent, int pipe, int lock) {
    leave_parent(parent, pipe, lock, job.mount_id);
    for (const std::size_t i : job.targets)
      touch(targets_[i].path, targets_[i].write_test, [&](const TouchRecord& record) {
        const Told told = {i, record};
        if (write(pipe, &told, sizeof told) < 0) _exit(1);
      });
    _exit(0);
  }

  // Takes one record, or the end.
  void take(Job& job) {
    Told told;
    const ssize_t size = read(job.pipe, &told, sizeof told);
    if (size < 0 && errno == EINTR) return;
    if (size != sizeof told || told.target >= answers_.size())
      return end(job, {End::kImpossible, {}, 0, "the process died"});
    answers_[told.target].record = told.record;
    if (is_own_want(told.record.error))
      return end(
          job, {End::kImpossible, {}, 0, std::string(std::strerror(told.record.error)) + kOwnWant});
    if (!told.record.finished) return;
    answers_[told.target].end = End::kAnswered;
    if (told.target == job.targets.back()) end(job, {});
  }

  // Ends a child, now or when the kernel lets it go; `rest` is for the targets of which it told
  // nothing.
  void end(Job& job, ProbeAnswer rest) {
    rest.waited_s = now_s(CLOCK_MONOTONIC) - job.started_s;
    for (const std::size_t i : job.targets) {
      if (answers_[i].end == End::kAnswered) continue;
      rest.record = answers_[i].record;
      answers_[i] = rest;
    }
    if (job.pipe >= 0) close(std::exchange(job.pipe, -1));
    if (job.child > 0) kill(job.child, SIGKILL);
    job.phase = Job::Phase::kOver;
  }

  // Gives the ended children a moment to be gone, if there is one; the rest is left to init.
  void reap() {
    const Deadline moment = deadline_.from_now(std::min(0.02, deadline_.remaining_s()));
    for (const Job& job : jobs_) {
      if (job.child <= 0) continue;
      pollfd polled = {static_cast<int>(syscall(SYS_pidfd_open, job.child, 0)), POLLIN, 0};
      poll(&polled, 1, static_cast<int>(moment.remaining_s() * 1000));
      waitpid(job.child, nullptr, WNOHANG);
      close(polled.fd);
    }
  }

  void answer(const Job& job, const ProbeAnswer& answer) {
    for (const std::size_t i : job.targets) answers_[i] = answer;
  }

  const std::vector<ProbeTarget>& targets_;
  const std::string directory_;
  const Deadline& deadline_;
  const double budget_s_;
  std::optional<std::map<std::string, double>> processes_;  // as of this step
  std::vector<Job> jobs_;
  std::vector<ProbeAnswer> answers_;
};

}  // namespace

std::vector<ProbeAnswer> probe_mounts(const std::vector<ProbeTarget>& targets,
                                      const std::string& state_directory,
                                      const Deadline& deadline) {
  return Probing(targets, state_directory, deadline).run();
}

}  // namespace ha
