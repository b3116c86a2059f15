// SPDX-License-Identifier: MIT
#include "common/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "common/posix_process.h"
#include "common/process_table.h"
#include "common/text.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// Returns a socket that listens on a port of its own.
int listen_anywhere(unsigned& port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 1) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    ADD_FAILURE() << "cannot listen";
  port = ntohs(address.sin_port);
  return fd;
}

// A process of that name which listens on a port and is stopped, or one that executes a program.
class Listener {
 public:
  explicit Listener(const char* name) {
    const int fd = listen_anywhere(port);
    pid = fork();
    if (pid == 0) {
      prctl(PR_SET_NAME, name);
      raise(SIGSTOP);
      _exit(0);
    }
    close(fd);
    waitpid(pid, nullptr, WUNTRACED);
  }
  explicit Listener(std::vector<std::string> argv) {
    const int fd = listen_anywhere(port);
    int ends[2];
    if (pipe2(static_cast<int*>(ends), O_CLOEXEC) != 0) ADD_FAILURE() << "no pipe";
    std::vector<char*> words;
    for (std::string& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    pid = fork();
    if (pid == 0) {
      execv(words[0], words.data());
      _exit(127);
    }
    close(fd);
    close(ends[1]);
    char none;
    EXPECT_EQ(read(ends[0], &none, 1), 0);  // until it executes the program
    close(ends[0]);
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

// Returns the loader of this program.
std::string own_loader() {
  const std::string maps = process_file("self", "maps");
  for (const std::string& line : split(maps, '\n'))
    if (const std::size_t path = line.find('/'); path != line.npos && is_loader(line.substr(path)))
      return line.substr(path);
  ADD_FAILURE() << "no loader";
  return "";
}

TEST(ServerProcessTest, AServerMayBeStartedByALoaderOrUnderAnotherName) {
  const TempDirectory directory;
  const auto copy = [&](const std::string& name) {
    std::filesystem::copy_file("/bin/sleep", directory.path(name));
    return directory.path(name);
  };
  const std::string mysqld = copy("mysqld"), debug = copy("mysqld-debug"),
                    other = copy("mysqldump"), loader = own_loader();
  const struct {
    std::vector<std::string> argv;
    bool found;
  } cases[] = {
      {{loader, mysqld, "60"}, true},
      {{loader, "--inhibit-cache", "--library-path", "/lib", mysqld, "60"}, true},
      {{debug, "60"}, true},
      {{loader, other, "60"}, false},
      {{other, "60"}, false},
      {{"/bin/sleep", "60", "/usr/sbin/mysqld"}, false},
  };
  for (const auto& c : cases) {
    const Listener server(c.argv);
    const auto found = find_server_process(server.pid, server.port);
    EXPECT_EQ(found.has_value(), c.found) << c.argv[0] << ": " << text_of(found);
    EXPECT_FALSE(find_server_process(server.pid, server.port + 1)) << c.argv[0];
  }
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
