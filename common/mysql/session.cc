// SPDX-License-Identifier: MIT
#include "common/mysql/session.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <mysql.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <mutex>

#include "common/machine.h"
#include "common/mysql/client_library.h"
#include "common/mysql/login_plugins.h"
#include "common/mysql/transfer_limit.h"
#include "common/reach.h"
#include "common/text.h"

// Error numbers of clients and servers; the names differ between the two libraries' headers.
namespace {
constexpr unsigned kClientErrors = 2000, kClientErrorsEnd = 3000;
constexpr unsigned kTooManyConnections = 1040, kDbAccessDenied = 1044, kAccessDeniedForUser = 1045,
                   kUnknownDatabase = 1049, kHostBlocked = 1129, kHostNotPrivileged = 1130,
                   kTableAccessDenied = 1142, kColumnAccessDenied = 1143, kNoSuchTable = 1146,
                   kTooManyUserConnections = 1203, kUserLimitReached = 1226,
                   kSpecificAccessDenied = 1227, kAccessDeniedNoPassword = 1698,
                   kMustChangePassword = 1820, kMustChangePasswordLogin = 1862,
                   kAccountLocked = 3118, kAccountHasBeenLocked = 4151, kServerShutdown = 1053,
                   kNotSupportedAuth = 1251, kUnknownCommand = 1047, kOutOfSync = 2014,
                   kTlsError = 2026, kServerIsOffline = 3032, kPluginNotAllowed = 5010;
constexpr unsigned kPacketTooLarge = 2020, kPacketTooLargeHere = 1153;
constexpr int kHighestErrno = 4096;
}  // namespace

