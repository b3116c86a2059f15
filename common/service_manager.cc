// SPDX-License-Identifier: MIT
#include "common/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "common/open_file.h"
#include "common/text.h"

namespace ha {

namespace {

// Returns a variable of the environment, which is removed there; empty: there is none.
std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  const std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(take_variable("NOTIFY_SOCKET")) {
  const auto micros = parse_integer(take_variable("WATCHDOG_USEC"));
  const std::string process = take_variable("WATCHDOG_PID");
  if (process.empty() || process == std::to_string(getpid()))
    watchdog_s_ = asked_s_ = static_cast<double>(micros.value_or(0)) / 1e6;
}

void ServiceManager::ready() { send("READY=1"); }

void ServiceManager::stopping() { send("STOPPING=1"); }

void ServiceManager::show(std::string_view status) { send(fmt::format("STATUS={}", status)); }

void ServiceManager::alive(double seconds, double now_s) {
  if (watchdog_s_ <= 0) return;
  const double wanted_s = seconds > watchdog_s_ ? seconds : watchdog_s_;
  const bool changes = wanted_s != asked_s_;
  if (!changes && now_s - told_s_ < watchdog_s_ / 4) return;
  told_s_ = now_s;
  asked_s_ = wanted_s;
  send(changes ? fmt::format("WATCHDOG_USEC={:.0f}\nWATCHDOG=1", wanted_s * 1e6) : "WATCHDOG=1");
}

void ServiceManager::send(std::string_view message) const {
  sockaddr_un address = {};
  if (socket_.size() < 2 || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') address.sun_path[0] = '\0';
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // Nothing here depends on whether it arrives.
  [[maybe_unused]] const auto sent =
      sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace ha
