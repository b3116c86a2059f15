// SPDX-License-Identifier: MIT
// The options of a program: the standard ones, and each kind that it may add.
#include "common/cli.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/cli/impl.h"
#include "common/process.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

Cli::Cli(const Clock& clock, std::string binary, std::string purpose, Kind kind)
    : impl_(new Impl(clock, kind, binary, std::move(purpose))) {
  Impl& s = *impl_;
  // The voice first: options are taken over in the order of definition, and a later mistake is to
  // be reported in it.
  if (kind == Kind::kCheck) add_voices();
  flag("-h,--help", s.help, "print this help and exit");
  flag("-V,--version", s.version, "print the version and exit");
  s.parser.counter("-v,--verbose", s.style.verbosity, "print more; repeatable");
  // Engines kill an event handler after 30 seconds (event_handler_timeout).
  if (kind == Kind::kHandler) s.timeout_s = 25;
  if (kind != Kind::kTool) add_timeout();
  s.parser.shown("--extra-opts", "[=[SECTION][@FILE]]", Takes::kMaybeAValue,
                 "read options from an INI section as monitoring-plugins do");
  s.parser.shown("--config", "FILE", Takes::kValue,
                 "read options from an INI file, long names as keys");
}

void Cli::add_voices() {
  Impl& s = *impl_;
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
  s.parser.action(
      "--discovery", [&s] { s.style.voice = Voice::kDiscovery; },
      "print Zabbix low-level discovery JSON");
}

void Cli::add_timeout() {
  Impl& s = *impl_;
  if (s.kind == Kind::kCheck)
    seconds_state("-t,--timeout", s.timeout_s, s.timeout_state,
                  "budget of the whole run and the state when it ends (default: 10:critical)");
  else
    seconds("-t,--timeout", s.timeout_s, "budget of the whole run (default: 25)");
}

Cli::~Cli() = default;

void Cli::flag(const char* names, bool& target, const char* help) {
  impl_->parser.flag(names, target, help);
}

void Cli::option(const char* names, const char* metavar, Accept accept, const char* help) {
  impl_->parser.option(names, metavar, std::move(accept), help);
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
  impl_->operand_usage = fmt::format(" {}", usage);
  impl_->operands = &target;
}

void Cli::shared_file(const char* name, const char* help) {
  impl_->parser.shown(name, "FILE", Takes::kValue, help);
  impl_->shared_option = name;
}

std::vector<std::string> Cli::passed_over() const {
  const Impl& s = *impl_;
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

std::size_t Cli::count_options() const { return impl_->parser.size(); }

void Cli::repeat_own_options(std::size_t first) {
  repeat_options(first);
  impl_->repeats_files = true;
}

void Cli::repeat_options(std::size_t first) {
  for (std::size_t i = first; i < count_options(); ++i) impl_->repeated.insert(i);
}

const std::string& Cli::config_path() const { return impl_->config_path; }

const Deadline& Cli::deadline() const { return *impl_->deadline; }

double Cli::timeout_s() const { return impl_->timeout_s; }

State Cli::timeout_state() const { return impl_->timeout_state; }

int Cli::verbosity() const { return impl_->style.verbosity; }

Result<double> parse_seconds(std::string_view text) {
  const auto number = parse_number(text);
  // A day is longer than any run; beyond it timers overflow.
  if (!number || *number <= 0 || *number > 86400)
    return Error{Errc::kUsage, fmt::format("'{}' is not a duration (accepted: seconds above 0, at "
                                           "most 86400, decimals allowed)",
                                           sanitize(text))};
  return *number;
}

}  // namespace ha