namespace ha {

namespace {

Errc classify_errno(unsigned number) {
  switch (number) {
    case kTooManyConnections:
    case kHostBlocked:
    case kTooManyUserConnections:
    case kUserLimitReached:
    case kServerIsOffline:
    case kUnknownCommand:  // what a Galera node says that is not ready or rejects queries
      return Errc::kRefused;
    case kAccessDeniedForUser:
    case kHostNotPrivileged:
    case kAccessDeniedNoPassword:
    case kMustChangePassword:
    case kMustChangePasswordLogin:
    case kAccountLocked:
    case kAccountHasBeenLocked:
    case kNotSupportedAuth:
      return Errc::kAccessDenied;
    case kDbAccessDenied:
    case kTableAccessDenied:
    case kColumnAccessDenied:
    case kSpecificAccessDenied:
      return Errc::kPrivilege;
    case kUnknownDatabase:
    case kNoSuchTable:
      return Errc::kMissing;
    case kServerShutdown:
      return Errc::kUnreachable;
    case kOutOfSync:
      return Errc::kInternal;
    default:
      return number >= kClientErrors && number < kClientErrorsEnd ? Errc::kUnreachable
                                                                  : Errc::kBadData;
  }
}

// Returns the errno that ends an error's text, "... (111)", 0 when there is none.
int errno_of(std::string_view text) {
  const std::size_t begin = text.rfind('(');
  if (begin == text.npos || !text.ends_with(')')) return 0;
  const auto number = parse_integer(text.substr(begin + 1, text.size() - begin - 2));
  return number && *number > 0 && *number < kHighestErrno ? static_cast<int>(*number) : 0;
}

// True for an error of this machine's: no descriptor, no memory, no port or buffer for one more
// connection, a packet filter that lets none out. It says nothing of the server. `place` is null
// where the server is not reached by TCP.
bool is_our_own(unsigned number, int reason, const HostPort* place) {
  constexpr unsigned kNoSocket = 2001, kNotConnected = 2002, kNotConnectedTo = 2003,
                     kNoTcpSocket = 2004, kOutOfMemory = 2008;
  if (number == kNoSocket || number == kOutOfMemory) return true;
  if (number == kNoTcpSocket && reason != EAFNOSUPPORT) return true;
  if (place != nullptr &&
      (number == kNotConnected || number == kNotConnectedTo || number == kNoTcpSocket))
    return is_cut_off(reason, *place);
  return is_own_want(reason) || reason == EPERM || reason == EACCES;
}

// MariaDB's library wraps what a server says before TLS is up, such as that it takes no more
// connections: "Received error packet before completion of TLS handshake. ...: 1040 - Too many".
void unwrap_early_error(unsigned& number, std::string& text) {
  constexpr std::string_view kSeparator = " - ";
  if (!text.starts_with("Received error packet before completion of TLS handshake")) return;
  const std::size_t colon = text.find(": "), dash = text.find(kSeparator);
  if (colon >= dash || dash == text.npos) return;
  const auto told = parse_integer(std::string_view(text).substr(colon + 2, dash - colon - 2));
  if (!told || *told <= 0) return;
  number = static_cast<unsigned>(*told);
  text.erase(0, dash + kSeparator.size());
}

constexpr std::size_t kMebibyte = 1u << 20;
// The descriptions of a result's columns, or all that a server says at the login.
constexpr std::size_t kMaxHeader = kMebibyte;
// The largest single row, which the library takes whole.
constexpr unsigned long kMaxPacket = 64 * kMebibyte;

struct ResultLimit {
  std::size_t rows, bytes;
};
// The status of a hub has each channel's sets of GTIDs in a row.
constexpr ResultLimit kUsualResult = {10'000, 32 * kMebibyte},
                      kLongResult = {1'000'000, 256 * kMebibyte};

// Names a statement in an error: its beginning, up to the first value, which may be a secret.
std::string name_statement(const std::string& sql) {
  constexpr std::size_t kMost = 60;
  if (sql.empty()) return "the login";
  return "'" + sanitize(shorten(trim(sql.substr(0, sql.find_first_of("'\""))), kMost)) + "'";
}

class MysqlSession : public SqlSession {
 public:
  // `place` is what is connected to by TCP.
  MysqlSession(std::string label, std::optional<HostPort> place, unsigned answer_timeout_s)
      : label_(std::move(label)),
        place_(std::move(place)),
        mysql_(mysql_init(nullptr)),
        answer_timeout_s_(answer_timeout_s) {}
  ~MysqlSession() override {
    if (mysql_ != nullptr) mysql_close(mysql_);
  }
  MysqlSession(const MysqlSession&) = delete;
  MysqlSession& operator=(const MysqlSession&) = delete;

  MYSQL* handle() { return mysql_; }
  void remember_version() {
    version_ = parse_version(mysql_get_server_info(mysql_), mysql_->server_capabilities);
  }
  const Version& version() const override { return version_; }

  // Returns what went wrong with a statement, or with the login when there is none.
  Error error(const TransferLimit& transfer, const ResultLimit& limit,
              const std::string& sql = "") {
    unsigned number = mysql_errno(mysql_);
    if (transfer.excess() == TransferLimit::Excess::kTime)
      return {Errc::kUnreachable,
              fmt::format("{}: no whole answer to {} within {} s", label_, name_statement(sql),
                          transfer.seconds()),
              number};
    if (transfer.excess() == TransferLimit::Excess::kBytes || number == kPacketTooLarge ||
        (number == kPacketTooLargeHere && trim(mysql_error(mysql_)).empty()))
      return too_large(limit, sql);
    std::string text = sanitize(mysql_error(mysql_));
    unwrap_early_error(number, text);
    // The library's text has what the server chose to say.
    if (number == kPluginNotAllowed) return way_not_allowed();
    if (trim(text).empty())
      text = fmt::format("error {} without a text, in answer to {}", number, name_statement(sql));
    const Errc code = classify_errno(number);
    const int reason = errno_of(text);
    if (code == Errc::kUnreachable && number >= kClientErrors &&
        (is_our_own(number, reason, place_ ? &*place_ : nullptr) || lacks_resources()))
      return {Errc::kInternal, fmt::format("{}: {}{}", label_, text, kOwnWant), number};
    // Servers speak many languages; these words are looked for at night.
    if (code == Errc::kAccessDenied) {
      if (text.starts_with("Access denied"))
        text[0] = 'a';
      else
        text = "access denied: " + text;
    }
    // MariaDB's library tells its own EINPROGRESS for whatever became of the connection. And a
    // name's last address may be one that could not be tried.
    constexpr int kEmpty[] = {EINPROGRESS, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM, EACCES};
    if (code == Errc::kUnreachable && std::ranges::find(kEmpty, reason) != std::end(kEmpty))
      text.replace(text.rfind('(') + 1, text.npos, "refused or unreachable)");
    return {code, fmt::format("{}: {}", label_, text), number};
  }

  Result<Rows> query(const std::string& sql) override { return ask(sql, kUsualResult); }
  Result<Rows> query_long(const std::string& sql) override { return ask(sql, kLongResult); }

 private:
  Result<Rows> ask(const std::string& sql, const ResultLimit& limit) {
    const std::lock_guard turn(in_use_);
    TransferLimit transfer(mysql_, kMaxHeader, answer_timeout_s_);
    if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return error(transfer, limit, sql);
    Rows rows;
    // Row by row: the limit holds before the memory is taken.
    MYSQL_RES* const result = mysql_use_result(mysql_);
    if (result == nullptr) {
      if (mysql_field_count(mysql_) != 0) return error(transfer, limit, sql);
      return rows;
    }
    transfer.allow(limit.bytes + kMaxHeader);
    const auto read = read_rows(result, transfer, limit, sql, rows);
    mysql_free_result(result);
    if (!read) return read.error();
    return rows;
  }

  Error way_not_allowed() const {
    if ((mysql_->server_capabilities & CLIENT_PROTOCOL_41) == 0)
      return {Errc::kUnreachable, label_ + ": the answer is not that of a MySQL server",
              kPluginNotAllowed};
    return {Errc::kAccessDenied,
            label_ + ": access denied: the server names a way to log in that is not allowed",
            kPluginNotAllowed};
  }

  Result<Done> read_rows(MYSQL_RES* result, TransferLimit& transfer, const ResultLimit& limit,
                         const std::string& sql, Rows& rows) {
    const unsigned count = mysql_num_fields(result);
    const MYSQL_FIELD* const fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < count; ++i) rows.columns.emplace_back(fields[i].name);
    std::size_t bytes = 0;
    while (const MYSQL_ROW row = mysql_fetch_row(result)) {
      const unsigned long* const lengths = mysql_fetch_lengths(result);
      bytes += count * sizeof rows.cells[0][0];
      for (unsigned i = 0; i < count; ++i) bytes += lengths[i];
      if (bytes > limit.bytes || rows.cells.size() == limit.rows) {
        // Else the rest would be read, to throw it away.
        transfer.cut(TransferLimit::Excess::kBytes);
        return too_large(limit, sql);
      }
      auto& cells = rows.cells.emplace_back();
      for (unsigned i = 0; i < count; ++i) {
        if (row[i] == nullptr)
          cells.emplace_back();
        else
          cells.emplace_back(std::string(row[i], lengths[i]));
      }
      transfer.check();
    }
    if (mysql_errno(mysql_) != 0 || transfer.excess() != TransferLimit::Excess::kNone)
      return error(transfer, limit, sql);
    return Done{};
  }

  Error too_large(const ResultLimit& limit, const std::string& sql) const {
    if (sql.empty()) return {Errc::kBadData, label_ + ": the server sends too much at the login"};
    return {Errc::kBadData,
            fmt::format("{}: the answer to {} is too large (read are at most {} MiB and {} rows)",
                        label_, name_statement(sql), limit.bytes / kMebibyte, limit.rows)};
  }

  // A look that did not wait for an answer leaves a thread behind, which is still reading it.
  std::mutex in_use_;
  std::string label_;
  std::optional<HostPort> place_;
  MYSQL* mysql_;
  unsigned answer_timeout_s_;
  Version version_;
};

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// Sets one file or list, if there is one.
void set_tls_text(MYSQL* mysql, mysql_option option, const std::string& value) {
  if (!value.empty()) mysql_options(mysql, option, value.c_str());
}

// The two libraries share the words for files and ciphers, not those for the modes.
void apply_tls(MYSQL* mysql, const MysqlOptions& options) {
  const TlsMode mode = effective_tls_mode(options);
  set_tls_text(mysql, MYSQL_OPT_SSL_CA, options.ca);
  set_tls_text(mysql, MYSQL_OPT_SSL_CAPATH, options.ca_directory);
  set_tls_text(mysql, MYSQL_OPT_SSL_CERT, options.certificate);
  set_tls_text(mysql, MYSQL_OPT_SSL_KEY, options.key);
  set_tls_text(mysql, MYSQL_OPT_SSL_CIPHER, options.ciphers);
  set_tls_text(mysql, MYSQL_OPT_SSL_CRL, options.crl);
  set_tls_text(mysql, MYSQL_OPT_SSL_CRLPATH, options.crl_directory);
  set_tls_text(mysql, MYSQL_OPT_TLS_VERSION, options.tls_versions);
#ifdef MARIADB_PACKAGE_VERSION_ID
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
  // Since 3.4 the library checks unless it is told not to.
  mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
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
#endif
}

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

#ifdef MARIADB_PACKAGE_VERSION_ID

// Exported by the library, declared in a header that is not for its users.
extern "C" int ma_pvio_register_callback(my_bool add,
                                         void (*callback)(int, MYSQL*, const unsigned char*,
                                                          std::size_t));

// Corrects the library while it logs in, which it does without asking us. When the greeting is
// being read, nothing has been sent. The first thing that is written is our wish for TLS, or else
// the login without it.
class TlsGuard {
 public:
  TlsGuard(MYSQL* mysql, const MysqlOptions& options) : mysql_(mysql), options_(options) {
    [[maybe_unused]] static const int registered = ma_pvio_register_callback(1, &after_transfer);
    current_ = this;
    set_login_rules(&rules_);
  }
  ~TlsGuard() {
    current_ = nullptr;
    set_login_rules(nullptr);
  }
  TlsGuard(const TlsGuard&) = delete;
  TlsGuard& operator=(const TlsGuard&) = delete;

