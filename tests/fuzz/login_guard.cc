// SPDX-License-Identifier: MIT
// What a server, or whoever stands between, and a tool say to each other while the tool logs in.

#include "common/failover/login_guard.h"

#include "tests/fuzz/fuzz.h"

namespace {

// The wish for TLS and the first byte of its handshake.
bool begins_tls(const std::string& sent) {
  constexpr std::size_t kWish = 36;
  return sent.size() > kWish && sent[0] == 32 && (sent[5] & 0x08) != 0 && sent[kWish] == 22;
}

}  // namespace

// Each piece has a byte for the side that sends it and one for its length.
void ha::fuzz(std::string_view text) {
  const std::string_view whole = text;
  for (const LoginTls tls : {LoginTls::kAsOffered, LoginTls::kRequired}) {
    LoginGuard guard(tls);
    std::string from_client, to_server;
    for (text = whole; text.size() > 2;) {
      const bool client = (text[0] & 1) != 0;
      const std::string_view piece = text.substr(2, static_cast<unsigned char>(text[1]));
      text.remove_prefix(2 + piece.size());
      if (client) from_client += piece;
      const std::string passed = client ? guard.from_client(piece) : guard.from_server(piece);
      if (client) to_server += passed;
      require(client || passed.size() <= whole.size());
    }
    require(from_client.starts_with(to_server));
    require(tls == LoginTls::kAsOffered || to_server.empty() || begins_tls(to_server));
  }
}
