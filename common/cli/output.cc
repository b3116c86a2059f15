// SPDX-License-Identifier: MIT
// The ways out: a report, last words, a mistake, and the hard stop's words prepared in time.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "common/cli/impl.h"
#include "common/exit_code.h"
#include "common/files.h"
#include "common/hard_stop.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

int print_last(std::string_view output, int exit_code) {
  clear_hard_stop();
  write_all(STDOUT_FILENO, output);
  return exit_code;
}

int print_last(const Report& report) {
  return print_last(report.output, static_cast<int>(report.state));
}

Report render_error(const ReportStyle& style, std::string_view text) {
  ReportStyle plain = style;
  if (plain.voice != Voice::kJson) plain.voice = Voice::kNagios;
  return render(plain, {State::kUnknown, std::string(text)});
}

std::string check_name(const std::string& binary) {
  return binary.starts_with("check_") ? binary.substr(6) : binary;
}

Voice guess_voice(const std::vector<Occurrence>& options) {
  const std::string* const word = last_value(options, "output");
  return word != nullptr && *word == "json" ? Voice::kJson : Voice::kNagios;
}

std::string Cli::Impl::last_words(std::string_view text) const {
  return fmt::format("{}: {}\n", binary, sanitize(complete_commands(text, words)));
}

void Cli::waiting_for(std::string_view what) const {
  const Impl& s = *impl_;
  const std::string text =
      fmt::format("timed out after {}s waiting for {}", format_number(s.timeout_s), what);
  if (s.kind != Kind::kCheck) return prepare_last_words(kExitFailed, text);
  const Report last = render(s.style, {s.timeout_state, complete(text)});
  set_hard_stop(*s.deadline, last.output, static_cast<int>(last.state));
}

void Cli::prepare_last_words(int exit_code, std::string_view text) const {
  set_hard_stop(*impl_->deadline, impl_->last_words(text), exit_code);
}

std::string Cli::complete(std::string_view text) const {
  return complete_commands(text, impl_->words);
}

int Cli::report(const CheckResult& result) const {
  CheckResult completed = result;
  completed.text = complete(result.text);
  for (Item& item : completed.items) item.text = complete(item.text);
  for (std::string& note : completed.notes) note = complete(note);
  return print_last(render(impl_->style, completed));
}

int Cli::finish(int exit_code, std::string_view text,
                const std::vector<std::string>& details) const {
  std::string output = impl_->last_words(text);
  for (const std::string& line : details) output += printable(complete(line)) + "\n";
  return print_last(output, exit_code);
}

int Cli::usage_error(std::string_view text) const {
  if (impl_->kind != Kind::kCheck) return finish(kExitUsage, text);
  return print_last(render_error(impl_->style, text));
}

// Not fmt::print, which throws: a terminal that has hung up must not end this in the middle.
void print_lines(std::string_view lines) {
  std::fputs(printable_lines(lines).c_str(), stdout);
  std::fflush(stdout);
}

int report_internal_error(const std::string& binary, const std::vector<std::string>& words,
                          std::string_view text) {
  Grammar grammar(1);  // the program's own options are not known here
  grammar.add("output", Takes::kValue);
  return print_last(render_error({check_name(binary), guess_voice(find_options(words, grammar))},
                                 fmt::format("internal error: {}", text)));
}

}  // namespace ha
