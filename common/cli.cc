// SPDX-License-Identifier: MIT
#include "common/cli.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "common/commands.h"
#include "common/files.h"
#include "common/ini.h"
#include "common/process.h"
#include "common/text.h"
#include "common/thresholds.h"
#include "common/version.h"

namespace ha {

namespace {

constexpr int kHelpWidth = 80;
constexpr int kHelpColumn = 30;
constexpr int kUsageExitCode = 3;   // of every binary
constexpr int kFailedExitCode = 2;  // of a handler

// CLI11's own layout is neither 80 columns wide nor what help2man reads.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool) const override {
    std::string head = "  ";
    for (const std::string& name : option->get_snames()) head += "-" + name + ", ";
    for (const std::string& name : option->get_lnames()) head += "--" + name;
    const std::string value = option->get_type_name();
    if (!value.empty()) head += (value.starts_with("[=") ? "" : "=") + value;
    std::string text, line = head;
    line.resize(std::max<std::size_t>(line.size() + 1, kHelpColumn), ' ');
    if (line.size() > kHelpColumn) {
      text = head + "\n";
      line.assign(kHelpColumn, ' ');
    }
    for (const std::string& word : split(option->get_description(), ' ')) {
      if (line.size() + 1 + word.size() > kHelpWidth) {
        text += line + "\n";
        line.assign(kHelpColumn, ' ');
      }
      line += " " + word;
    }
    return text + line + "\n";
  }
};

Report render_error(const ReportStyle& style, std::string_view text) {
  ReportStyle plain = style;
  if (plain.voice != Voice::kJson) plain.voice = Voice::kNagios;
  return render(plain, {State::kUnknown, std::string(text)});
}

int print(std::string_view output, int exit_code) {
  clear_hard_stop();
  write_all(STDOUT_FILENO, output);
  return exit_code;
}

int print(const Report& report) { return print(report.output, static_cast<int>(report.state)); }

// Finds an option's value before, or without, a proper parse; empty when it is not there.
std::string peek(const std::vector<std::string>& args, const std::string& letter,
                 const std::string& name) {
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (args[i].starts_with(name + "=")) return args[i].substr(name.size() + 1);
    if (args[i] == name || args[i] == letter) return i + 1 < args.size() ? args[i + 1] : "";
    if (!letter.empty() && args[i].starts_with(letter)) return args[i].substr(letter.size());
  }
  return "";
}

// Errors are to be JSON for who asked for it, wherever it stands.
Voice guess_voice(const std::vector<std::string>& args) {
  return peek(args, "", "--output") == "json" ? Voice::kJson : Voice::kNagios;
}

std::string check_name(const std::string& binary) {
  return binary.starts_with("check_") ? binary.substr(6) : binary;
}

}  // namespace

struct Cli::State_ {
  const Clock& clock;
  Kind kind;
  std::string binary;
  CLI::App app;
  ReportStyle style;
  bool help = false, version = false;
  std::vector<std::string>* operands = nullptr;  // null: none is accepted
  std::string operand_usage = {};
  std::string shared_option = {};  // with its dashes; empty: none
  std::string shared_path = {};
  std::vector<std::string> unknown_keys = {};  // of the shared file
  double timeout_s = 10;
  State timeout_state = State::kCritical;
  std::optional<Deadline> deadline = {};
  std::set<const CLI::Option*> repeated = {};  // in commands that texts tell to type
  // How many of an option's values came from a file that is named there itself.
  std::map<const CLI::Option*, std::size_t> in_files = {};
  bool repeats_files = kind == Kind::kTool;  // commands to type are of this program
  std::vector<std::string> file_words = {};  // the options that name these files
  CommandWords words = {};                   // set by parse()

  // One option set by a file instead of the command line.
  struct FileSetting {
    std::string file, key, value;
  };

  Result<std::vector<FileSetting>> read_extra_opts(const std::string& argument) const;
  // Reads a flat file, or what one has in the section of this binary, for the option `name`.
  Result<std::vector<FileSetting>> read_config(std::string_view name,
                                               const std::string& path) const;
  Result<Done> apply(const std::vector<FileSetting>& settings);
  Result<Done> apply_shared(const std::string& path);
  CLI::Option* find(const std::string& key);
  void set(CLI::Option& option, const FileSetting& setting);
  // Removes the options that name files from `args` and applies the files in their order.
  Result<Done> apply_files(std::vector<std::string>& args);
  // Sets `words` from what the command line has given.
  void find_words(const std::string& program);
  std::string words_of(const std::vector<const CLI::Option*>& options) const;
  std::string help_text() const;
  std::string last_words(std::string_view text) const {
    return fmt::format("{}: {}\n", binary, sanitize(complete_commands(text, words)));
  }
};

