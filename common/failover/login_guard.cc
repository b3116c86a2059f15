// SPDX-License-Identifier: MIT
#include "common/failover/login_guard.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace ha {

namespace {

constexpr std::size_t kHeader = 4, kMostPacket = 64 << 10;
constexpr unsigned kSecureConnection = 0x8000, kPluginAuth = 0x80000, kSsl = 0x800;
constexpr unsigned char kOk = 0x00, kError = 0xFF, kSwitch = 0xFE, kGreetingVersion = 10,
                        kTlsHandshake = 22;

unsigned byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

unsigned number_at(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i) | byte_at(bytes, i + 1) << 8;
}

std::size_t packet_size(std::string_view bytes) {
  return kHeader + (number_at(bytes, 0) | byte_at(bytes, 2) << 16);
}

// Those whose answer does not tell the password to one who has chosen the challenge. The tools
// themselves send no password for caching_sha2_password without TLS.
bool is_safe(std::string_view plugin) {
  constexpr std::string_view kSafe[] = {"mysql_native_password", "caching_sha2_password",
                                        "client_ed25519", "parsec"};
  return std::ranges::find(kSafe, plugin.substr(0, plugin.find('\0'))) != std::end(kSafe);
}

}  // namespace

std::string LoginGuard::refuse(std::string reason) {
  phase_ = Phase::kRefused;
  refusal_ = std::move(reason);
  return "";
}

std::string LoginGuard::from_server(std::string_view bytes) {
  if (phase_ == Phase::kRefused) return "";
  if (phase_ == Phase::kOpen) return std::string(bytes);
  server_ += bytes;
  std::string passed;
  while (phase_ != Phase::kOpen && server_.size() >= kHeader) {
    const std::size_t size = packet_size(server_);
    if (size > kMostPacket) return refuse("the server does not greet as MySQL and MariaDB do");
    if (server_.size() < size) return passed;
    const std::string_view payload = std::string_view(server_).substr(kHeader, size - kHeader);
    const bool fine = phase_ == Phase::kGreeting ? judge_greeting(payload) : judge_plain(payload);
    if (!fine) return "";
    passed += server_.substr(0, size);
    server_.erase(0, size);
  }
  if (phase_ == Phase::kOpen) passed += std::exchange(server_, "");
  return passed;
}

bool LoginGuard::judge_greeting(std::string_view payload) {
  phase_ = Phase::kHandshake;
  if (byte_at(payload, 0) == kError) return true;
  const std::size_t version_end = payload.find('\0');
  if (byte_at(payload, 0) != kGreetingVersion || version_end == payload.npos) {
    refuse("the server does not greet as MySQL and MariaDB do");
    return false;
  }
  // The thread's number, 8 bytes of the challenge, a filler; what the server can, in two halves.
  const std::size_t low = version_end + 1 + 4 + 8 + 1, high = low + 5;
  const unsigned can = number_at(payload, low) | number_at(payload, high) << 16;
  const std::size_t challenge = high + 2 + 1 + 10;
  const std::size_t more = std::max<std::size_t>(13, std::max(8u, byte_at(payload, high + 2)) - 8);
  const std::string_view plugin =
      challenge + more < payload.size() ? payload.substr(challenge + more) : "";
  greets_safely_ = (can & kSecureConnection) != 0 && (can & kPluginAuth) != 0 && is_safe(plugin);
  return true;
}

bool LoginGuard::judge_plain(std::string_view payload) {
  // Out of turn: the tool has not answered yet.
  if (phase_ == Phase::kHandshake) {
    refuse("the server does not greet as MySQL and MariaDB do");
    return false;
  }
  const unsigned kind = byte_at(payload, 0);
  if (kind == kOk || kind == kError) phase_ = Phase::kOpen;
  if (kind == kSwitch && !is_safe(payload.substr(1))) {
    refuse("the server asks for a way to log in that gives the password away");
    return false;
  }
  return true;
}

std::string LoginGuard::from_client(std::string_view bytes) {
  if (phase_ == Phase::kRefused) return "";
  if (phase_ == Phase::kOpen || phase_ == Phase::kPlainLogin) return std::string(bytes);
  client_ += bytes;
  return judge_first_answer();
}

// The wish for TLS is a login that ends before the account's name.
std::string LoginGuard::judge_first_answer() {
  constexpr std::size_t kWish = kHeader + 32;
  if (client_.size() < kWish) return "";
  const bool wish = packet_size(client_) == kWish && (number_at(client_, kHeader) & kSsl) != 0;
  if (wish && client_.size() > kWish && byte_at(client_, kWish) != kTlsHandshake)
    return refuse("the tool does not begin TLS");
  if (!wish && tls_ == LoginTls::kRequired)
    return refuse("TLS is required but the server does not offer it");
  if (!wish && !greets_safely_)
    return refuse("the server asks for a way to log in that gives the password away");
  if (wish && client_.size() == kWish) return "";  // until TLS begins
  phase_ = wish ? Phase::kOpen : Phase::kPlainLogin;
  return std::exchange(client_, "");
}

}  // namespace ha
