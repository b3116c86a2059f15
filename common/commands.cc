// SPDX-License-Identifier: MIT
#include "common/commands.h"

#include <algorithm>
#include <initializer_list>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::string_view kTool = "mysql_ha ";

// Returns the word at the beginning of `text`, without the punctuation of a sentence behind it.
std::string_view first_word(std::string_view text) {
  std::string_view word = text.substr(0, text.find(' '));
  while (!word.empty() && std::string_view(".,;:)'\"").find(word.back()) != word.npos)
    word.remove_suffix(1);
  return word;
}

// The words at the beginning of a text, taken one after the other.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  bool take(std::string_view word) {
    if (next() != word) return false;
    take_next();
    return true;
  }
  bool take_any(std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [this](std::string_view word) { return take(word); });
  }
  // Takes whatever is next; false: nothing is.
  bool take_next() {
    const std::string_view word = next();
    if (word.empty()) return false;
    size_ = static_cast<std::size_t>(word.data() - text_.data()) + word.size();
    return true;
  }
  std::size_t size() const { return size_; }

 private:
  // The next word, empty when a sentence goes on after the last one.
  std::string_view next() const {
    if (size_ == 0) return first_word(text_);
    if (size_ == text_.size() || text_[size_] != ' ') return text_.substr(text_.size());
    return first_word(text_.substr(size_ + 1));
  }

  std::string_view text_;
  std::size_t size_ = 0;  // of what was taken
};

// Returns the length of the command's words at the beginning of `text`; 0: it is no command.
std::size_t command_size(std::string_view text) {
  Words words(text);
  if (words.take("journal")) {
    if (words.take_any({"ack", "show"})) words.take_next();
  } else if (words.take_any({"rejoin", "resync"})) {
    if (!words.take_next()) return 0;
  } else if (!words.take_any({"status", "plan", "failover", "switchover", "repair"})) {
    return 0;
  }
  // Options that the text gives itself.
  for (bool more = true; more;) {
    const bool valued = words.take_any(
        {"--to", "--from", "--primary", "--assume-replica", "--assume-dead", "--winner"});
    more = valued ? words.take_next() : words.take("--allow-loss");
  }
  return words.size();
}

}  // namespace

bool names_command(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(kTool, at)) != text.npos; at += kTool.size())
    if (command_size(text.substr(at + kTool.size())) > 0) return true;
  constexpr std::string_view kIntroductions[] = {"run: ", "run as root: ", "run there: "};
  return text.find(kThisCommand) != text.npos ||
         std::ranges::any_of(kIntroductions, [text](std::string_view words) {
           return text.find(words) != text.npos;
         });
}

std::string complete_commands(std::string_view text, const CommandWords& words) {
  std::string whole;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.starts_with(kThisCommand)) {
      whole += words.whole;
      rest.remove_prefix(std::string_view(kThisCommand).size());
      continue;
    }
    if (rest.starts_with(kThisProgram)) {
      whole += words.prefix + words.program;
      if (!words.options.empty()) whole += " " + words.options;
      rest.remove_prefix(std::string_view(kThisProgram).size());
      continue;
    }
    const bool begins = whole.empty() || whole.back() == ' ';
    const std::size_t size =
        begins && rest.starts_with(kTool) ? command_size(rest.substr(kTool.size())) : 0;
    if (size == 0) {
      whole += rest[0];
      rest.remove_prefix(1);
      continue;
    }
    if (!whole.ends_with("-- ")) whole += words.prefix;
    whole += rest.substr(0, kTool.size() + size);
    rest.remove_prefix(kTool.size() + size);
    if (!words.options.empty() && !rest.starts_with(" " + words.options))
      whole += " " + words.options;
  }
  return whole;
}

}  // namespace ha
