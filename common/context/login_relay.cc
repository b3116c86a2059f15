// SPDX-License-Identifier: MIT
#include "common/context/login_relay.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/open_file.h"

namespace ha {

namespace {

struct Address {
  sockaddr_storage bytes = {};
  socklen_t size = 0;
};

// Blocks as long as the resolver does.
Result<std::vector<Address>> resolve(const HostPort& server) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (error != 0)
    return Error{Errc::kUnreachable, fmt::format("{}: {}", server.host, gai_strerror(error))};
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Address& address = addresses.emplace_back();
    address.size = one->ai_addrlen;
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
  }
  freeaddrinfo(found);
  return addresses;
}

class Relay : public LoginRelay {
 public:
  Relay(std::vector<Address> server, LoginTls tls) : server_(std::move(server)), tls_(tls) {}

  ~Relay() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(end_.get(), &one, sizeof one);
    if (acceptor_.joinable()) acceptor_.join();
    for (Worker& worker : workers_) worker.thread.join();
  }

  Result<Done> listen_and_accept() {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    end_ = Descriptor(eventfd(0, EFD_CLOEXEC));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    if (listener_.get() < 0 || end_.get() < 0 || bind(listener_.get(), place, size) != 0 ||
        listen(listener_.get(), SOMAXCONN) != 0 || getsockname(listener_.get(), place, &size) != 0)
      return Error{Errc::kInternal,
                   fmt::format("no port of 127.0.0.1 to listen at: {}", std::strerror(errno))};
    port_ = ntohs(address.sin_port);
    try {
      acceptor_ = std::thread([this] { accept_all(); });
    } catch (const std::system_error& error) {
      return Error{Errc::kInternal, fmt::format("no thread: {}", error.what())};
    }
    return Done{};
  }

  unsigned port() const override { return port_; }

  std::string refusal() const override {
    const std::lock_guard lock(mutex_);
    return refusal_;
  }

 private:
  struct Worker {
    std::thread thread = {};
    std::atomic<bool> ended = false;
  };

  // Another user of this machine may come in between, again and again, and gets a server that he
  // could have asked himself, and takes the place of a tool no longer than he stays.
  void accept_all() {
    while (await(listener_.get(), POLLIN)) {
      workers_.remove_if([](Worker& worker) {
        if (!worker.ended) return false;
        worker.thread.join();
        return true;
      });
      if (!accept_one()) pause();
    }
  }

  // False when there is no room, descriptor or thread for it now.
  bool accept_one() {
    constexpr std::size_t kMost = 64;  // more than a tool needs
    if (workers_.size() >= kMost) return false;
    Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client.get() < 0) return false;
    Worker& worker = workers_.emplace_back();
    try {
      worker.thread = std::thread([this, &worker, end = std::move(client)] {
        serve(end.get());
        worker.ended = true;
      });
    } catch (const std::system_error&) {
      workers_.pop_back();
      return false;
    }
    return true;
  }

  // Ends early when the relay ends.
  void pause() const {
    constexpr int kPauseMs = 100;
    pollfd end = {end_.get(), POLLIN, 0};
    poll(&end, 1, kPauseMs);
  }

  // False when the relay ends.
  bool await(int fd, short events) const {
    pollfd polled[] = {{fd, events, 0}, {end_.get(), POLLIN, 0}};
    while (poll(polled, 2, -1) < 0)
      if (errno != EINTR) return false;
    return polled[1].revents == 0;
  }

  Descriptor connect_to_server() const {
    for (const Address& address : server_) {
      Descriptor fd(socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (fd.get() < 0) continue;
      const auto* const place = reinterpret_cast<const sockaddr*>(&address.bytes);
      int error = connect(fd.get(), place, address.size) == 0 ? 0 : errno;
      if (error == EINPROGRESS) {
        if (!await(fd.get(), POLLOUT)) return Descriptor();
        socklen_t size = sizeof error;
        getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      }
      if (error == 0) return fd;
    }
    return Descriptor();
  }

  bool write_all(int fd, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0)
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno == EAGAIN ? !await(fd, POLLOUT) : errno != EINTR)
        return false;
    }
    return true;
  }

  void serve(int client) {
    const Descriptor server = connect_to_server();
    if (server.get() < 0) return;
    LoginGuard guard(tls_);
    std::array<char, 64 << 10> buffer;
    pollfd polled[] = {{client, POLLIN, 0}, {server.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
    while (guard.refusal().empty()) {
      if (poll(polled, 3, -1) < 0 && errno != EINTR) return;
      if (polled[2].revents != 0) return;
      for (const int side : {0, 1}) {
        if (polled[side].revents == 0) continue;
        const ssize_t got = recv(polled[side].fd, buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) return;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        const std::string passed = side == 0 ? guard.from_client(bytes) : guard.from_server(bytes);
        if (!write_all(polled[1 - side].fd, passed)) return;
      }
    }
    const std::lock_guard lock(mutex_);
    refusal_ = guard.refusal();
  }

  const std::vector<Address> server_;
  const LoginTls tls_;
  Descriptor listener_, end_;
  unsigned port_ = 0;
  std::thread acceptor_;
  std::list<Worker> workers_;  // the acceptor's, until it has ended
  mutable std::mutex mutex_;   // of this
  std::string refusal_;
};

}  // namespace

Result<std::unique_ptr<LoginRelay>> LoginRelay::start(const HostPort& server, LoginTls tls) {
  auto addresses = resolve(server);
  if (!addresses) return addresses.error();
  auto relay = std::make_unique<Relay>(std::move(*addresses), tls);
  if (const auto started = relay->listen_and_accept(); !started) return started.error();
  return std::unique_ptr<LoginRelay>(std::move(relay));
}

}  // namespace ha
