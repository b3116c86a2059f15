// SPDX-License-Identifier: MIT
#include "common/mysql/login_options.h"

#include <fmt/format.h>

#include "common/mysql/login_plugins.h"
#include "common/mysql/mysql_session.h"
#include "common/text.h"

namespace ha {

namespace {

// The two libraries share the words for files and ciphers, not those for the modes.
void set_tls_files(MYSQL* mysql, const MysqlOptions& options) {
  const auto set = [&](mysql_option option, const std::string& value) {
    if (!value.empty()) mysql_options(mysql, option, value.c_str());
  };
  set(MYSQL_OPT_SSL_CA, options.ca);
  set(MYSQL_OPT_SSL_CAPATH, options.ca_directory);
  set(MYSQL_OPT_SSL_CERT, options.certificate);
  set(MYSQL_OPT_SSL_KEY, options.key);
  set(MYSQL_OPT_SSL_CIPHER, options.ciphers);
  set(MYSQL_OPT_SSL_CRL, options.crl);
  set(MYSQL_OPT_SSL_CRLPATH, options.crl_directory);
  set(MYSQL_OPT_TLS_VERSION, options.tls_versions);
}

#ifdef MARIADB_PACKAGE_VERSION_ID

void set_tls_mode(MYSQL* mysql, TlsMode mode) {
  if (mode == TlsMode::kDisabled)  // Any of these files would switch TLS on.
    for (const mysql_option file :
         {MYSQL_OPT_SSL_CA, MYSQL_OPT_SSL_CAPATH, MYSQL_OPT_SSL_CERT, MYSQL_OPT_SSL_KEY,
          MYSQL_OPT_SSL_CIPHER, MYSQL_OPT_SSL_CRL, MYSQL_OPT_SSL_CRLPATH})
      mysql_options(mysql, file, nullptr);
  my_bool use = mode != TlsMode::kDisabled;
  // A CA alone makes the library check the chain, this flag adds the host's name. Without a CA the
  // flag is also what makes it check against the system's.
  const bool no_ca = mysql->options.ssl_ca == nullptr && mysql->options.ssl_capath == nullptr;
  my_bool verify = mode == TlsMode::kVerifyIdentity || (mode == TlsMode::kVerifyCa && no_ca);
  mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use);
  // Since 3.4 the library checks unless the option is off.
  mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

#else

void set_tls_mode(MYSQL* mysql, TlsMode mode) {
  unsigned native = SSL_MODE_PREFERRED;
  switch (mode) {
    case TlsMode::kDisabled:
      native = SSL_MODE_DISABLED;
      break;
    case TlsMode::kPreferred:
      break;
    case TlsMode::kRequired:
      native = SSL_MODE_REQUIRED;
      break;
    case TlsMode::kVerifyCa:
      native = SSL_MODE_VERIFY_CA;
      break;
    case TlsMode::kVerifyIdentity:
      native = SSL_MODE_VERIFY_IDENTITY;
      break;
  }
  mysql_options(mysql, MYSQL_OPT_SSL_MODE, &native);
}

#endif

// Plugins come from the compiled-in directory and are of the allowed ways to log in; a hostile
// server could ask for any file that we can read.
void restrict_login(MYSQL* mysql, [[maybe_unused]] const MysqlOptions& options) {
  const unsigned no_files = 0;
  mysql_options(mysql, MYSQL_PLUGIN_DIR, nullptr);  // the compiled-in one
  mysql_options(mysql, MYSQL_DEFAULT_AUTH, nullptr);
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
#ifdef MARIADB_PACKAGE_VERSION_ID
  const my_bool off = 0;
  mysql_options(mysql, MYSQL_OPT_RECONNECT, &off);  // which would log in unguarded
#if MARIADB_PACKAGE_VERSION_ID >= 30301
  mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, kAllowedPlugins);
#endif
#else
  const bool clear_text =
      options.clear_text && (effective_tls_mode(options) >= TlsMode::kVerifyCa || !by_tcp(options));
  mysql_options(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &clear_text);
#endif
}

}  // namespace

Result<Done> check_host(std::string_view host) {
  if (host.starts_with('/')) return Done{};
  for (const std::string_view mark : {";", "=", ",", "://"})
    if (host.find(mark) != host.npos)
      return Error{Errc::kUsage, fmt::format("'{}' is no host: it has '{}'", sanitize(host), mark)};
  return Done{};
}

void set_login_options(MYSQL* mysql, const MysqlOptions& options) {
  set_tls_files(mysql, options);
  set_tls_mode(mysql, effective_tls_mode(options));
  if (options.connect_timeout_s != 0)
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &options.connect_timeout_s);
  if (options.answer_timeout_s != 0)
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &options.answer_timeout_s);
  restrict_login(mysql, options);
  const unsigned tcp = MYSQL_PROTOCOL_TCP;
  if (by_tcp(options)) mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMaxPacket);
}

bool verifies_nothing([[maybe_unused]] MYSQL* mysql) {
#ifdef MARIADB_PACKAGE_VERSION_ID
  my_bool verifies = 1;
  return mysql_get_option(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies) == 0 && verifies == 0;
#else
  return false;
#endif
}

}  // namespace ha