  // True when the login was given up because the server offers no TLS.
  bool refused() const {
    const unsigned error = mysql_errno(mysql_);
    return requires_tls_ && state_ == State::kRead &&
           (mysql_->server_capabilities & CLIENT_SSL) == 0 &&
           (error == kTlsError || error == kPluginNotAllowed || refusal() != Refusal::kNone);
  }

  // Why the login was given up otherwise.
  Refusal refusal() const { return rules_.refusal; }

  // True while this thread logs in somewhere without checking the certificate.
  static bool checks_nothing() {
    my_bool checks = 1;
    return current_ != nullptr &&
           mysql_get_option(current_->mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &checks) == 0 &&
           checks == 0;
  }

 private:
  enum class State { kBegun, kRead, kWritten };

  static void after_transfer(int written, MYSQL* mysql, const unsigned char*, std::size_t) {
    if (current_ == nullptr || current_->mysql_ != mysql) return;
    if (written == 0 && current_->state_ == State::kBegun) current_->before_login();
    if (written != 0 && current_->state_ == State::kRead) current_->before_tls();
  }

  void before_login() {
    state_ = State::kRead;
    const TlsMode mode = effective_tls_mode(options_);
    requires_tls_ = mode >= TlsMode::kRequired;
    if (options_.clear_text)
      rules_.clear_text = mode >= TlsMode::kVerifyCa ? ClearText::kVerified : ClearText::kLocally;
    mysql_get_option(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies_);
    // With this the library itself gives up without TLS, and has sent nothing.
    const my_bool on = 1;
    if (requires_tls_) mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
  }

