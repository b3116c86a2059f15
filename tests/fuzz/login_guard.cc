// SPDX-License-Identifier: MIT
// What a server, or a machine between, and a tool say to each other while the tool logs in.

#include "common/context/login_guard.h"

#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

// The wish for TLS and the first byte of its handshake.
bool begins_tls(const std::string& sent) {
  constexpr std::size_t kWish = 36;
  return sent.size() > kWish && sent[0] == 32 && (sent[5] & 0x08) != 0 && sent[kWish] == 22;
}

std::vector<std::string> whole_packets(const std::string& sent) {
  std::vector<std::string> packets;
  for (std::size_t i = 0; i + 4 <= sent.size();) {
    const auto byte = [&](std::size_t at) -> std::size_t {
      return static_cast<unsigned char>(sent[i + at]);
    };
    const std::size_t size = 4 + (byte(0) | byte(1) << 8 | byte(2) << 16);
    packets.push_back(sent.substr(i, size));
    i += size;
  }
  return packets;
}

// The tool has got its login done, for it commands.
bool has_commanded(const std::string& sent) {
  for (const std::string& packet : whole_packets(sent))
    if (packet[3] == 0) return true;
  return false;
}

// Some packet after the greeting asks for a way to log in that gives the password away.
bool asks_for_password(const std::string& said) {
  const std::vector<std::string> packets = whole_packets(said);
  for (std::size_t i = 1; i < packets.size(); ++i) {
    if (packets[i].size() < 5 || packets[i][4] != '\xfe') continue;
    const std::string name = packets[i].c_str() + 5;
    if (name != "mysql_native_password" && name != "caching_sha2_password" &&
        name != "client_ed25519" && name != "parsec")
      return true;
  }
  return false;
}

}  // namespace

// Each piece has a byte for the side that sends it and one for its length.
void ha::fuzz(std::string_view text) {
  const std::string_view whole = text;
  for (const LoginTls tls : {LoginTls::kAsOffered, LoginTls::kRequired}) {
    LoginGuard guard(tls);
    std::string from_client, to_server, to_client;
    for (text = whole; text.size() > 2;) {
      const bool client = (text[0] & 1) != 0;
      const std::string_view piece = text.substr(2, static_cast<unsigned char>(text[1]));
      text.remove_prefix(2 + piece.size());
      if (client) from_client += piece;
      const std::string passed = client ? guard.from_client(piece) : guard.from_server(piece);
      (client ? to_server : to_client) += passed;
      require(begins_tls(to_server) || has_commanded(to_server) || !asks_for_password(to_client));
      require(client || passed.size() <= whole.size());
    }
    require(from_client.starts_with(to_server));
    require(tls == LoginTls::kAsOffered || to_server.empty() || begins_tls(to_server));
  }
}
