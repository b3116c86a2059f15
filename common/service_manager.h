// SPDX-License-Identifier: MIT
// Tells systemd, or another service manager that speaks its protocol, how this service is: one
// datagram of lines KEY=VALUE to the socket that $NOTIFY_SOCKET names, see sd_notify(3). So no
// library is linked, which every command of the program would load. Without such a manager all of
// this does nothing.

#pragma once

#include <string>
#include <string_view>

namespace ha {

class ServiceManager {
 public:
  // Takes what the manager has put into the environment, where no program that we start is to find
  // it.
  ServiceManager();

  // The service has begun.
  void ready();

  // It is about to end.
  void stopping();

  // Shows a line to people who ask for the service.
  void show(std::string_view status);

  // The service is alive, and says so again within `seconds`; `now_s` is monotonic. Where that is
  // longer than the manager waits, it is asked to wait that long for once.
  void alive(double seconds, double now_s);

 private:
  void send(std::string_view message) const;

  std::string socket_ = {};  // its path, or "@" and an abstract name; empty: no manager
  double watchdog_s_ = 0;    // how long the manager waits for a sign of life; 0: for ever
  double asked_s_ = 0;       // how long it waits now
  double told_s_ = -1e9;     // when it was told last
};

}  // namespace ha
