// SPDX-License-Identifier: MIT
#include "common/hard_stop.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace ha {

namespace {

struct LastWords {
  std::string output;
  int exit_code;
  const LastWords* replaced;  // kept: the handler may be reading them
};

// A signal handler can reach nothing but statics.
std::atomic<const LastWords*> last_words{nullptr};

void stop_now(int) {
  const LastWords* words = last_words.load();
  const char* data = words->output.data();
  std::size_t left = words->output.size();
  while (left > 0) {
    const ssize_t written = write(STDOUT_FILENO, data, left);
    if (written <= 0) break;
    data += written;
    left -= static_cast<std::size_t>(written);
  }
  _exit(words->exit_code);
}

}  // namespace

void set_hard_stop(const Deadline& deadline, std::string output, int exit_code) {
  last_words.store(new LastWords{std::move(output), exit_code, last_words.load()});
  struct sigaction action = {};
  action.sa_handler = stop_now;
  sigaction(SIGALRM, &action, nullptr);
  const double seconds = std::max(deadline.remaining_s(), 0.001);
  itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec =
      static_cast<suseconds_t>((seconds - static_cast<double>(timer.it_value.tv_sec)) * 1e6);
  if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) timer.it_value.tv_usec = 1;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void clear_hard_stop() {
  const itimerval off = {};
  setitimer(ITIMER_REAL, &off, nullptr);
}

}  // namespace ha
