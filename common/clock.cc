// SPDX-License-Identifier: MIT
#include "common/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "common/files.h"
#include "common/open_file.h"
#include "common/steady_uptime.h"
#include "common/text.h"

namespace ha {

namespace {

enum class HangUp { kStop, kReload };

sigset_t stop_signals(HangUp meaning) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (meaning == HangUp::kReload) return signals;
  // A terminal that hangs up; nohup has it ignored.
  struct sigaction hang_up = {};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

sigset_t reload_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  return signals;
}

HangUp meaning_of(bool reloads) { return reloads ? HangUp::kReload : HangUp::kStop; }

// Takes one of these signals if it is there.
bool take(const sigset_t& signals) {
  const timespec now = {};
  return sigtimedwait(&signals, nullptr, &now) > 0;
}

timespec to_timespec(double seconds) {
  timespec time = {};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((seconds - static_cast<double>(time.tv_sec)) * 1e9);
  return time;
}

// Not clock_gettime(CLOCK_BOOTTIME): for a program that is given another time by faketime, that
// clock is ahead as well, and in a container it may be that of another machine.
std::optional<double> read_uptime_s() {
  // Kept open: a guard asks many times in a second.
  static const auto uptime = open_file("/proc/uptime", O_RDONLY);
  if (!uptime) return std::nullopt;
  char text[64];
  const ssize_t size = pread(uptime->get(), static_cast<char*>(text), sizeof text, 0);
  if (size <= 0) return std::nullopt;
  const std::string_view words(static_cast<const char*>(text), static_cast<std::size_t>(size));
  return parse_number(words.substr(0, words.find(' ')));
}

double boot_clock_s() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

Moment system_moment() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  Moment moment{now.count()};
  static const auto boot = read_file("/proc/sys/kernel/random/boot_id");
  static SteadyUptime steady;
  const auto uptime_s = steady.advance(read_uptime_s(), boot_clock_s());
  if (!uptime_s || !boot) return moment;
  moment.uptime_s = *uptime_s;
  moment.boot = trim(*boot);
  return moment;
}

double SystemClock::now_s() const {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double SystemClock::monotonic_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void SystemClock::heed_stop_signals() {
  heeds_ = true;
  sigset_t signals = stop_signals(meaning_of(reloads_));
  if (reloads_) sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (signals_ < 0) signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
}

SystemClock::~SystemClock() {
  if (signals_ >= 0) close(signals_);
}

bool SystemClock::take_reload() { return reloads_ && take(reload_signal()); }

bool SystemClock::sleep(double seconds) {
  if (!heeds_) {
    pause(seconds);
    return true;
  }
  const double end_s = monotonic_s() + seconds;
  while (!stopped_) {
    const double left_s = end_s - monotonic_s();
    if (left_s <= 0) return true;
    const timespec wait = to_timespec(left_s);
    const sigset_t signals = stop_signals(meaning_of(reloads_));
    if (sigtimedwait(&signals, nullptr, &wait) > 0) stopped_ = true;
  }
  return false;
}

void SystemClock::pause(double seconds) {
  if (seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

bool SystemClock::stopping() {
  if (!heeds_) return false;
  if (take(stop_signals(meaning_of(reloads_)))) stopped_ = true;
  return stopped_;
}

bool SystemClock::sleep_until_readable(const std::vector<int>& descriptors, double seconds) {
  // Another thread may have taken the signal.
  if (stopped_) return false;
  std::vector<pollfd> places;
  if (signals_ >= 0) places.push_back({signals_, POLLIN, 0});
  for (const int descriptor : descriptors) places.push_back({descriptor, POLLIN, 0});
  const timespec time = to_timespec(std::max(seconds, 0.0));
  ppoll(places.data(), places.size(), &time, nullptr);
  return !stopping();
}

}  // namespace ha