Cli::Cli(const Clock& clock, std::string binary, std::string purpose, Kind kind)
    : state_(new State_{clock, kind, binary, CLI::App(std::move(purpose)), {check_name(binary)}}) {
  State_& s = *state_;
  s.app.set_help_flag();
  s.app.allow_extras();
  s.app.name(binary);
  // The voice first: options are taken over in the order of definition, and a later mistake is to
  // be reported in it.
  if (kind == Kind::kCheck) add_voices();
  flag("-h,--help", s.help, "print this help and exit");
  flag("-V,--version", s.version, "print the version and exit");
  s.app.add_flag("-v,--verbose", s.style.verbosity, "print more; repeatable");
  // Engines kill an event handler after 30 seconds (event_handler_timeout).
  if (kind == Kind::kHandler) s.timeout_s = 25;
  if (kind != Kind::kTool) add_timeout();
  // These two are taken out before CLI11 sees them; here they stand for the help.
  s.app.add_option("--extra-opts", "read options from an INI section as monitoring-plugins do")
      ->type_name("[=[SECTION][@FILE]]");
  s.app.add_option("--config", "read options from an INI file, long names as keys")
      ->type_name("FILE");
}

void Cli::add_voices() {
  State_& s = *state_;
  choice<Voice>(
      "--output",
      {{"nagios", Voice::kNagios}, {"json", Voice::kJson}, {"openmetrics", Voice::kOpenmetrics}},
      s.style.voice, "print nagios text (default), json or openmetrics");
  option(
      "--value", "LABEL",
      [&s](const std::string& label) -> Result<Done> {
        s.style.voice = Voice::kValue;
        s.style.value_label = label;
        return Done{};
      },
      "print only the number of this metric, U if unknown");
  s.app.add_flag_callback(
      "--discovery", [&s] { s.style.voice = Voice::kDiscovery; },
      "print Zabbix low-level discovery JSON");
}

void Cli::add_timeout() {
  State_& s = *state_;
  if (s.kind == Kind::kCheck)
    seconds_state("-t,--timeout", s.timeout_s, s.timeout_state,
                  "budget of the whole run and the state when it ends (default: 10:critical)");
  else
    seconds("-t,--timeout", s.timeout_s, "budget of the whole run (default: 25)");
}

Cli::~Cli() = default;

void Cli::flag(const char* names, bool& target, const char* help) {
  state_->app.add_flag(names, target, help)->each([](const std::string& value) {
    const std::vector<std::string> words = {"true", "false", "yes", "no", "on", "off", "1", "0"};
    if (std::ranges::find(words, value) == words.end())
      throw CLI::ValidationError(fmt::format("'{}' is not one of: {}", value, join(words, ", ")));
  });
}

void Cli::option(const char* names, const char* metavar, Accept accept, const char* help) {
  state_->app.add_option(names, CLI::callback_t{}, help)
      ->type_name(metavar)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->each([accept = std::move(accept)](const std::string& value) {
        const Result<Done> taken = accept(value);
        if (!taken) throw CLI::ValidationError(taken.error().text);
      });
}

void Cli::text(const char* names, const char* metavar, std::string& target, const char* help) {
  option(
      names, metavar,
      [&target](const std::string& value) -> Result<Done> {
        target = value;
        return Done{};
      },
      help);
}

void Cli::list(const char* names, const char* metavar, std::vector<std::string>& target,
               const char* help) {
  option(
      names, metavar,
      [&target](const std::string& value) -> Result<Done> {
        target.push_back(value);
        return Done{};
      },
      help);
}

void Cli::seconds(const char* names, double& target, const char* help) {
  option(
      names, "SECONDS",
      [&target](const std::string& value) -> Result<Done> {
        const auto seconds = parse_seconds(value);
        if (!seconds) return seconds.error();
        target = *seconds;
        return Done{};
      },
      help);
}

