// SPDX-License-Identifier: MIT
#include "common/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "common/open_file.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// The manager's end of the socket.
class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {AF_UNIX, {}};
    const std::string path = directory_.path("notify");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }

  // Returns all messages since the last call.
  std::vector<std::string> told() const {
    std::vector<std::string> all;
    char buffer[512];
    for (;;) {
      const ssize_t size = recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (size < 0) return all;
      all.emplace_back(buffer, static_cast<std::size_t>(size));
    }
  }

  TempDirectory directory_;
  Descriptor socket_;
};

using Told = std::vector<std::string>;

TEST_F(ServiceManagerTest, TheManagerIsToldHowTheServiceIs) {
  ServiceManager manager;
  manager.ready();
  manager.show("watching");
  manager.alive(10, 0);
  manager.stopping();
  EXPECT_EQ(told(), (Told{"READY=1", "STATUS=watching", "STOPPING=1"}));
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "no hook is to speak for us";
}

TEST_F(ServiceManagerTest, ASignOfLifeComesFourTimesAsOftenAsItIsWanted) {
  setenv("WATCHDOG_USEC", "20000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  ServiceManager manager;
  const struct {
    double seconds, now_s;
    Told want;
    const char* name;
  } cases[] = {
      {10, 100, {"WATCHDOG=1"}, "the first"},
      {10, 104, {}, "it was told just now"},
      {10, 105, {"WATCHDOG=1"}, "a quarter of the time is over"},
      {200, 106, {"WATCHDOG_USEC=200000000\nWATCHDOG=1"}, "a failover may take that long"},
      {10, 107, {"WATCHDOG_USEC=20000000\nWATCHDOG=1"}, "it has ended"},
      {10, 108, {}, "as before"},
  };
  for (const auto& c : cases) {
    manager.alive(c.seconds, c.now_s);
    EXPECT_EQ(told(), c.want) << c.name;
  }
}

TEST_F(ServiceManagerTest, AnotherProcessIsWaitedFor) {
  setenv("WATCHDOG_USEC", "20000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  ServiceManager manager;
  manager.alive(10, 100);
  EXPECT_EQ(told(), Told{});
}

TEST_F(ServiceManagerTest, WithoutAManagerNothingIsTold) {
  unsetenv("NOTIFY_SOCKET");
  ServiceManager manager;
  manager.ready();
  EXPECT_EQ(told(), Told{});
}

}  // namespace
}  // namespace ha
