// SPDX-License-Identifier: MIT
#include "common/execute/tool_login.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kPlugins = ".plugins";

// Where the packages of both flavours put their client plugins; for "*" each directory stands that
// is there.
constexpr std::string_view kPluginDirectories[] = {
    "/usr/lib/*/libmariadb3/plugin", "/usr/lib/mysql/plugin", "/usr/lib64/mysql/plugin",
    "/usr/lib64/mariadb/plugin", "/usr/lib/*/mysql/plugin"};

std::vector<std::string> sorted_names(Files& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names) return {};
  std::ranges::sort(*names);
  return *names;
}

// Returns the paths of all client plugins of this machine.
std::vector<std::string> find_plugins(Files& files) {
  std::vector<std::string> directories, plugins;
  for (const std::string_view pattern : kPluginDirectories) {
    const std::size_t star = pattern.find('*');
    if (star == pattern.npos) {
      directories.emplace_back(pattern);
      continue;
    }
    const std::string above(pattern.substr(0, star)), below(pattern.substr(star + 1));
    for (const std::string& name : sorted_names(files, above))
      directories.push_back(above + name + below);
  }
  for (const std::string& directory : directories)
    for (const std::string& name : sorted_names(files, directory))
      if (name.ends_with(".so")) plugins.push_back(directory + "/" + name);
  return plugins;
}

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

void remove_login_files(Files& files, const std::string& store) {
  constexpr std::string_view kName = ".cnf", kUnfinished = ".cnf.XXXXXX";
  for (const std::string& name : sorted_names(files, store)) {
    const bool unfinished =
        name.size() > kUnfinished.size() &&
        name.compare(name.size() - kUnfinished.size(), kName.size() + 1, ".cnf.") == 0;
    const std::string path = store + "/" + name;
    if (name.ends_with(kName) || unfinished) static_cast<void>(files.remove(path));
    if (name.ends_with(kPlugins)) static_cast<void>(files.remove_all(path));
  }
}

Result<Done> ToolLogin::link_plugins(const MysqlOptions& options) const {
  static_cast<void>(files_.remove_all(plugins_));
  if (const auto made = files_.make_private_directory(plugins_); !made) return made;
  for (const std::string& path : find_plugins(files_)) {
    const std::string name = path.substr(path.rfind('/') + 1);
    // The first of two of one name is as good as the other.
    if (may_load(name, options)) static_cast<void>(files_.link(path, plugins_ + "/" + name));
  }
  return Done{};
}

Result<std::unique_ptr<ToolLogin>> ToolLogin::prepare(const Env& env, const Node& node,
                                                      const MysqlOptions& options,
                                                      const std::string& path) {
  auto login = std::make_unique<ToolLogin>(env.files);
  login->node_ = node;
  login->file_ = path + ".cnf";
  login->plugins_ = path + std::string(kPlugins);
  const TlsMode mode = effective_tls_mode(options);
  if (const auto linked = login->link_plugins(options); !linked) return linked.error();
  if (!verifies_identity(options)) {
    auto relay = env.network.start_relay({node.host, node.port}, mode >= TlsMode::kRequired
                                                                     ? LoginTls::kRequired
                                                                     : LoginTls::kAsOffered);
    if (!relay) return relay.error();
    login->relay_ = std::move(*relay);
    login->node_.host = "127.0.0.1";
    login->node_.port = login->relay_->port();
  }
  const auto written = env.files.write_atomic(
      login->file_, client_options(options, node.facts->version.flavour, login->plugins_));
  if (!written) return written.error();
  return login;
}

ToolLogin::~ToolLogin() {
  if (!file_.empty()) static_cast<void>(files_.remove(file_));
  if (!plugins_.empty()) static_cast<void>(files_.remove_all(plugins_));
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