void Cli::seconds_state(const char* names, double& target, State& target_state, const char* help) {
  option(
      names, "SECONDS[:STATE]",
      [&target, &target_state](const std::string& value) -> Result<Done> {
        const std::size_t colon = value.find(':');
        const auto seconds = parse_seconds(value.substr(0, colon));
        if (!seconds) return seconds.error();
        if (colon != value.npos) {
          const auto state = parse_state(value.substr(colon + 1));
          if (!state) return state.error();
          target_state = *state;
        }
        target = *seconds;
        return Done{};
      },
      help);
}

void Cli::state(const char* names, State& target, const char* help) {
  option(
      names, "STATE",
      [&target](const std::string& value) -> Result<Done> {
        const auto state = parse_state(value);
        if (!state) return state.error();
        target = *state;
        return Done{};
      },
      help);
}

void Cli::port(const char* names, unsigned& target, const char* help) {
  option(
      names, "PORT",
      [&target](const std::string& value) -> Result<Done> {
        const auto number = parse_integer(value);
        if (!number || *number < 1 || *number > 65535)
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not a port (accepted: 1 to 65535)", value)};
        target = static_cast<unsigned>(*number);
        return Done{};
      },
      help);
}

void Cli::count(const char* names, unsigned& target, unsigned least, unsigned most,
                const char* help) {
  option(
      names, "N",
      [&target, least, most](const std::string& value) -> Result<Done> {
        const auto number = parse_integer(value);
        if (!number || *number < least || *number > most)
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not a count (accepted: {} to {})", value, least, most)};
        target = static_cast<unsigned>(*number);
        return Done{};
      },
      help);
}

void Cli::command(const char* names, std::vector<std::string>& target, const char* help) {
  option(
      names, "COMMAND",
      [&target](const std::string& value) -> Result<Done> {
        auto words = split_command(value);
        if (!words) return words.error();
        target = std::move(*words);
        return Done{};
      },
      help);
}

void Cli::commands(const char* names, std::vector<std::vector<std::string>>& target,
                   const char* help) {
  option(
      names, "COMMAND",
      [&target](const std::string& value) -> Result<Done> {
        auto words = split_command(value);
        if (!words) return words.error();
        target.push_back(std::move(*words));
        return Done{};
      },
      help);
}

void Cli::operands(const char* usage, std::vector<std::string>& target) {
  state_->operand_usage = fmt::format(" {}", usage);
  state_->operands = &target;
}

void Cli::shared_file(const char* name, const char* help) {
  // Taken out before CLI11 sees it, as --config is; here it stands for the help.
  state_->app.add_option(name, CLI::callback_t{}, help)->type_name("FILE");
  state_->shared_option = name;
}

std::vector<std::string> Cli::passed_over() const {
  const State_& s = *state_;
  if (s.unknown_keys.empty()) return {};
  return {fmt::format("{}: keys of no use here: {}", s.shared_path, join(s.unknown_keys, ", "))};
}

void Cli::choice_index(const char* names, const std::vector<std::string>& words, const char* help,
                       std::function<void(std::size_t)> take) {
  option(
      names, "WORD",
      [words, take = std::move(take)](const std::string& value) -> Result<Done> {
        const auto found = std::ranges::find(words, value);
        if (found == words.end())
          return Error{Errc::kUsage,
                       fmt::format("'{}' is not one of: {}", value, join(words, ", "))};
        take(static_cast<std::size_t>(found - words.begin()));
        return Done{};
      },
      help);
}

void Cli::thresholds(Thresholds& target, const char* what, const std::string& of) {
  const auto into = [](std::optional<Range>& range) {
    return [&range](const std::string& value) -> Result<Done> {
      const auto parsed = parse_range(value);
      if (!parsed) return parsed.error();
      range = *parsed;
      return Done{};
    };
  };
  const auto help = [what](const char* state, const std::optional<Range>& range) {
    return fmt::format("{} when {} outside{}", state, what,
                       range ? fmt::format(" (default: {})", format_range(*range)) : "");
  };
  const std::string warning = of.empty() ? "-w,--warning" : "--" + of + "-warning";
  const std::string critical = of.empty() ? "-c,--critical" : "--" + of + "-critical";
  option(warning.c_str(), "RANGE", into(target.warning), help("WARNING", target.warning).c_str());
  option(critical.c_str(), "RANGE", into(target.critical),
         help("CRITICAL", target.critical).c_str());
}