  void before_tls() {
    state_ = State::kWritten;
    rules_.sent = true;
    mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies_);
  }

  // The callback has no argument of ours; a thread has one login at a time.
  static thread_local TlsGuard* current_;
  MYSQL* mysql_;
  const MysqlOptions& options_;
  LoginRules rules_;
  State state_ = State::kBegun;
  bool requires_tls_ = false;
  my_bool verifies_ = 0;  // whether the certificate is to be checked
};
thread_local TlsGuard* TlsGuard::current_ = nullptr;

#else

// Oracle's library needs no such care.
class TlsGuard {
 public:
  TlsGuard(MYSQL*, const MysqlOptions&) {}
  bool refused() const { return false; }
  Refusal refusal() const { return Refusal::kNone; }
};

#endif

}  // namespace

#ifdef MARIADB_PACKAGE_VERSION_ID
// Stands before OpenSSL's function of this name. Without a CA the library reads all those of the
// system for each login, under a lock, even where none is asked for: 25 ms, ten times the rest.
// Optimization at link time does not see that the library calls it, hence "used".
extern "C" [[gnu::used]] int SSL_CTX_set_default_verify_paths(void* context) {
  if (TlsGuard::checks_nothing()) return 1;
  static const auto next =
      reinterpret_cast<int (*)(void*)>(dlsym(RTLD_NEXT, "SSL_CTX_set_default_verify_paths"));
  return next == nullptr ? 0 : next(context);
}
#endif

