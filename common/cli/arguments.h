// SPDX-License-Identifier: MIT
// The words of a command line before they are parsed: which of them are options, with which values,
// and where a password stands that the process list must not show. What an option takes is read
// from those that a program has registered, so that no reader of a command line has a list of its
// own.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ha {

// What a program was started with; the first word is its own name.
class Arguments {
 public:
  // Copies those of main(), which must outlive this: the process list shows them.
  Arguments(int argc, char** argv) : words_(argv, argv + argc), originals_(argv) {}

  // Words that no process list shows.
  Arguments(std::vector<std::string> words)  // NOLINT(google-explicit-constructor)
      : words_(std::move(words)) {}

  const std::vector<std::string>& words() const { return words_; }

  // Overwrites the word at `index` where the process list shows it, from the character `first` on.
  void wipe(std::size_t index, std::size_t first) const;

 private:
  std::vector<std::string> words_;
  char** originals_ = nullptr;
};

// What an option takes.
enum class Takes { kNothing, kMaybeAValue, kValue, kPassword };

// The names of a program's options, without dashes; a name of one character is a letter.
class Grammar {
 public:
  // `most`: names for which there is room from the beginning.
  explicit Grammar(std::size_t most) { names_.reserve(most); }

  // `name` must outlive this.
  void add(std::string_view name, Takes takes) { names_.emplace_back(name, takes); }

  // nullopt: there is no such option.
  std::optional<Takes> find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, Takes>> names_ = {};
};

// One option on a command line.
struct Occurrence {
  std::string_view name;             // without dashes
  std::optional<std::string> value;  // nullopt: none is given
  std::size_t first = 0, count = 1;  // the words that it stands in
};

// Returns the options of a command line, in its order: "-v -tSECONDS", "-t SECONDS",
// "--timeout=SECONDS" and "--timeout SECONDS". Ends at "--". The names refer to `words`.
std::vector<Occurrence> find_options(const std::vector<std::string>& words, const Grammar& grammar);

// Returns the last value of the option with this name; nullptr when it has none.
const std::string* last_value(const std::vector<Occurrence>& options, std::string_view name);

// True for the long name of an option that takes a password.
inline bool is_password_name(std::string_view name) { return name.ends_with("password"); }

// Wipes every password: of `-p`, of any other letter that takes one, also behind letters that take
// no value ("-lvpSECRET"), and of long names that end in "password", registered or not. In doubt it
// wipes: a letter that is not registered counts as one without a value, and a word that may be the
// value of the option before it is judged as an option as well.
void wipe_passwords(const Arguments& arguments, const Grammar& grammar);

}  // namespace ha