Result<std::vector<Cli::State_::FileSetting>> Cli::State_::read_extra_opts(
    const std::string& argument) const {
  const std::size_t at = argument.find('@');
  std::string section(trim(argument.substr(0, at)));
  std::string path = at == argument.npos ? default_extra_opts_file() : argument.substr(at + 1);
  if (section.empty()) section = binary;
  if (path.empty())
    return Error{Errc::kUsage, "--extra-opts: no config file in any standard location"};
  const auto content = read_file(path);
  if (!content) return Error{Errc::kUsage, "--extra-opts: " + content.error().text};
  const auto entries = parse_ini(*content, path);
  if (!entries) return Error{Errc::kUsage, "--extra-opts: " + entries.error().text};
  std::vector<FileSetting> settings;
  for (const IniEntry& entry : *entries) {
    if (entry.section.empty())
      return Error{
          Errc::kUsage,
          fmt::format("--extra-opts: {}: option '{}' stands before any section", path, entry.key)};
    if (entry.section == section) settings.push_back({path, entry.key, entry.value});
  }
  if (settings.empty())
    return Error{Errc::kUsage, fmt::format("--extra-opts: no section '{}' in {}", section, path)};
  return settings;
}

Result<std::vector<Cli::State_::FileSetting>> Cli::State_::read_config(
    std::string_view name, const std::string& path) const {
  const auto content = read_file(path);
  if (!content) return Error{Errc::kUsage, fmt::format("{}: {}", name, content.error().text)};
  const auto entries = parse_ini(*content, path);
  if (!entries) return Error{Errc::kUsage, fmt::format("{}: {}", name, entries.error().text)};
  std::vector<FileSetting> settings;
  for (const IniEntry& entry : *entries)
    if (entry.section.empty() || entry.section == binary)
      settings.push_back({path, entry.key, entry.value});
  return settings;
}

CLI::Option* Cli::State_::find(const std::string& key) {
  if (key == "config" || key == "extra-opts") return nullptr;
  return app.get_option_no_throw((key.size() == 1 ? "-" : "--") + key);
}

void Cli::State_::set(CLI::Option& option, const FileSetting& setting) {
  // The other programs know --cluster, and none of them another's --config.
  if (setting.file == shared_path || repeats_files) ++in_files[&option];
  const bool is_flag = option.get_expected_min() == 0;
  option.add_result(is_flag && setting.value.empty() ? "true" : setting.value);
}

Result<Done> Cli::State_::apply(const std::vector<FileSetting>& settings) {
  for (const FileSetting& setting : settings) {
    if (!shared_option.empty() && "--" + setting.key == shared_option) {
      // A tool's --config is repeated itself.
      if (kind != Kind::kTool)
        file_words.push_back(shared_option + " " + quote_word(setting.value));
      if (const auto applied = apply_shared(setting.value); !applied) return applied;
      continue;
    }
    CLI::Option* const option = find(setting.key);
    if (option == nullptr)
      return Error{Errc::kUsage, fmt::format("{}: unknown option '{}' (see {} --help)",
                                             setting.file, setting.key, binary)};
    set(*option, setting);
  }
  return Done{};
}

Result<Done> Cli::State_::apply_shared(const std::string& path) {
  const auto settings = read_config(shared_option, path);
  if (!settings) return settings.error();
  shared_path = path;
  for (const FileSetting& setting : *settings) {
    CLI::Option* const option = "--" + setting.key == shared_option ? nullptr : find(setting.key);
    if (option == nullptr)
      unknown_keys.push_back(setting.key);
    else
      set(*option, setting);
  }
  return Done{};
}

Result<Done> Cli::State_::apply_files(std::vector<std::string>& args) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string name = args[i].substr(0, args[i].find('='));
    const bool shared = !shared_option.empty() && name == shared_option;
    if (name != "--extra-opts" && name != "--config" && !shared) {
      rest.push_back(args[i]);
      continue;
    }
    std::string value;
    const bool needs_file = shared || name == "--config";
    const bool next_is_value = i + 1 < args.size() && (needs_file || !args[i + 1].starts_with('-'));
    if (name.size() < args[i].size())
      value = args[i].substr(name.size() + 1);
    else if (next_is_value)
      value = args[++i];
    else if (needs_file)
      return Error{Errc::kUsage, name + ": needs the path of a file"};
    if (shared) {
      file_words.push_back(shared_option + " " + quote_word(value));
      if (const auto applied = apply_shared(value); !applied) return applied;
      continue;
    }
    if (repeats_files) file_words.push_back(value.empty() ? name : name + "=" + quote_word(value));
    const auto settings = name == "--config" ? read_config(name, value) : read_extra_opts(value);
    if (!settings) return settings.error();
    if (const auto applied = apply(*settings); !applied) return applied;
  }
  args = std::move(rest);
  return Done{};
}

