// SPDX-License-Identifier: MIT
#include "common/cli/arguments.h"

#include <algorithm>
#include <cstring>

namespace ha {

namespace {

// In every program, so that one typed to a program that takes none does not stay.
constexpr char kPasswordLetter = 'p';

// Finds the options of one word, and of the next one where that is a value.
void find_options_at(const std::vector<std::string>& words, std::size_t at, const Grammar& grammar,
                     std::vector<Occurrence>& options) {
  const std::string_view word = words[at];
  const auto with_next = [&](std::string_view name, Takes takes) {
    Occurrence option{name, std::nullopt, at};
    const bool is_there = at + 1 < words.size();
    const bool may_be_absent = takes == Takes::kMaybeAValue;
    if (is_there && takes != Takes::kNothing &&
        !(may_be_absent && words[at + 1].starts_with('-'))) {
      option.value = words[at + 1];
      option.count = 2;
    }
    options.push_back(std::move(option));
  };
  if (word.starts_with("--")) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(2, equals == word.npos ? equals : equals - 2);
    if (equals == word.npos) return with_next(name, grammar.find(name).value_or(Takes::kNothing));
    return options.push_back({name, std::string(word.substr(equals + 1)), at});
  }
  for (std::size_t i = 1; word.starts_with('-') && i < word.size(); ++i) {
    const std::string_view letter = word.substr(i, 1);
    const auto takes = grammar.find(letter);
    if (!takes) return;
    if (*takes == Takes::kNothing)
      options.push_back({letter, std::nullopt, at});
    else if (i + 1 < word.size())
      return options.push_back({letter, std::string(word.substr(i + 1)), at});
    else
      return with_next(letter, *takes);
  }
}

// Returns where a password begins in a word; its size: the next word is one; npos: there is none.
std::size_t find_password(std::string_view word, const Grammar& grammar) {
  if (word.starts_with("--")) {
    const std::size_t equals = word.find('=');
    if (!is_password_name(word.substr(0, equals))) return word.npos;
    return equals == word.npos ? word.size() : equals + 1;
  }
  if (!word.starts_with('-')) return word.npos;
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Takes takes = grammar.find(word.substr(i, 1)).value_or(Takes::kNothing);
    if (word[i] == kPasswordLetter || takes == Takes::kPassword) return i + 1;
    if (takes != Takes::kNothing) break;
  }
  return word.npos;
}

}  // namespace

void Arguments::wipe(std::size_t index, std::size_t first) const {
  if (originals_ == nullptr) return;
  char* const word = originals_[index];
  std::memset(word + first, 0, std::strlen(word + first));
}

std::optional<Takes> Grammar::find(std::string_view name) const {
  const auto found = std::ranges::find(names_, name, &decltype(names_)::value_type::first);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

std::vector<Occurrence> find_options(const std::vector<std::string>& words,
                                     const Grammar& grammar) {
  std::vector<Occurrence> options;
  for (std::size_t i = 1; i < words.size() && words[i] != "--";) {
    const std::size_t before = options.size();
    find_options_at(words, i, grammar, options);
    i += options.size() > before ? options.back().count : 1;
  }
  return options;
}

const std::string* last_value(const std::vector<Occurrence>& options, std::string_view name) {
  const std::string* value = nullptr;
  for (const Occurrence& option : options)
    if (option.name == name && option.value) value = &*option.value;
  return value;
}

void wipe_passwords(const Arguments& arguments, const Grammar& grammar) {
  const std::vector<std::string>& words = arguments.words();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t first = find_password(words[i], grammar);
    if (first == std::string_view::npos) continue;
    if (first < words[i].size())
      arguments.wipe(i, first);
    else if (words[i].ends_with('='))  // empty
      continue;
    else if (i + 1 < words.size())
      arguments.wipe(++i, 0);
  }
}

}  // namespace ha
