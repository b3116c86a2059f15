// SPDX-License-Identifier: MIT
#include "common/cli/parser.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/text.h"

namespace ha {

struct Parser::Impl {
  CLI::App app;
  std::vector<CLI::Option*> options = {};
};

namespace {

// Returns the words in the order in which CLI11 wants them, without the program's name.
std::vector<std::string> reverse(const std::vector<std::string>& words) {
  std::vector<std::string> reversed;
  for (const std::string& word : words) {
    // CLI11 would take the next word for an empty value.
    if (word.size() > 3 && word.starts_with("--") && word.find('=') == word.size() - 1) {
      reversed.push_back(word.substr(0, word.size() - 1));
      reversed.emplace_back();
    } else {
      reversed.push_back(word);
    }
  }
  if (!reversed.empty()) reversed.erase(reversed.begin());
  std::ranges::reverse(reversed);
  return reversed;
}

}  // namespace

Parser::Parser() : impl_(new Impl) {
  impl_->app.set_help_flag();
  impl_->app.allow_extras();
}

Parser::~Parser() = default;

void Parser::flag(const char* names, bool& target, const char* help) {
  CLI::Option* const option = impl_->app.add_flag(names, target, help);
  option->each([](const std::string& value) {
    const std::vector<std::string> words = {"true", "false", "yes", "no", "on", "off", "1", "0"};
    if (std::ranges::find(words, value) == words.end())
      throw CLI::ValidationError(fmt::format("'{}' is not one of: {}", value, join(words, ", ")));
  });
  impl_->options.push_back(option);
}

void Parser::counter(const char* names, int& target, const char* help) {
  impl_->options.push_back(impl_->app.add_flag(names, target, help));
}

void Parser::action(const char* names, std::function<void()> act, const char* help) {
  impl_->options.push_back(impl_->app.add_flag_callback(names, std::move(act), help));
}

void Parser::option(const char* names, const char* metavar, Accept accept, const char* help) {
  CLI::Option* const option = impl_->app.add_option(names, CLI::callback_t{}, help);
  option->type_name(metavar)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->each([accept = std::move(accept)](const std::string& value) {
        const Result<Done> taken = accept(value);
        if (!taken) throw CLI::ValidationError(taken.error().text);
      });
  impl_->options.push_back(option);
}

void Parser::shown(const char* names, const char* metavar, Takes takes, const char* help) {
  CLI::Option* const option = impl_->app.add_option(names, CLI::callback_t{}, help);
  option->type_name(metavar);
  if (takes == Takes::kMaybeAValue) option->expected(0, 1);
  impl_->options.push_back(option);
}

std::size_t Parser::size() const { return impl_->options.size(); }

std::string_view Parser::letter(std::size_t option) const {
  const auto& names = impl_->options[option]->get_snames();
  return names.empty() ? std::string_view() : names[0];
}

std::string_view Parser::name(std::size_t option) const {
  const auto& names = impl_->options[option]->get_lnames();
  return names.empty() ? std::string_view() : names[0];
}

std::string Parser::metavar(std::size_t option) const {
  return impl_->options[option]->get_type_name();
}

const std::string& Parser::help(std::size_t option) const {
  return impl_->options[option]->get_description();
}

Takes Parser::takes(std::size_t option) const {
  const CLI::Option& one = *impl_->options[option];
  if (one.get_expected_max() == 0) return Takes::kNothing;
  if (one.get_expected_min() == 0) return Takes::kMaybeAValue;
  return is_password_name(name(option)) ? Takes::kPassword : Takes::kValue;
}

const std::vector<std::string>& Parser::values(std::size_t option) const {
  return impl_->options[option]->results();
}

void Parser::add_value(std::size_t option, const std::string& value) {
  impl_->options[option]->add_result(value);
}

std::optional<std::size_t> Parser::find(std::string_view name) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (!name.empty() && name == (name.size() == 1 ? letter(i) : this->name(i))) return i;
  return std::nullopt;
}

Result<Done> Parser::parse(const std::vector<std::string>& words) {
  try {
    impl_->app.parse(reverse(words));
  } catch (const CLI::ParseError& error) {
    return Error{Errc::kUsage, error.what()};
  }
  return Done{};
}

std::vector<std::string> Parser::rest() const { return impl_->app.remaining(); }

}  // namespace ha
