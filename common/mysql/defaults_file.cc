// SPDX-License-Identifier: MIT
#include "common/mysql/defaults_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/files.h"
#include "common/ini.h"
#include "common/machine.h"
#include "common/text.h"

namespace ha {

namespace {

// What a line of a defaults file is read into.
struct Setting {
  std::string name;  // as MySQL's manual writes it, without the prefixes
  std::optional<std::string> value = {};
  bool loose = false;
};

Result<bool> parse_switch(const Setting& setting) {
  if (!setting.value) return true;
  const std::string word = to_lower(*setting.value);
  if (word == "1" || word == "on" || word == "true") return true;
  if (word == "0" || word == "off" || word == "false") return false;
  return Error{Errc::kUsage, fmt::format("{}: expected 0 or 1", setting.name)};
}

Result<TlsMode> parse_mode_of_file(const Setting& setting) {
  std::string word = to_lower(setting.value.value_or(""));
  std::ranges::replace(word, '_', '-');
  if (const auto mode = parse_tls_mode(word)) return *mode;
  return Error{Errc::kUsage,
               "ssl-mode: expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"};
}

// MariaDB's clients have switches in place of the mode.
Result<Done> take_tls_switch(const Setting& setting, MysqlOptions& options) {
  const auto on = parse_switch(setting);
  if (!on) return on.error();
  const TlsMode mode = options.tls_mode.value_or(TlsMode::kPreferred);
  if (setting.name == "ssl-verify-server-cert") {
    if (*on)
      options.tls_mode = TlsMode::kVerifyIdentity;
    else if (mode == TlsMode::kVerifyIdentity)
      options.tls_mode = TlsMode::kRequired;
  } else if (!*on) {
    options.tls_mode = TlsMode::kDisabled;
  } else if (mode == TlsMode::kDisabled) {
    options.tls_mode.reset();
  }
  if (setting.name == "ssl") options.tls = *on;
  return Done{};
}

Result<Done> take_tls_setting(const Setting& setting, MysqlOptions& options) {
  const std::pair<const char*, std::string&> texts[] = {{"ssl-ca", options.ca},
                                                        {"ssl-capath", options.ca_directory},
                                                        {"ssl-cert", options.certificate},
                                                        {"ssl-key", options.key},
                                                        {"ssl-cipher", options.ciphers},
                                                        {"ssl-crl", options.crl},
                                                        {"ssl-crlpath", options.crl_directory},
                                                        {"tls-version", options.tls_versions}};
  for (const auto& [name, text] : texts)
    if (setting.name == name) {
      text = setting.value.value_or("");
      return Done{};
    }
  if (setting.name == "ssl" || setting.name == "ssl-verify-server-cert")
    return take_tls_switch(setting, options);
  if (setting.name == "ssl-mode") {
    const auto mode = parse_mode_of_file(setting);
    if (!mode) return mode.error();
    options.tls_mode = *mode;
    return Done{};
  }
  if (setting.loose) return Done{};
  return Error{Errc::kUsage, fmt::format("{} cannot be honoured (remove it, or write loose-{})",
                                         sanitize(setting.name), sanitize(setting.name))};
}

Result<Done> take_setting(const Setting& setting, DefaultsFile& file) {
  MysqlOptions& options = file.options;
  const std::string value = setting.value.value_or("");
  if (setting.name.starts_with("ssl") || setting.name.starts_with("tls"))
    return take_tls_setting(setting, options);
  if (setting.name == "user") options.user = value;
  if (setting.name == "password") options.password = setting.value;
  if (setting.name == "socket") options.socket = value;
  if (setting.name == "protocol") file.tcp = to_lower(value) == "tcp";
  if (setting.name == "host") {
    const auto host = parse_host(value);
    if (!host) return Error{Errc::kUsage, "host: " + host.error().text};
    options.host = *host;
  }
  if (setting.name == "port") {
    const auto number = parse_integer(value);
    if (!number || *number < 0 || *number > 65535)
      return Error{Errc::kUsage, "port: expected a number up to 65535"};
    options.port = static_cast<unsigned>(*number);
  }
  return Done{};
}

// As both libraries read a value: without quotes around it, with their escapes.
std::string unquote_value(std::string_view text) {
  if (text.size() > 1 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0])
    text = text.substr(1, text.size() - 2);
  constexpr std::string_view kLetters = "ntrbs\"'\\", kMeanings = "\n\t\r\b \"'\\";
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t found = text[i] == '\\' && i + 1 < text.size() ? kLetters.find(text[i + 1])
                                                                     : std::string_view::npos;
    value += found == kLetters.npos ? text[i] : kMeanings[found];
    if (found != kLetters.npos) ++i;
  }
  return value;
}

Setting parse_setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  Setting setting{std::string(trim(line.substr(0, equals)))};
  if (equals != line.npos) setting.value = unquote_value(trim(line.substr(equals + 1)));
  std::ranges::replace(setting.name, '_', '-');
  const auto strip = [&](std::string_view prefix) {
    const bool has = setting.name.starts_with(prefix);
    if (has) setting.name.erase(0, prefix.size());
    return has;
  };
  setting.loose = strip("loose-");
  if (strip("skip-") || strip("disable-"))
    setting.value = "0";
  else if (strip("enable-"))
    setting.value = "1";
  return setting;
}

