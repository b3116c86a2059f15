// SPDX-License-Identifier: MIT
#include "common/context/login_guard.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace ha {

namespace {

constexpr std::size_t kHeader = 4, kMostPacket = 64 << 10;
constexpr unsigned kSecureConnection = 0x8000, kPluginAuth = 0x80000, kSsl = 0x800;
constexpr unsigned char kError = 0xFF, kSwitch = 0xFE, kGreetingVersion = 10, kTlsHandshake = 22;

unsigned byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

unsigned number_at(std::string_view bytes, std::size_t i) {
  return byte_at(bytes, i) | byte_at(bytes, i + 1) << 8;
}

std::size_t packet_size(std::string_view bytes) {
  return kHeader + (number_at(bytes, 0) | byte_at(bytes, 2) << 16);
}

// Each side's packet has the number after the other's; a command begins anew with 0.
unsigned packet_number(std::string_view bytes) { return byte_at(bytes, 3); }

// Those whose answer does not tell the password to one who has chosen the challenge. The tools
// themselves send no password for caching_sha2_password without TLS.
bool is_safe(std::string_view plugin) {
  constexpr std::string_view kSafe[] = {"mysql_native_password", "caching_sha2_password",
                                        "client_ed25519", "parsec"};
  return std::ranges::find(kSafe, plugin.substr(0, plugin.find('\0'))) != std::end(kSafe);
}

std::string gives_away(std::string_view plugin) {
  std::string text = "the server asks for a login method that reveals the password";
  if (plugin.substr(0, plugin.find('\0')) == "dialog")
    text += std::string("; ") + LoginGuard::kNoDialog;
  return text;
}

}  // namespace

std::string LoginGuard::refuse(std::string reason) {
  phase_ = Phase::kRefused;
  refusal_ = std::move(reason);
  return "";
}

std::string LoginGuard::from_server(std::string_view bytes) {
  if (phase_ == Phase::kRefused) return "";
  if (phase_ == Phase::kOpen) return std::exchange(server_, "").append(bytes);
  server_ += bytes;
  std::string passed;
  while (server_.size() >= kHeader) {
    const std::size_t size = packet_size(server_);
    if (size > kMostPacket) return refuse(kOutOfTurn);
    if (server_.size() < size) return passed;
    const std::string_view packet = std::string_view(server_).substr(0, size);
    const bool fine =
        phase_ == Phase::kGreeting ? judge_greeting(packet.substr(kHeader)) : judge_plain(packet);
    if (!fine) return "";
    passed += server_.substr(0, size);
    server_.erase(0, size);
  }
  return passed;
}

bool LoginGuard::judge_greeting(std::string_view payload) {
  phase_ = Phase::kHandshake;
  if (byte_at(payload, 0) == kError) return true;
  const std::size_t version_end = payload.find('\0');
  if (byte_at(payload, 0) != kGreetingVersion || version_end == payload.npos) {
    refuse(kOutOfTurn);
    return false;
  }
  // The thread's number, 8 bytes of the challenge, a filler; what the server can, in two halves.
  const std::size_t low = version_end + 1 + 4 + 8 + 1, high = low + 5;
  const unsigned can = number_at(payload, low) | number_at(payload, high) << 16;
  // With a challenge of another length the tools differ in where they look for the name.
  constexpr std::size_t kChallenge = 21, kFirstPart = 8;
  const std::size_t name = high + 2 + 1 + 10 + kChallenge - kFirstPart;
  const std::string_view plugin = name < payload.size() ? payload.substr(name) : "";
  const bool safe = (can & kSecureConnection) != 0 && (can & kPluginAuth) != 0 &&
                    byte_at(payload, high + 2) == kChallenge && is_safe(plugin);
  unsafe_ = safe ? "" : gives_away(plugin);
  return true;
}

// A server's word that the login is over counts for nothing: one that lies could go on asking.
bool LoginGuard::judge_plain(std::string_view packet) {
  // The tool has not answered yet, or its next answer would look like a command.
  constexpr unsigned kLastNumber = 255;
  if (phase_ == Phase::kHandshake || packet_number(packet) == kLastNumber) {
    refuse(kOutOfTurn);
    return false;
  }
  const std::string_view payload = packet.substr(kHeader);
  if (byte_at(payload, 0) == kSwitch && !is_safe(payload.substr(1))) {
    refuse(gives_away(payload.substr(1)));
    return false;
  }
  return true;
}

std::string LoginGuard::from_client(std::string_view bytes) {
  if (phase_ == Phase::kRefused) return "";
  if (phase_ == Phase::kOpen) return std::string(bytes);
  client_ += bytes;
  return phase_ == Phase::kPlainLogin ? pass_login() : judge_first_answer();
}

// Passes whole packets, until the tool begins a command.
std::string LoginGuard::pass_login() {
  std::string passed;
  while (client_.size() >= kHeader) {
    if (packet_number(client_) == 0) {
      phase_ = Phase::kOpen;
      return passed + std::exchange(client_, "");
    }
    const std::size_t size = packet_size(client_);
    if (size > kMostPacket)
      return refuse("the tool does not log in as the tools of MySQL and MariaDB do");
    if (client_.size() < size) break;
    passed += client_.substr(0, size);
    client_.erase(0, size);
  }
  return passed;
}

// The wish for TLS is a login that ends before the account's name.
std::string LoginGuard::judge_first_answer() {
  constexpr std::size_t kWish = kHeader + 32;
  if (client_.size() < kWish) return "";
  const bool wish = packet_size(client_) == kWish && (number_at(client_, kHeader) & kSsl) != 0;
  if (packet_number(client_) != 1 ||
      (wish && client_.size() > kWish && byte_at(client_, kWish) != kTlsHandshake))
    return refuse("the tool does not log in as the tools of MySQL and MariaDB do");
  if (!wish && tls_ == LoginTls::kRequired)
    return refuse("TLS is required but the server does not offer it");
  if (!wish && !unsafe_.empty()) return refuse(unsafe_);
  if (wish && client_.size() == kWish) return "";  // until TLS begins
  phase_ = wish ? Phase::kOpen : Phase::kPlainLogin;
  return wish ? std::exchange(client_, {}) : pass_login();
}

}  // namespace ha
