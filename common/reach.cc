// SPDX-License-Identifier: MIT
#include "common/reach.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cmath>
#include <string>

#include "common/machine.h"
#include "common/open_file.h"

namespace ha {

AddressList find_addresses(const HostPort& place) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(place.port);
  if (getaddrinfo(place.host.c_str(), port.c_str(), &hints, &found) != 0) found = nullptr;
  return {found, freeaddrinfo};
}

int try_to_connect(const addrinfo& address, const Deadline& deadline) {
  const Descriptor fd(
      socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (fd.get() < 0) return errno;
  int error = connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error != EINPROGRESS) return error;
  pollfd polled = {fd.get(), POLLOUT, 0};
  socklen_t size = sizeof error;
  if (poll(&polled, 1, static_cast<int>(std::ceil(deadline.remaining_s() * 1000))) != 1 ||
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    return ETIMEDOUT;
  return error;
}

namespace {

bool is_of_the_machine(int error) { return is_own_want(error) && error != EADDRNOTAVAIL; }

// No port to ask from, a packet filter, no IPv6: another address may do.
bool is_of_the_way(int error) {
  return error == EADDRNOTAVAIL || error == EPERM || error == EACCES || error == EAFNOSUPPORT;
}

}  // namespace

bool is_cut_off(int error, const HostPort& place) {
  constexpr double kPatience_s = 0.1;
  if (is_of_the_machine(error)) return true;
  if (!is_of_the_way(error) && error != ENETUNREACH) return false;
  const AddressList addresses = find_addresses(place);
  if (addresses == nullptr || addresses->ai_next == nullptr) return is_of_the_way(error);
  const SystemClock clock;
  const Deadline deadline = Deadline::after(clock, kPatience_s);
  bool cut_off = false;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    const int now = try_to_connect(*one, deadline);
    // It is there after all.
    if (now == 0 || is_of_the_machine(now)) return true;
    if (is_of_the_way(now))
      cut_off = true;
    else if (now != ENETUNREACH)
      return false;
  }
  return cut_off;
}

}  // namespace ha