// Which values are not to be seen, or belong to one who is told and not to the cluster.
bool is_secret(const std::string& name) {
  return name.ends_with("password") || name.ends_with("webhook");
}

std::string Cli::State_::words_of(const std::vector<const CLI::Option*>& options) const {
  std::vector<std::string> given = file_words;
  for (const CLI::Option* const option : options) {
    const std::string name = option->get_lnames().empty() ? "-" + option->get_snames()[0]
                                                          : "--" + option->get_lnames()[0];
    const auto& values = option->results();
    const auto hidden = in_files.find(option);
    for (std::size_t i = hidden == in_files.end() ? 0 : hidden->second; i < values.size(); ++i) {
      if (is_secret(name)) continue;
      const bool is_flag = option->get_expected_min() == 0;
      given.push_back(is_flag && values[i] == "true"          ? name
                      : is_flag || values[i].starts_with('-') ? quote_word(name + "=" + values[i])
                                                              : name + " " + quote_word(values[i]));
    }
  }
  return join(given, " ");
}

void Cli::State_::find_words(const std::string& program) {
  std::vector<const CLI::Option*> all, common;
  for (const CLI::Option* const option : app.get_options()) {
    all.push_back(option);
    if (repeated.contains(option)) common.push_back(option);
  }
  words.options = words_of(common);
  words.program = quote_word(program);
  words.whole = words.program;
  if (operands != nullptr)
    for (const std::string& word : *operands) words.whole += " " + quote_word(word);
  if (const std::string options = words_of(all); !options.empty()) words.whole += " " + options;
  // Texts of these are read by people who are not the engine's user.
  if (kind != Kind::kTool && geteuid() != 0)
    words.prefix = fmt::format("runuser -u {} -- ", user_name(geteuid()));
}

std::string Cli::State_::help_text() const {
  const HelpFormatter formatter;
  std::string text = fmt::format("Usage: {} [OPTION]...{}\n{}\n\nOptions:\n", binary, operand_usage,
                                 app.get_description());
  for (const CLI::Option* option : app.get_options()) text += formatter.make_option(option, false);
  return text;
}

// A file of options may hang too, before it is known whether it holds the timeout.
void Cli::watch_files(const std::vector<std::string>& args) {
  State_& s = *state_;
  if (s.kind == Kind::kTool) return;
  const std::string timeout = peek(args, "-t", "--timeout");
  if (const auto seconds = parse_seconds(timeout.substr(0, timeout.find(':'))))
    s.timeout_s = *seconds;
  s.deadline = Deadline::after(s.clock, s.timeout_s);
  waiting_for("its files of options");
}

