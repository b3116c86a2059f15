// SPDX-License-Identifier: MIT
#include "common/clock.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cmath>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // A terminal that hangs up; nohup has it ignored.
  struct sigaction hang_up = {};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

Moment system_moment() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  Moment moment{now.count()};
  // Not clock_gettime(CLOCK_BOOTTIME): for a program that is given another time by faketime, that
  // clock is ahead as well.
  const auto uptime = read_file("/proc/uptime");
  const auto boot = read_file("/proc/sys/kernel/random/boot_id");
  const auto seconds = uptime ? parse_number(uptime->substr(0, uptime->find(' '))) : std::nullopt;
  if (!seconds || !boot) return moment;
  moment.uptime_s = *seconds;
  moment.boot = trim(*boot);
  return moment;
}

SystemClock::SystemClock() {
  const sigset_t signals = stop_signals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
}

double SystemClock::now_s() const {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool SystemClock::sleep(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!stopped_) {
    const double left =
        std::chrono::duration<double>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return true;
    timespec wait = {};
    wait.tv_sec = static_cast<time_t>(left);
    wait.tv_nsec = static_cast<long>((left - std::floor(left)) * 1e9);
    const sigset_t signals = stop_signals();
    stopped_ = sigtimedwait(&signals, nullptr, &wait) > 0;
  }
  return false;
}

bool SystemClock::stopping() {
  const sigset_t signals = stop_signals();
  const timespec now = {};
  stopped_ = stopped_ || sigtimedwait(&signals, nullptr, &now) > 0;
  return stopped_;
}

}  // namespace ha