// Reads one file and what it includes.
class DefaultsReader {
 public:
  // `contents` holds the files that were read before.
  DefaultsReader(std::string group, std::map<std::string, std::string>& contents)
      : group_(std::move(group)), contents_(contents) {}

  Result<Done> read(const std::string& path) {
    // A file may include itself.
    if (!read_.insert(path).second) return Done{};
    if (!contents_.contains(path)) {
      auto content = read_file(path);
      if (!content) return Error{Errc::kUsage, "--defaults-file: " + content.error().text};
      contents_[path] = std::move(*content);
    }
    bool in_section = false, in_group = false;
    for (const auto& [number, line] : setting_lines(contents_.at(path), "#;")) {
      const auto taken = take_line(line, in_section, in_group);
      if (taken) continue;
      if (taken.error().text.starts_with(kOption)) return taken;
      return line_error(std::string(kOption) + path, number, taken.error().text);
    }
    return Done{};
  }

  DefaultsFile file = {};

 private:
  static constexpr std::string_view kOption = "--defaults-file: ";

  Result<Done> take_line(std::string_view line, bool& in_section, bool& in_group) {
    if (line[0] == '!') return include(line);
    if (line[0] == '[') {
      const std::size_t end = line.find(']');
      if (end == line.npos) return Error{Errc::kUsage, "a group must end with ']'"};
      in_section = true;
      const std::string_view name = trim(line.substr(1, end - 1));
      in_group =
          name == "client" || name == "client-server" || name == "client-mariadb" || name == group_;
      return Done{};
    }
    if (!in_section) return Error{Errc::kUsage, "option before the first [group]"};
    if (!in_group) return Done{};  // whatever a server or another program makes of it
    const std::string_view key = trim(line.substr(0, line.find('=')));
    if (key.empty() || key.find_first_of(" \t") != key.npos)
      return Error{Errc::kUsage, "expected option or option=value"};
    return take_setting(parse_setting(line), file);
  }

  // As the libraries do it: what is not there, or may not be read, is passed over.
  Result<Done> include(std::string_view line) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() != 2) return Done{};
    std::vector<std::string> paths;
    std::error_code error;
    if (words[0] == "!include") paths.push_back(words[1]);
    if (words[0] == "!includedir")
      for (std::filesystem::directory_iterator entry(words[1], error), end; !error && entry != end;
           entry.increment(error))
        if (entry->path().extension() == ".cnf") paths.push_back(entry->path());
    // What it says of TLS would be lost.
    if (error && is_own_want(error.value()))
      return Error{Errc::kInternal, fmt::format("{}: {}{}", words[1], error.message(), kOwnWant)};
    std::ranges::sort(paths);
    for (const std::string& path : paths)
      if (access(path.c_str(), R_OK) == 0 && !std::filesystem::is_directory(path, error))
        if (const auto taken = read(path); !taken) return taken;
    return Done{};
  }

  const std::string group_;
  std::map<std::string, std::string>& contents_;
  std::set<std::string> read_ = {};
};

// A port that was given means TCP. That of many a file is only the usual one, beside a socket that
// is meant.
void take_place(const DefaultsFile& file, MysqlOptions& options) {
  const bool has_port = options.port != 0;
  if (options.host.empty()) options.host = file.options.host;
  if (options.socket.empty() && !has_port && !file.tcp) options.socket = file.options.socket;
  if (has_port) return;
  options.port = file.options.port != 0 ? file.options.port : file.tcp ? kMysqlPort : 0;
  const bool here = options.host.empty() || options.host == "localhost";
  if (here && !file.tcp && options.port == kMysqlPort) options.port = 0;
}

}  // namespace

Result<DefaultsFile> DefaultsFiles::read(const std::string& path, const std::string& group) {
  DefaultsReader reader(group, contents_);
  if (const auto done = reader.read(path); !done) return done.error();
  struct stat info = {};
  reader.file.world_readable = stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
  return std::move(reader.file);
}

Result<DefaultsFile> read_defaults_file(const std::string& path, const std::string& group) {
  return DefaultsFiles().read(path, group);
}

Result<MysqlOptions> with_defaults_file(MysqlOptions options, DefaultsFiles& files) {
  if (options.defaults_file.empty()) return options;
  const auto file = files.read(options.defaults_file, options.defaults_group);
  if (!file) return file.error();
  if (file->world_readable) options.exposed_file = options.defaults_file;
  options.defaults_file.clear();
  const MysqlOptions& other = file->options;
  if (!options.tls_mode && other.tls_mode) {
    const TlsMode mode = effective_tls_mode(options);
    options.tls_mode =
        mode == TlsMode::kPreferred ? *other.tls_mode : std::max(mode, *other.tls_mode);
  }
  options.tls = options.tls || other.tls;
  if (!options.password) options.password = other.password;
  take_place(*file, options);
  for (const auto text :
       {&MysqlOptions::user, &MysqlOptions::ca, &MysqlOptions::ca_directory,
        &MysqlOptions::certificate, &MysqlOptions::key, &MysqlOptions::ciphers, &MysqlOptions::crl,
        &MysqlOptions::crl_directory, &MysqlOptions::tls_versions})
    if ((options.*text).empty()) options.*text = other.*text;
  return options;
}

}  // namespace ha