std::optional<int> Cli::parse(const std::vector<std::string>& args) {
  State_& s = *state_;
  s.style.voice = guess_voice(args);
  watch_files(args);
  std::vector<std::string> reversed;  // the order in which CLI11 wants them
  for (const std::string& arg : args) {
    // CLI11 would take the next argument for an empty value.
    if (arg.size() > 3 && arg.starts_with("--") && arg.find('=') == arg.size() - 1) {
      reversed.push_back(arg.substr(0, arg.size() - 1));
      reversed.emplace_back();
    } else {
      reversed.push_back(arg);
    }
  }
  if (!reversed.empty()) reversed.erase(reversed.begin());
  if (const auto applied = s.apply_files(reversed); !applied)
    return usage_error(applied.error().text);
  std::ranges::reverse(reversed);
  try {
    s.app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  const int told = s.kind == Kind::kTool ? 0 : kUsageExitCode;
  if (s.help) return print(s.help_text(), told);
  if (s.version)
    return print(fmt::format("{} v{} (monitoring-plugins-ha {})\n", s.binary, kVersion, kVersion),
                 told);
  for (const std::string& extra : s.app.remaining()) {
    // Its value is not quoted: it may be a secret behind a misspelt option.
    const std::string name = extra.substr(0, extra.find('='));
    if (name.starts_with('-') && name != "-")
      return usage_error(fmt::format("unknown option {} (see --help)", name));
    if (s.operands == nullptr)
      return usage_error("unexpected argument (every value belongs to an option; see --help)");
    s.operands->push_back(extra);
  }
  s.find_words(args.empty() ? s.binary : args[0]);
  if (s.kind == Kind::kTool) return std::nullopt;
  s.deadline = Deadline::after(s.clock, s.timeout_s);
  waiting_for("the start");
  return std::nullopt;
}

void Cli::waiting_for(std::string_view what) const {
  const State_& s = *state_;
  const std::string text =
      fmt::format("timed out after {}s waiting for {}", format_number(s.timeout_s), what);
  if (s.kind != Kind::kCheck) return prepare_last_words(kFailedExitCode, text);
  const Report last = render(s.style, {s.timeout_state, complete(text)});
  set_hard_stop(*s.deadline, last.output, static_cast<int>(last.state));
}

int Cli::report(const CheckResult& result) const {
  CheckResult completed = result;
  completed.text = complete(result.text);
  for (Item& item : completed.items) item.text = complete(item.text);
  for (std::string& note : completed.notes) note = complete(note);
  return print(render(state_->style, completed));
}

std::size_t Cli::count_options() const { return state_->app.get_options().size(); }

void Cli::repeat_own_options(std::size_t first) {
  repeat_options(first);
  state_->repeats_files = true;
}

void Cli::repeat_options(std::size_t first) {
  const auto options = state_->app.get_options();
  state_->repeated.insert(options.begin() + static_cast<long>(first), options.end());
}

std::string Cli::complete(std::string_view text) const {
  return complete_commands(text, state_->words);
}

void Cli::prepare_last_words(int exit_code, std::string_view text) const {
  set_hard_stop(*state_->deadline, state_->last_words(text), exit_code);
}

int Cli::finish(int exit_code, std::string_view text,
                const std::vector<std::string>& details) const {
  std::string output = state_->last_words(text);
  for (const std::string& line : details) output += printable(complete(line)) + "\n";
  return print(output, exit_code);
}

int Cli::usage_error(std::string_view text) const {
  if (state_->kind != Kind::kCheck) return finish(kUsageExitCode, text);
  return print(render_error(state_->style, text));
}

const Deadline& Cli::deadline() const { return *state_->deadline; }

double Cli::timeout_s() const { return state_->timeout_s; }

State Cli::timeout_state() const { return state_->timeout_state; }

int Cli::verbosity() const { return state_->style.verbosity; }

// Not fmt::print, which throws: a terminal that has hung up must not end this in the middle.
void print_lines(std::string_view lines) {
  std::fputs(printable_lines(lines).c_str(), stdout);
  std::fflush(stdout);
}

Result<double> parse_seconds(std::string_view text) {
  const auto number = parse_number(text);
  // A day is longer than any run; beyond it timers overflow.
  if (!number || *number <= 0 || *number > 86400)
    return Error{Errc::kUsage, fmt::format("'{}' is not a duration (accepted: seconds above 0, at "
                                           "most 86400, decimals allowed)",
                                           sanitize(text))};
  return *number;
}

std::vector<std::string> take_arguments(int argc, char** argv) {
  std::vector<std::string> args(argv, argv + argc);
  const auto wipe = [](char* text) { std::memset(text, 0, std::strlen(text)); };
  for (int i = 1; i < argc; ++i) {
    const std::string& arg = args[static_cast<std::size_t>(i)];
    char* secret = nullptr;
    bool in_next = false;
    if (arg.starts_with("--")) {
      const std::size_t equals = arg.find('=');
      if (!arg.substr(0, equals).ends_with("password")) continue;
      in_next = equals == arg.npos;
      secret = argv[i] + std::min(equals + 1, arg.size());
    } else if (arg.starts_with('-')) {
      // Flags may stand before it in one word: -lvpSECRET.
      const std::size_t letter = arg.find_first_not_of("hVvl", 1);
      if (letter == arg.npos || arg[letter] != 'p') continue;
      in_next = letter + 1 == arg.size();
      secret = argv[i] + letter + 1;
    } else {
      continue;
    }
    if (!in_next)
      wipe(secret);
    else if (i + 1 < argc)
      wipe(argv[++i]);
  }
  return args;
}

int report_internal_error(const std::string& binary, const std::vector<std::string>& args,
                          std::string_view text) {
  return print(render_error({check_name(binary), guess_voice(args)},
                            fmt::format("internal error: {}", text)));
}

}  // namespace ha