namespace {

// The library takes these for connection strings with options, several hosts, names of plugins.
Result<Done> check_host(std::string_view host) {
  if (host.starts_with('/')) return Done{};
  for (const std::string_view mark : {";", "=", ",", "://"})
    if (host.find(mark) != host.npos)
      return Error{Errc::kUsage, fmt::format("'{}' is no host: it has '{}'", sanitize(host), mark)};
  return Done{};
}

Error refused(const std::string& label, Refusal refusal) {
  if (refusal == Refusal::kNoTls)
    return {Errc::kAccessDenied,
            label +
                ": access denied: sha256_password takes a password over TLS only, also from a "
                "Unix socket: let the server offer TLS, and --ssl-mode not be disabled"};
  if (refusal == Refusal::kUnprotected)
    return {Errc::kAccessDenied,
            label +
                ": access denied: the server wants the password itself, which is sent over TLS "
                "or a Unix socket only: let the server offer TLS, and --ssl-mode not be disabled"};
  return {Errc::kAccessDenied,
          label +
              ": access denied: the server wants the password in clear text, which is sent with "
              "--enable-cleartext-plugin only, over verified TLS (--ssl-mode verify-identity) "
              "or a Unix socket"};
}

}  // namespace

Result<std::unique_ptr<SqlSession>> connect(const MysqlOptions& options) {
  // What it says of TLS must not be lost.
  if (!options.defaults_file.empty())
    return Error{Errc::kInternal, "the defaults file has not been read"};
  if (const auto plain = check_host(options.host); !plain) return plain.error();
  if (!start_client_library())
    return Error{Errc::kInternal, "the MySQL client library does not start"};
  const std::string label = server_label(options);
  const bool tcp = by_tcp(options);
  std::optional<HostPort> place;
  if (tcp)
    place = {options.host.empty() ? "localhost" : options.host,
             options.port != 0 ? options.port : kMysqlPort};
  auto session = std::make_unique<MysqlSession>(label, place, options.answer_timeout_s);
  MYSQL* const mysql = session->handle();
  if (mysql == nullptr) return Error{Errc::kInternal, "out of memory"};

  apply_tls(mysql, options);
  if (options.connect_timeout_s != 0)
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &options.connect_timeout_s);
  if (options.answer_timeout_s != 0)
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &options.answer_timeout_s);
  restrict_login(mysql, options);

  const bool path = options.host.starts_with('/');
  const char* const host = path ? nullptr : tcp ? place->host.c_str() : or_null(options.host);
  const unsigned protocol = MYSQL_PROTOCOL_TCP;
  if (tcp) mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  const char* const socket = path ? options.host.c_str() : or_null(options.socket);
  const char* const password = options.password ? options.password->c_str() : nullptr;
  mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMaxPacket);
  const TransferLimit transfer(
      mysql, kMaxHeader,
      options.answer_timeout_s == 0 ? 0 : options.connect_timeout_s + options.answer_timeout_s);
  const TlsGuard tls(mysql, options);
  const bool connected = mysql_real_connect(mysql, host, or_null(options.user), password, nullptr,
                                            options.port, socket, 0) != nullptr;
  const bool no_tls = connected && effective_tls_mode(options) >= TlsMode::kRequired &&
                      mysql_get_ssl_cipher(mysql) == nullptr;
  if (tls.refused() || no_tls)
    return Error{Errc::kUnreachable, label + ": TLS is required but the server does not offer it"};
  if (!connected)
    return tls.refusal() == Refusal::kNone ? session->error(transfer, kUsualResult)
                                           : refused(label, tls.refusal());
  session->remember_version();
  return std::unique_ptr<SqlSession>(std::move(session));
}

