// SPDX-License-Identifier: MIT
#include "common/failover/tool_login.h"

#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/files.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kPlugins = ".plugins";

// Where the packages of both flavours put their client plugins.
constexpr const char* kPluginFiles[] = {
    "/usr/lib/*/libmariadb3/plugin/*.so", "/usr/lib/mysql/plugin/*.so",
    "/usr/lib64/mysql/plugin/*.so", "/usr/lib64/mariadb/plugin/*.so",
    "/usr/lib/*/mysql/plugin/*.so"};

// True when the tool checks the server's name, too, and needs no guard. As our own sessions:
// without a CA of ours, MariaDB's library checks nothing unless it checks the name.
bool verifies_identity(const MysqlOptions& options) {
  const TlsMode mode = effective_tls_mode(options);
  const bool no_ca = options.ca.empty() && options.ca_directory.empty();
  return mode == TlsMode::kVerifyIdentity || (mode == TlsMode::kVerifyCa && no_ca);
}

// Where TLS is not sure, MariaDB's plugin for caching_sha2_password takes any key that is offered.
bool may_load(std::string_view name, const MysqlOptions& options) {
  const TlsMode mode = effective_tls_mode(options);
  if (name == "mysql_clear_password.so") return options.clear_text && mode >= TlsMode::kVerifyCa;
  return name == "client_ed25519.so" || name == "parsec.so" || name == "mysql_native_password.so" ||
         (name == "caching_sha2_password.so" && mode >= TlsMode::kRequired);
}

// As an option file wants it.
std::string quoted_option(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

std::string client_options(const MysqlOptions& options, Flavour flavour,
                           const std::string& plugins) {
  std::string text = "[client]\n";
  const auto add = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("{}={}\n", name, quoted_option(value));
  };
  add("user", options.user);
  add("password", options.password.value_or(""));
  // "localhost" would be a socket.
  add("protocol", "tcp");
  add("plugin-dir", plugins);
  add("ssl-ca", options.ca);
  add("ssl-capath", options.ca_directory);
  add("ssl-cert", options.certificate);
  add("ssl-key", options.key);
  add("ssl-cipher", options.ciphers);
  add("ssl-crl", options.crl);
  add("ssl-crlpath", options.crl_directory);
  add("tls-version", options.tls_versions);
  const auto mode = static_cast<std::size_t>(
      verifies_identity(options) ? TlsMode::kVerifyIdentity : effective_tls_mode(options));
  constexpr const char* kMysqlModes[] = {"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA",
                                         "VERIFY_IDENTITY"};
  // Unless told otherwise, MariaDB's tools verify since 11.4, and refuse a server without TLS.
  constexpr const char* kMariadbModes[] = {"skip-ssl\n", "skip-ssl-verify-server-cert\n",
                                           "ssl\nskip-ssl-verify-server-cert\n", "ssl\n",
                                           "ssl\nssl-verify-server-cert\n"};
  if (flavour == Flavour::kMysql) {
    add("ssl-mode", kMysqlModes[mode]);
    if (options.clear_text && effective_tls_mode(options) >= TlsMode::kVerifyCa)
      text += "enable-cleartext-plugin\n";
  }
  if (flavour == Flavour::kMariadb) text += kMariadbModes[mode];
  return text;
}

void remove_login_files(const std::string& store) {
  constexpr std::string_view kName = ".cnf", kUnfinished = ".cnf.XXXXXX";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(store, error)) {
    const std::string name = entry.path().filename();
    const bool unfinished =
        name.size() > kUnfinished.size() &&
        name.compare(name.size() - kUnfinished.size(), kName.size() + 1, ".cnf.") == 0;
    if (name.ends_with(kName) || unfinished) unlink(entry.path().c_str());
    if (name.ends_with(kPlugins)) std::filesystem::remove_all(entry.path(), error);
  }
}

Result<Done> ToolLogin::link_plugins(const MysqlOptions& options) const {
  std::error_code error;
  std::filesystem::remove_all(plugins_, error);
  if (const auto made = make_private_directory(plugins_); !made) return made;
  glob_t found = {};
  int flags = 0;
  for (const char* const files : kPluginFiles) {
    glob(files, flags, nullptr, &found);
    flags = GLOB_APPEND;
  }
  for (std::size_t i = 0; i < found.gl_pathc; ++i) {
    const std::filesystem::path path = found.gl_pathv[i];
    // The first of two of one name is as good as the other.
    if (may_load(path.filename().string(), options))
      std::filesystem::create_symlink(path, std::filesystem::path(plugins_) / path.filename(),
                                      error);
  }
  globfree(&found);
  return Done{};
}

Result<std::unique_ptr<ToolLogin>> ToolLogin::prepare(const Node& node, const MysqlOptions& options,
                                                      const std::string& path) {
  auto login = std::make_unique<ToolLogin>();
  login->node_ = node;
  login->file_ = path + ".cnf";
  login->plugins_ = path + std::string(kPlugins);
  const TlsMode mode = effective_tls_mode(options);
  if (const auto linked = login->link_plugins(options); !linked) return linked.error();
  if (!verifies_identity(options)) {
    auto relay =
        LoginRelay::start({node.host, node.port},
                          mode >= TlsMode::kRequired ? LoginTls::kRequired : LoginTls::kAsOffered);
    if (!relay) return relay.error();
    login->relay_ = std::move(*relay);
    login->node_.host = "127.0.0.1";
    login->node_.port = login->relay_->port();
  }
  const auto written = write_file_atomic(
      login->file_, client_options(options, node.facts->version.flavour, login->plugins_));
  if (!written) return written.error();
  return login;
}

ToolLogin::~ToolLogin() {
  std::error_code error;
  if (!file_.empty()) unlink(file_.c_str());
  if (!plugins_.empty()) std::filesystem::remove_all(plugins_, error);
}

void ToolLogin::add_to(Command& command) const {
  command.argv.push_back("--defaults-file=" + file_);
  // Plugins that the environment names would be loaded before the file is read.
  command.environment.insert(command.environment.end(),
                             {{"LIBMYSQL_PLUGINS", ""},
                              {"LIBMYSQL_PLUGIN_DIR", plugins_},
                              {"MARIADB_PLUGIN_DIR", plugins_},
                              {"LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "0"}});
}

std::string ToolLogin::explain(const std::string& words) const {
  const std::string reason = relay_ == nullptr ? "" : relay_->refusal();
  if (!reason.empty()) return fmt::format("{}: {}", node_.name, reason);
  // Both flavours name the plugin that they could not load in quotes.
  if (words.find("'dialog'") == words.npos) return words;
  return fmt::format("{}; {}", words, LoginGuard::kNoDialog);
}

}  // namespace ha
