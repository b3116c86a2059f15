// SPDX-License-Identifier: MIT
#include "common/mysql/connect.h"

#include <fmt/format.h>
#include <mysql.h>

#include "common/mysql/client_library.h"
#include "common/mysql/login_options.h"
#include "common/mysql/mysql_session.h"
#include "common/mysql/system_cas.h"
#include "common/mysql/tls_guard.h"
#include "common/mysql/transfer_limit.h"

namespace ha {

namespace {

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

Peer peer_of(const MysqlOptions& options) {
  Peer peer{server_label(options)};
  if (by_tcp(options))
    peer.place = {options.host.empty() ? "localhost" : options.host,
                  options.port != 0 ? options.port : kMysqlPort};
  return peer;
}

// False when the library reports a failure.
bool log_in(MYSQL* mysql, const Peer& peer, const MysqlOptions& options) {
  const bool path = options.host.starts_with('/');
  const char* const host = path         ? nullptr
                           : peer.place ? peer.place->host.c_str()
                                        : or_null(options.host);
  const char* const socket = path ? options.host.c_str() : or_null(options.socket);
  const char* const password = options.password ? options.password->c_str() : nullptr;
  // Else the library takes what /etc/services and the environment say for the default.
  const unsigned port = peer.place ? peer.place->port : options.port;
  return mysql_real_connect(mysql, host, or_null(options.user), password, nullptr, port, socket,
                            0) != nullptr;
}

}  // namespace

Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) {
  // The TLS settings in it must not be lost.
  if (!options.defaults_file.empty())
    return Error{Errc::kInternal, "the defaults file has not been read"};
  if (const auto plain = check_host(options.host); !plain) return plain.error();
  if (!start_client_library())
    return Error{Errc::kInternal, "the MySQL client library does not start"};
  const Peer peer = peer_of(options);
  auto session = std::make_unique<MysqlSession>(peer, options.answer_timeout_s);
  MYSQL* const mysql = session->handle();
  if (mysql == nullptr) return Error{Errc::kInternal, "out of memory"};

  set_login_options(mysql, options);
  const TransferLimit transfer(
      mysql, kMaxHeader,
      options.answer_timeout_s == 0 ? 0 : options.connect_timeout_s + options.answer_timeout_s);
  const SystemCas cas(verifies_nothing(mysql) ? SystemCas::Use::kNone : SystemCas::Use::kVerify);
  const TlsGuard tls(mysql, options);
  const bool connected = log_in(mysql, peer, options);
  const bool no_tls = connected && effective_tls_mode(options) >= TlsMode::kRequired &&
                      mysql_get_ssl_cipher(mysql) == nullptr;
  if (tls.refused() || no_tls)
    return Error{Errc::kUnreachable,
                 peer.label + ": TLS is required but the server does not offer it"};
  if (!connected)
    return tls.refusal() == LoginRefusal::kNone ? session->login_error(transfer)
                                                : describe_refusal(peer.label, tls.refusal());
  session->remember_version();
  return std::unique_ptr<SqlSession>(std::move(session));
}

}  // namespace ha
