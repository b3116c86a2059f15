// SPDX-License-Identifier: MIT
// The terminal of mysql_ha status.

#pragma once

#include <mutex>
#include <string>

#include "common/mysql/topology_text.h"

namespace ha {

// Returns whether the terminal that is written to shows colours and its user wants them.
Colours wanted_colours();

// Draws frames over each other. Each is one write and clears only what is left of the last one, so
// nothing flickers; and it leaves the terminal as it was, so the program may end after any of them.
class Screen {
 public:
  // The signals that end the program do so between two frames, even while a node is waited for. The
  // screen must live as long as the program: a thread refers to it.
  Screen();

  // Shows a frame; `code` is what the program exits with from now on. False when the terminal has
  // hung up.
  bool draw(const std::string& frame, int code);

 private:
  std::string over_the_last(const std::string& frame);

  std::mutex mutex_;
  int exit_code_ = 0;
  bool first_ = true;
};

}  // namespace ha
