// SPDX-License-Identifier: MIT
// A watchdog of this machine, /dev/watchdog: unless it is fed in time it resets the machine,
// however its programs fare.

#pragma once

#include <memory>
#include <string>

#include "common/result.h"

namespace ha {

class Watchdog {
 public:
  // Ends without disarming it: the machine is reset when it is not fed again in time.
  virtual ~Watchdog() = default;

  virtual Result<Done> feed() = 0;

  // Lets the machine live on without it.
  virtual Result<Done> disarm() = 0;
};

// Opens and arms a watchdog that resets the machine when it was not fed for `seconds`. Fails with
// kUsage when the file is no watchdog or cannot be set to so short a time, kMissing when there is
// none, kInternal when another program has it.
Result<std::unique_ptr<Watchdog>> open_watchdog(const std::string& path, int seconds);

}  // namespace ha
