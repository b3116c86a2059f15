// SPDX-License-Identifier: MIT
#include "common/context/login_relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include "common/open_file.h"

namespace ha {
namespace {

// A socket at a port of 127.0.0.1, connected or listening.
Descriptor loopback(unsigned port, bool listening) {
  Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const place = reinterpret_cast<const sockaddr*>(&address);
  const int error = listening ? bind(fd.get(), place, sizeof address) | listen(fd.get(), SOMAXCONN)
                              : connect(fd.get(), place, sizeof address);
  EXPECT_EQ(error, 0);
  return fd;
}

// A server that greets with an error, after which a guard goes on listening.
class Server {
 public:
  Server() : listener_(loopback(0, true)), thread_([this] { greet_all(); }) {}
  ~Server() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  unsigned port() const {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 private:
  void greet_all() {
    for (;;) {
      Descriptor client(accept(listener_.get(), nullptr, nullptr));
      if (client.get() < 0 && errno == EMFILE) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      if (client.get() < 0) return;
      static_cast<void>(send(client.get(), "\x03\0\0\0\xff\x10\x04", 7, MSG_NOSIGNAL));
      clients_.push_back(std::move(client));
    }
  }

  const Descriptor listener_;
  std::vector<Descriptor> clients_;
  std::thread thread_;
};

bool is_greeted(const Descriptor& client) {
  constexpr int kPatienceMs = 20000;
  pollfd polled = {client.get(), POLLIN, 0};
  char greeting[7];
  return poll(&polled, 1, kPatienceMs) == 1 &&
         recv(client.get(), greeting, sizeof greeting, MSG_WAITALL) == sizeof greeting;
}

TEST(LoginRelayTest, StrangersTakeNobodysPlace) {
  const Server server;
  const auto relay = LoginRelay::start({"127.0.0.1", server.port()}, LoginTls::kRequired);
  ASSERT_TRUE(relay);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_greeted(loopback((*relay)->port(), false))) << i;
  std::vector<Descriptor> strangers;
  for (int i = 0; i < 80; ++i) strangers.push_back(loopback((*relay)->port(), false));
  const Descriptor tool = loopback((*relay)->port(), false);
  strangers.clear();
  EXPECT_TRUE(is_greeted(tool));
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST(LoginRelayTest, WithoutADescriptorItWaits) {
  const Server server;
  const auto relay = LoginRelay::start({"127.0.0.1", server.port()}, LoginTls::kRequired);
  ASSERT_TRUE(relay);
  const Descriptor tool(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(tool.get());
  close(next);
  const rlimit none = {static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>((*relay)->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(tool.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const double begun = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double used = cpu_seconds() - begun;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(used, 0.05);
  EXPECT_TRUE(is_greeted(tool));
}

TEST(LoginRelayTest, ANameThatDoesNotResolveIsSaid) {
  const auto relay = LoginRelay::start({"name.invalid", 3306}, LoginTls::kRequired);
  ASSERT_FALSE(relay);
  EXPECT_EQ(relay.error().code, Errc::kUnreachable);
  EXPECT_TRUE(relay.error().text.starts_with("name.invalid: ")) << relay.error().text;
}

}  // namespace
}  // namespace ha
