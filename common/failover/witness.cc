// SPDX-License-Identifier: MIT
#include "common/failover/witness.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include "common/parallel.h"

namespace ha {

namespace {

bool connects(const addrinfo& address, const Deadline& deadline) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  int error = connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd polled = {fd, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (poll(&polled, 1, static_cast<int>(std::ceil(deadline.remaining_s() * 1000))) != 1 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      error = ETIMEDOUT;
  }
  close(fd);
  return error == 0 || error == ECONNREFUSED;
}

bool reaches(const HostPort& witness, const Deadline& deadline) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(witness.port != 0 ? witness.port : 22);
  if (getaddrinfo(witness.host.c_str(), port.c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    if (connects(*one, deadline)) return true;
  return false;
}

}  // namespace

std::vector<bool> reach_witnesses(const std::vector<HostPort>& witnesses,
                                  const Deadline& deadline) {
  const auto answers = run_each<bool>(
      witnesses.size(), deadline,
      [witnesses, deadline](std::size_t i) { return reaches(witnesses[i], deadline); });
  std::vector<bool> reached;
  for (const auto& answer : answers) reached.push_back(answer.value_or(false));
  return reached;
}

Witnesses judge_witnesses(const std::vector<bool>& reached) {
  if (reached.empty()) return Witnesses::kNotAsked;
  return std::ranges::find(reached, true) != reached.end() ? Witnesses::kReached
                                                           : Witnesses::kUnreached;
}

}  // namespace ha
