// SPDX-License-Identifier: MIT
#include "common/engine/query_handler.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::size_t kMaxAnswer = 4096;

Error explain(const std::string& path, int error) {
  const Errc code = error == ENOENT                     ? Errc::kMissing
                    : error == EACCES || error == EPERM ? Errc::kPrivilege
                                                        : Errc::kUnreachable;
  return {code, fmt::format("{}: {}", path,
                            error == EAGAIN ? "no answer in time (the engine hangs)"
                                            : std::strerror(error))};
}

// Waits until the socket is ready for `events`; false at the deadline.
bool wait(int socket, short events, const Deadline& deadline) {
  pollfd polled = {socket, events, 0};
  int ready = 0;
  do {
    ready = poll(&polled, 1, static_cast<int>(std::ceil(deadline.remaining_s() * 1000)));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// Sends the query and returns the answer up to its end or the deadline; errno tells of a failure.
Result<std::string> exchange(int socket, const std::string& path, const std::string& query,
                             const Deadline& deadline) {
  const ssize_t sent = send(socket, query.data(), query.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(query.size())) return explain(path, sent < 0 ? errno : EAGAIN);
  std::string answer;
  for (;;) {
    if (!wait(socket, POLLIN, deadline)) return explain(path, EAGAIN);
    char buffer[512];
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got < 0 && errno != EINTR && errno != EAGAIN) return explain(path, errno);
    if (got > 0) answer.append(buffer, static_cast<std::size_t>(got));
    if (got == 0 || answer.ends_with('\0') || answer.size() > kMaxAnswer) return answer;
  }
}

}  // namespace

Result<Done> run_query_handler_command(const std::string& path, const std::string& command,
                                       const Deadline& deadline) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{Errc::kUsage, path + ": too long for the path of a socket"};
  std::ranges::copy(path, address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return explain(path, errno);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const Error error = explain(path, errno);
    close(fd);
    return error;
  }
  // '#' asks for one answer and the end of the connection; the query ends with a zero byte.
  const auto answer =
      exchange(fd, path, "#command run " + command + std::string(1, '\0'), deadline);
  close(fd);
  if (!answer) return answer.error();
  if (answer->starts_with("200")) return Done{};
  return Error{Errc::kBadData,
               fmt::format("{}: the command was answered with '{}'", path,
                           shorten(sanitize(answer->substr(0, answer->find('\0'))), 200))};
}

}  // namespace ha
