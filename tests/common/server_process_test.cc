// SPDX-License-Identifier: MIT
#include "common/server_process.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/posix_process.h"

namespace ha {
namespace {

// A process of that name which listens on a port and is stopped.
class Listener {
 public:
  explicit Listener(const char* name) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      ADD_FAILURE() << "cannot listen";
    port = ntohs(address.sin_port);
    pid = fork();
    if (pid == 0) {
      prctl(PR_SET_NAME, name);
      raise(SIGSTOP);
      _exit(0);
    }
    close(fd);
    waitpid(pid, nullptr, WUNTRACED);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

  unsigned port = 0;
  pid_t pid = 0;
};

std::string text_of(const Result<ServerProcess>& found) { return found ? "" : found.error().text; }

TEST(ServerProcessTest, AServerIsKnownByItsProgramAndItsPort) {
  const Listener server("mariadbd"), other("postgres");
  const std::string name = std::to_string(server.pid);
  const auto found = find_server_process(server.pid, server.port);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->id, server.pid);
  EXPECT_NEAR(found->age_s, 0, 30);
  EXPECT_EQ(text_of(find_server_process(server.pid, other.port)),
            "process " + name + " does not listen on port " + std::to_string(other.port));
  EXPECT_EQ(text_of(find_server_process(other.pid, other.port)),
            "process " + std::to_string(other.pid) + " is no mysqld or mariadbd");
  EXPECT_EQ(text_of(find_server_process(-1, server.port)), "there is no process -1");
}

TEST(ServerProcessTest, AStoppedOneIsKilled) {
  Listener server("mysqld");
  PosixProcess process;
  const auto found = process.find_server(server.pid, server.port);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_TRUE(process.is_running(*found));
  EXPECT_TRUE(process.kill_server(*found));
  int status = 0;
  ASSERT_EQ(waitpid(server.pid, &status, 0), server.pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_FALSE(process.is_running(*found));
  EXPECT_TRUE(process.kill_server(*found));  // it has ended
}

TEST(ServerProcessTest, AnIdThatWasGivenAgainIsNotKilled) {
  Listener server("mysqld");
  const auto found = find_server_process(server.pid, server.port);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_TRUE(kill_process({found->id, found->started + 1}));
  EXPECT_EQ(waitpid(server.pid, nullptr, WNOHANG), 0);
}

TEST(ServerProcessTest, ListenersOfAPort) {
  const std::string table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
      "inode\n"
      "   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   112        0 "
      "8811 1 0 100 0 0 10 0\n"
      "   1: 0100007F:0CEA 0100007F:C350 01 00000000:00000000 00:00000000 00000000   112        0 "
      "8812 1 0 100 0 0 10 0\n"
      "   2: 0100007F:0CEB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   112        0 "
      "8813 1 0 100 0 0 10 0\n";
  EXPECT_EQ(find_listeners(table, 3306), std::set<std::string>{"8811"});
}

}  // namespace
}  // namespace ha
