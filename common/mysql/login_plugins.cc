// SPDX-License-Identifier: MIT
#include "common/mysql/login_plugins.h"

#include <errmsg.h>
#include <mysql.h>

#ifdef MARIADB_PACKAGE_VERSION_ID

#include <mysql/plugin_auth.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstring>

namespace {

// Source: MariaDB Connector/C, include/mysql/client_plugin.h, which includes a file that Debian's
// package lacks.
struct AuthenticationPlugin {
  int type;
  unsigned interface_version;
  const char* name;
  const char* author;
  const char* description;
  unsigned version[3];
  const char* license;
  void* mysql_api;
  int (*init)(char*, std::size_t, int, va_list);
  int (*deinit)();
  int (*options)(const char*, const void*);
  int (*authenticate_user)(MYSQL_PLUGIN_VIO*, MYSQL*);
};

}  // namespace

namespace ha {

namespace {

thread_local LoginRules* rules_of_this_login = nullptr;

int refuse(LoginRefusal refusal) {
  if (rules_of_this_login != nullptr) rules_of_this_login->refusal = refusal;
  return CR_ERROR;
}

// True when what is sent next is encrypted. The library's own plugins take the wish for TLS for
// TLS, also where the server offers none. Where it offers it, TLS is up before the first thing is
// sent.
bool is_encrypted(MYSQL* mysql) {
  if (mysql_get_ssl_cipher(mysql) != nullptr) return true;
  return rules_of_this_login != nullptr && !rules_of_this_login->sent &&
         mysql->options.use_ssl != 0 && (mysql->server_capabilities & CLIENT_SSL) != 0;
}

bool is_local(MYSQL_PLUGIN_VIO* vio) {
  MYSQL_PLUGIN_VIO_INFO info = {};
  vio->info(vio, &info);
  return info.protocol == MYSQL_PLUGIN_VIO_INFO::MYSQL_VIO_SOCKET;
}

bool may_send_clear_text(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  const ClearText clear_text =
      rules_of_this_login == nullptr ? ClearText::kNever : rules_of_this_login->clear_text;
  if (clear_text == ClearText::kNever) return false;
  return is_local(vio) || (clear_text == ClearText::kVerified && is_encrypted(mysql));
}

// Sends the password with its terminating zero.
int send_password(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  const auto* const password = reinterpret_cast<const unsigned char*>(mysql->passwd);
  return vio->write_packet(vio, password, static_cast<int>(std::strlen(mysql->passwd)) + 1) == 0
             ? CR_OK
             : CR_ERROR;
}

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
constexpr std::size_t kNonceBytes = 20;

Digest sha256(const void* data, std::size_t size) {
  Digest digest = {};
  SHA256(static_cast<const unsigned char*>(data), size, digest.data());
  return digest;
}

// SHA256(password) XOR SHA256(SHA256(SHA256(password)) nonce).
// Source: MySQL's source, sha2_password/sha2_password.h, class Generate_scramble.
Digest scramble(const char* password, const unsigned char* nonce) {
  Digest answer = sha256(password, std::strlen(password));
  const Digest twice = sha256(answer.data(), answer.size());
  std::array<unsigned char, SHA256_DIGEST_LENGTH + kNonceBytes> text = {};
  std::copy_n(nonce, kNonceBytes, std::ranges::copy(twice, text.begin()).out);
  const Digest mask = sha256(text.data(), text.size());
  for (std::size_t i = 0; i < answer.size(); ++i) answer[i] ^= mask[i];
  return answer;
}

// Reads the nonce that begins both SHA-256 plugins, and answers it where there is no password.
// Returns CR_OK_HANDSHAKE_COMPLETE when there is one, else what the plugin returns.
int begin_sha256(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql, unsigned char*& nonce) {
  const int length = vio->read_packet(vio, &nonce);
  if (length < 0) return CR_ERROR;
  if (length != static_cast<int>(kNonceBytes) + 1) return CR_SERVER_HANDSHAKE_ERR;
  if (mysql->passwd != nullptr && mysql->passwd[0] != '\0') return CR_OK_HANDSHAKE_COMPLETE;
  return vio->write_packet(vio, nullptr, 0) == 0 ? CR_OK : CR_ERROR;
}

int log_in_caching_sha2(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  constexpr unsigned char kKnownAlready = 3, kPasswordWanted = 4;
  unsigned char* packet = nullptr;
  if (const int begun = begin_sha256(vio, mysql, packet); begun != CR_OK_HANDSHAKE_COMPLETE)
    return begun;
  const Digest answer = scramble(mysql->passwd, packet);
  if (vio->write_packet(vio, answer.data(), answer.size()) != 0) return CR_ERROR;
  const int length = vio->read_packet(vio, &packet);
  if (length < 0) return CR_ERROR;
  if (length != 1) return CR_SERVER_HANDSHAKE_ERR;
  if (packet[0] == kKnownAlready) return CR_OK;
  if (packet[0] != kPasswordWanted) return CR_SERVER_HANDSHAKE_ERR;
  // A server's own RSA key would be no protection: an impostor has one too.
  if (!is_encrypted(mysql) && !is_local(vio)) return refuse(LoginRefusal::kUnprotected);
  return send_password(vio, mysql);
}

int log_in_sha256(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  unsigned char* nonce = nullptr;
  if (const int begun = begin_sha256(vio, mysql, nonce); begun != CR_OK_HANDSHAKE_COMPLETE)
    return begun;
  if (!is_encrypted(mysql))
    return refuse(is_local(vio) ? LoginRefusal::kNoTls : LoginRefusal::kUnprotected);
  return send_password(vio, mysql);
}

int log_in_in_clear_text(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  if (!may_send_clear_text(vio, mysql)) return refuse(LoginRefusal::kClearText);
  return send_password(vio, mysql);
}

// Gives the password to the first question for one. Shows nothing and asks no person, so that any
// other question is the end. Source: MariaDB's source, plugin/auth_dialog/dialog.c.
int log_in_by_dialog(MYSQL_PLUGIN_VIO* vio, MYSQL* mysql) {
  constexpr int kPasswordQuestion = 2;
  constexpr unsigned char kOkPacket = 0, kSwitchPacket = 254;
  if (!may_send_clear_text(vio, mysql)) return refuse(LoginRefusal::kClearText);
  bool last = false;
  for (bool first = true; !last; first = false) {
    unsigned char* packet = nullptr;
    const int length = vio->read_packet(vio, &packet);
    if (length < 0) return CR_ERROR;
    const unsigned char kind = length == 0 ? 2 * kPasswordQuestion : packet[0];
    if (kind == kOkPacket || kind == kSwitchPacket) return CR_OK_HANDSHAKE_COMPLETE;
    if (!first || kind >> 1 != kPasswordQuestion) return refuse(LoginRefusal::kClearText);
    if (send_password(vio, mysql) != CR_OK) return CR_ERROR;
    last = (kind & 1) != 0;
  }
  return CR_OK;
}

// The answer to a scramble of servers before 4.1 is as good as the password.
int refuse_old_password(MYSQL_PLUGIN_VIO*, MYSQL*) { return refuse(LoginRefusal::kClearText); }

struct Way {
  const char* name;
  int (*authenticate_user)(MYSQL_PLUGIN_VIO*, MYSQL*);
};

constexpr Way kWays[] = {{"caching_sha2_password", log_in_caching_sha2},
                         {"sha256_password", log_in_sha256},
                         {"mysql_clear_password", log_in_in_clear_text},
                         {"dialog", log_in_by_dialog},
                         {"mysql_old_password", refuse_old_password}};

AuthenticationPlugin make_plugin(const Way& way) {
  constexpr int kAuthentication = 2;
  constexpr unsigned kInterface = 0x0100;
  AuthenticationPlugin plugin = {};
  plugin.type = kAuthentication;
  plugin.interface_version = kInterface;
  plugin.name = way.name;
  plugin.authenticate_user = way.authenticate_user;
  return plugin;
}

}  // namespace

bool install_login_plugins() {
  static std::array<AuthenticationPlugin, std::size(kWays)> plugins;
  MYSQL unused = {};  // the library writes its error here
  for (std::size_t i = 0; i < plugins.size(); ++i) {
    plugins[i] = make_plugin(kWays[i]);
    auto* const used = mysql_client_register_plugin(
        &unused, reinterpret_cast<st_mysql_client_plugin*>(&plugins[i]));
    if (used == nullptr) return false;
    // What is built into the library keeps its place, and gets our function.
    reinterpret_cast<AuthenticationPlugin*>(used)->authenticate_user = kWays[i].authenticate_user;
  }
  return true;
}

void set_login_rules(LoginRules* rules) { rules_of_this_login = rules; }

}  // namespace ha

#else

// Oracle's library sends clear text only where MYSQL_ENABLE_CLEARTEXT_PLUGIN is set, and asks for
// no RSA key unless MYSQL_OPT_GET_SERVER_PUBLIC_KEY is.
namespace ha {
bool install_login_plugins() { return true; }
void set_login_rules(LoginRules*) {}
}  // namespace ha

#endif
