// SPDX-License-Identifier: MIT
// The TLS guard is seen from outside, by what a login sends to a server that offers no TLS, as when
// its greeting was changed on the way.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include "common/mysql/connect.h"
#include "common/mysql/session.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// Greets one client without the offer of TLS; records all that it sends until it hangs up.
class BareServer {
 public:
  BareServer() : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    listen(fd_, 1);
    sent_ = std::async(std::launch::async, [this] { return serve(accept(fd_, nullptr, nullptr)); });
  }
  ~BareServer() { close(fd_); }
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  std::string path() const { return directory_.path("socket"); }
  // Waits for the client's end.
  std::string sent() { return sent_.get(); }

 private:
  static std::string serve(int client) {
    // Protocol 10; LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION and PLUGIN_AUTH, not SSL.
    using namespace std::string_literals;
    const std::string greeting =
        "\x0a"
        "8.0.40\0"s
        "\x07\0\0\0"s
        "abcdefgh\0"s
        "\x01\x82\x2d\x02\0\x08\0\x15"s +
        std::string(10, '\0') +
        "ijklmnopqrst\0"s
        "mysql_native_password\0"s;
    const std::string packet =
        std::string(1, static_cast<char>(greeting.size())) + "\0\0\0"s + greeting;
    send(client, packet.data(), packet.size(), MSG_NOSIGNAL);
    std::string all;
    char piece[512];
    for (ssize_t got; (got = read(client, piece, sizeof piece)) > 0;) {
      all.append(piece, static_cast<std::size_t>(got));
      shutdown(client, SHUT_WR);  // no answer: the login fails
    }
    close(client);
    return all;
  }

  TempDirectory directory_;
  int fd_;
  std::future<std::string> sent_;
};

MysqlOptions options_for(const BareServer& server, TlsMode mode) {
  MysqlOptions options;
  options.host = server.path();
  options.user = "watcher";
  options.password = "secret";
  options.tls_mode = mode;
  return options;
}

TEST(TlsGuardTest, NothingIsSentWhereTlsIsRequiredAndNotOffered) {
  for (const TlsMode mode : {TlsMode::kRequired, TlsMode::kVerifyCa, TlsMode::kVerifyIdentity}) {
    BareServer server;
    const auto session = connect(options_for(server, mode));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::kUnreachable);
    EXPECT_EQ(session.error().text,
              server.path() + ": TLS is required but the server does not offer it");
    EXPECT_EQ(server.sent(), "");
  }
}

TEST(TlsGuardTest, TheLoginIsSentWhereTlsIsAWish) {
  for (const TlsMode mode : {TlsMode::kDisabled, TlsMode::kPreferred}) {
    BareServer server;
    const auto session = connect(options_for(server, mode));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().text.find("TLS is required"), std::string::npos);
    EXPECT_NE(server.sent().find("watcher"), std::string::npos);
  }
}

TEST(TlsGuardTest, ALoginDoesNotHearOfTheOneBefore) {
  BareServer first, second;
  EXPECT_FALSE(connect(options_for(first, TlsMode::kRequired)));
  EXPECT_FALSE(connect(options_for(second, TlsMode::kPreferred)));
  EXPECT_EQ(first.sent(), "");
  EXPECT_NE(second.sent(), "");
}

}  // namespace
}  // namespace ha
