// SPDX-License-Identifier: MIT
#include "common/watchdog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/open_file.h"

namespace ha {

namespace {

class DeviceWatchdog : public Watchdog {
 public:
  DeviceWatchdog(std::string path, Descriptor device)
      : path_(std::move(path)), device_(std::move(device)) {}

  Result<Done> feed() override { return send('\0'); }
  // The letter that a driver waits for before it is closed (Linux, watchdog-api.rst).
  Result<Done> disarm() override { return send('V'); }

  // Sets after how many seconds without food it acts; returns 0 or the system's error number.
  int set_timeout(int& seconds) {
    if (ioctl(device_.get(), WDIOC_SETTIMEOUT, &seconds) == 0) return 0;
    return ioctl(device_.get(), WDIOC_GETTIMEOUT, &seconds) == 0 ? 0 : errno;
  }

 private:
  Result<Done> send(char byte) {
    if (write(device_.get(), &byte, 1) == 1) return Done{};
    return Error{Errc::kInternal, fmt::format("cannot write {}: {}", path_, std::strerror(errno))};
  }

  const std::string path_;
  const Descriptor device_;
};

}  // namespace

Result<std::unique_ptr<Watchdog>> open_watchdog(const std::string& path, int seconds) {
  Descriptor device(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (device.get() < 0)
    return Error{errno == ENOENT ? Errc::kMissing : Errc::kInternal,
                 fmt::format("cannot open {}: {}", path, std::strerror(errno))};
  auto watchdog = std::make_unique<DeviceWatchdog>(path, std::move(device));
  int set_s = seconds;
  const int error = watchdog->set_timeout(set_s);
  if (error == 0 && set_s <= seconds) return std::unique_ptr<Watchdog>(std::move(watchdog));
  const std::string why =
      error != 0 ? fmt::format("{} is no watchdog: {}", path, std::strerror(error))
                 : fmt::format(
                       "{} acts after {} s, longer than {} s, and cannot be set to less; "
                       "give --lease {} or more",
                       path, set_s, seconds, 2 * set_s);
  if (error == 0 && !watchdog->disarm()) return Error{Errc::kUsage, why + "; it is armed"};
  return Error{Errc::kUsage, why};
}

}  // namespace ha
