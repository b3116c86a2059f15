// SPDX-License-Identifier: MIT
// From the words of the command line and the files that it names to the registered options.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "common/cli/help.h"
#include "common/cli/impl.h"
#include "common/exit_code.h"
#include "common/files.h"
#include "common/process.h"
#include "common/text.h"
#include "common/version.h"

namespace ha {

Grammar Cli::Impl::grammar() const {
  Grammar grammar(2 * parser.size());
  for (std::size_t i = 0; i < parser.size(); ++i) {
    const Takes takes = parser.takes(i);
    for (const std::string_view name : {parser.letter(i), parser.name(i)})
      if (!name.empty()) grammar.add(name, takes);
  }
  return grammar;
}

std::optional<std::size_t> Cli::Impl::find(const std::string& key) const {
  if (key == "config" || key == "extra-opts") return std::nullopt;
  return parser.find(key);
}

void Cli::Impl::set(std::size_t option, const FileSetting& setting) {
  // The other programs know --cluster, and none of them another's --config.
  if (setting.file == shared_path || repeats_files) ++in_files[option];
  const bool is_flag = parser.takes(option) == Takes::kNothing;
  parser.add_value(option, is_flag && setting.value.empty() ? "true" : setting.value);
}

Result<Done> Cli::Impl::apply(const std::vector<FileSetting>& settings) {
  for (const FileSetting& setting : settings) {
    if (!shared_option.empty() && "--" + setting.key == shared_option) {
      // A tool's --config is repeated itself.
      if (kind != Kind::kTool)
        file_words.push_back(shared_option + " " + quote_word(setting.value));
      if (const auto applied = apply_shared(setting.value); !applied) return applied;
      continue;
    }
    const auto option = find(setting.key);
    if (!option)
      return Error{Errc::kUsage, fmt::format("{}: unknown option '{}' (see {} --help)",
                                             setting.file, setting.key, binary)};
    set(*option, setting);
  }
  return Done{};
}

Result<Done> Cli::Impl::apply_shared(const std::string& path) {
  const auto settings = read_option_file(shared_option, path, binary);
  if (!settings) return settings.error();
  shared_path = path;
  for (const FileSetting& setting : *settings) {
    const auto option = "--" + setting.key == shared_option ? std::nullopt : find(setting.key);
    if (!option)
      unknown_keys.push_back(setting.key);
    else
      set(*option, setting);
  }
  return Done{};
}

Result<Done> Cli::Impl::apply_file(const std::string& name, const Occurrence& option) {
  const bool extra_opts = name == "--extra-opts";
  if (!option.value && !extra_opts) return Error{Errc::kUsage, name + ": needs the path of a file"};
  const std::string value = option.value.value_or("");
  if (name == shared_option) {
    file_words.push_back(shared_option + " " + quote_word(value));
    return apply_shared(value);
  }
  if (repeats_files) file_words.push_back(value.empty() ? name : name + "=" + quote_word(value));
  if (!extra_opts) config_path = value;
  const auto settings =
      extra_opts ? read_extra_opts(value, binary) : read_option_file(name, value, binary);
  if (!settings) return settings.error();
  return apply(*settings);
}

Result<Done> Cli::Impl::apply_files(std::vector<std::string>& args,
                                    const std::vector<Occurrence>& options) {
  std::vector<std::string> rest;
  std::size_t next = 0;  // of the words
  for (const Occurrence& option : options) {
    const std::string name = fmt::format("--{}", option.name);
    if (name != "--extra-opts" && name != "--config" && name != shared_option) continue;
    rest.insert(rest.end(), args.begin() + static_cast<long>(next),
                args.begin() + static_cast<long>(option.first));
    next = option.first + option.count;
    if (const auto applied = apply_file(name, option); !applied) return applied;
  }
  rest.insert(rest.end(), args.begin() + static_cast<long>(next), args.end());
  args = std::move(rest);
  return Done{};
}

namespace {

// True for values that are not to be seen, or that belong to people and not to the cluster.
bool is_secret(const std::string& name) {
  return is_password_name(name) || name.ends_with("webhook");
}

// True for the node that a guard names as its own, which is one of the nodes already: other
// commands take each of them once.
bool is_own_node(const std::string& name, const std::vector<std::string>& values, std::size_t i) {
  return name == "--node" && std::ranges::any_of(values, [&](const std::string& other) {
           return other.starts_with(values[i] + "=") || (&other < &values[i] && other == values[i]);
         });
}

}  // namespace

std::string Cli::Impl::words_of(const std::vector<std::size_t>& options, Of of) const {
  std::vector<std::string> given = file_words;
  for (const std::size_t option : options) {
    const std::string name = parser.name(option).empty() ? fmt::format("-{}", parser.letter(option))
                                                         : fmt::format("--{}", parser.name(option));
    const auto& values = parser.values(option);
    const auto hidden = in_files.find(option);
    for (std::size_t i = hidden == in_files.end() ? 0 : hidden->second; i < values.size(); ++i) {
      if (is_secret(name) || (of == Of::kOthers && is_own_node(name, values, i))) continue;
      const bool is_flag = parser.takes(option) == Takes::kNothing;
      given.push_back(is_flag && values[i] == "true"          ? name
                      : is_flag || values[i].starts_with('-') ? quote_word(name + "=" + values[i])
                                                              : name + " " + quote_word(values[i]));
    }
  }
  return join(given, " ");
}

void Cli::Impl::find_words(const std::string& program) {
  std::vector<std::size_t> all, common;
  for (std::size_t i = 0; i < parser.size(); ++i) {
    if (parser.values(i).empty()) continue;
    all.push_back(i);
    if (repeated.contains(i)) common.push_back(i);
  }
  words.options = words_of(common, Of::kOthers);
  words.program = quote_word(program);
  words.whole = words.program;
  if (operands != nullptr)
    for (const std::string& word : *operands) words.whole += " " + quote_word(word);
  if (const std::string options = words_of(all, Of::kThis); !options.empty())
    words.whole += " " + options;
  // Texts of these are read by people who are not the engine's user.
  if (kind != Kind::kTool && geteuid() != 0)
    words.prefix = fmt::format("runuser -u {} -- ", user_name(geteuid()));
}

// A file of options may hang too, before it is known whether it holds the timeout.
void Cli::watch_files(const std::vector<Occurrence>& options) {
  Impl& s = *impl_;
  if (s.kind == Kind::kTool) return;
  for (const char* name : {"t", "timeout"})
    if (const std::string* const timeout = last_value(options, name))
      if (const auto seconds = parse_seconds(timeout->substr(0, timeout->find(':'))))
        s.timeout_s = *seconds;
  s.deadline = Deadline::after(s.clock, s.timeout_s);
  waiting_for("its files of options");
}

// Takes over the words that CLI11 has left.
std::optional<std::string> Cli::take_operands() {
  Impl& s = *impl_;
  for (const std::string& extra : s.parser.rest()) {
    // Its value is not quoted: it may be a secret behind a misspelt option.
    const std::string name = extra.substr(0, extra.find('='));
    if (name.starts_with('-') && name != "-")
      return fmt::format("unknown option {} (see --help)", name);
    if (s.operands == nullptr)
      return "unexpected argument (every value belongs to an option; see --help)";
    s.operands->push_back(extra);
  }
  return std::nullopt;
}

std::optional<int> Cli::parse(const Arguments& arguments) {
  Impl& s = *impl_;
  const Grammar grammar = s.grammar();
  wipe_passwords(arguments, grammar);
  std::vector<std::string> words = arguments.words();
  const std::vector<Occurrence> options = find_options(arguments.words(), grammar);
  s.style.voice = guess_voice(options);
  watch_files(options);
  if (const auto applied = s.apply_files(words, options); !applied)
    return usage_error(applied.error().text);
  if (const auto parsed = s.parser.parse(words); !parsed) return usage_error(parsed.error().text);
  const int code = s.kind == Kind::kTool ? kExitDone : kExitUsage;
  if (s.help) return print_last(render_help(s.parser, s.binary, s.purpose, s.operand_usage), code);
  if (s.version)
    return print_last(
        fmt::format("{} v{} (monitoring-plugins-ha {})\n", s.binary, kVersion, kVersion), code);
  if (const auto mistake = take_operands()) return usage_error(*mistake);
  s.find_words(words.empty() ? s.binary : words[0]);
  if (s.kind == Kind::kTool) return std::nullopt;
  s.deadline = Deadline::after(s.clock, s.timeout_s);
  waiting_for("the start");
  return std::nullopt;
}

}  // namespace ha
