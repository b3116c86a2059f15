// SPDX-License-Identifier: MIT
#include "plugins/mysql_ha_screen.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

bool is_terminal() {
  const char* const term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Colours wanted_colours() {
  const char* const no_colour = std::getenv("NO_COLOR");  // https://no-color.org
  const bool plain = no_colour != nullptr && *no_colour != '\0';
  return is_terminal() && !plain ? Colours::kAnsi : Colours::kNone;
}

Screen::Screen() {
  sigset_t ending;
  sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&ending, number);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::thread([this, ending] {
    int number = 0;
    sigwait(&ending, &number);
    const std::lock_guard guard(mutex_);
    _exit(exit_code_);
  }).detach();
}

bool Screen::draw(const std::string& frame, int code) {
  const std::lock_guard guard(mutex_);
  exit_code_ = code;
  return write_all(STDOUT_FILENO, is_terminal() ? over_the_last(frame) : frame);
}

std::string Screen::over_the_last(const std::string& frame) {
  winsize size = {};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  std::vector<std::string> lines = split(frame, '\n');
  lines.pop_back();
  if (const std::size_t room = size.ws_row; room > 2 && lines.size() >= room) {
    const std::size_t kept = room - 2;
    const std::string more = fmt::format("... {} more lines", lines.size() - kept);
    lines.resize(kept);
    lines.push_back(more);
  }
  // Hidden cursor, no line wrap, from the upper left corner.
  std::string output = (first_ ? "\033[2J" : "") + std::string("\033[?25l\033[?7l\033[H");
  for (const std::string& line : lines) output += line + "\033[K\n";
  first_ = false;
  return output + "\033[J\033[?7h\033[?25h";
}

}  // namespace ha