bool is_no_answer(const Error& error) {
  // Sources: mysqld_error.h and errmsg.h. No socket, no connection, unknown host; gone, lost; lost
  // with a reason of the system's; shutting down.
  constexpr unsigned kNoAnswer[] = {2001, 2002, 2003, 2004, 2005, 2006, 2013, 2055, 1053};
  // How OpenSSL tells of a connection that broke in the handshake.
  constexpr std::string_view kBroken[] = {"unexpected eof", "(104)", "(110)", "(11)", "(32)"};
  if (error.code != Errc::kUnreachable) return false;
  if (error.server_errno == kTlsError)
    return std::ranges::any_of(kBroken, [&](std::string_view words) {
      return error.text.find(words) != std::string::npos;
    });
  return std::ranges::find(kNoAnswer, error.server_errno) != std::end(kNoAnswer);
}

std::optional<std::size_t> Row::find(std::string_view column) const {
  const auto& columns = rows_->columns;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].size() == column.size() &&
        strncasecmp(columns[i].data(), column.data(), column.size()) == 0)
      return i;
  return std::nullopt;
}

bool Row::has(std::string_view column) const { return find(column).has_value(); }

std::optional<std::string> Row::text(std::string_view column) const {
  const auto i = find(column);
  return i ? rows_->cells[index_][*i] : std::nullopt;
}

std::optional<double> Row::number(std::string_view column) const {
  const auto cell = text(column);
  return cell ? parse_number(*cell) : std::nullopt;
}

std::optional<long long> Row::integer(std::string_view column) const {
  const auto cell = text(column);
  return cell ? parse_integer(*cell) : std::nullopt;
}

Result<std::string> query_value(SqlSession& session, const std::string& sql) {
  const auto rows = session.query(sql);
  if (!rows) return rows.error();
  if (rows->cells.empty() || rows->cells[0].empty() || !rows->cells[0][0])
    return Error{Errc::kBadData, "no value from: " + sql};
  return *rows->cells[0][0];
}

std::string grant_statement(SqlSession& session, std::string_view privilege,
                            std::string_view object) {
  const auto account = query_value(session, "SELECT CURRENT_USER()");
  std::string user = account ? *account : "USER@HOST";
  const std::size_t at = user.rfind('@');
  if (at != user.npos) user = "'" + user.substr(0, at) + "'@'" + user.substr(at + 1) + "'";
  return fmt::format("GRANT {} ON {} TO {}", privilege, object, user);
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) quoted.append(c == '`' ? 2 : 1, c);
  return quoted + "`";
}

std::string quote_table(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return quote_identifier(name);
  return quote_identifier(name.substr(0, dot)) + "." + quote_identifier(name.substr(dot + 1));
}

std::string quote_text(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) quoted.append(c == '\'' || c == '\\' ? 2 : 1, c);
  return quoted + "'";
}

std::string quote_string(std::string_view text) {
  bool plain = true;
  for (char c : text) plain = plain && c >= ' ' && c < 0x7F && c != '\'' && c != '\\';
  if (plain) return fmt::format("'{}'", text);
  std::string hex = "X'";
  for (char c : text) hex += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return hex + "'";
}

}  // namespace ha
