// SPDX-License-Identifier: MIT
#include "common/cli/arguments.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

Grammar grammar() {
  Grammar grammar(0);
  for (const char* flag : {"h", "V", "v", "verbose", "l", "fast"})
    grammar.add(flag, Takes::kNothing);
  for (const char* valued : {"t", "timeout", "H", "hostname", "config"})
    grammar.add(valued, Takes::kValue);
  grammar.add("extra-opts", Takes::kMaybeAValue);
  grammar.add("p", Takes::kPassword);
  grammar.add("password", Takes::kPassword);
  grammar.add("w", Takes::kPassword);
  return grammar;
}

// "timeout=5@1+2": the name, the value, the first word and how many there are.
std::string describe(const std::vector<Occurrence>& options) {
  std::string text;
  for (const Occurrence& option : options)
    text += (text.empty() ? "" : " ") + std::string(option.name) +
            (option.value ? "=" + *option.value : "") + "@" + std::to_string(option.first) + "+" +
            std::to_string(option.count);
  return text;
}

TEST(ArgumentsTest, OptionsAreFoundInEverySpelling) {
  const struct {
    std::vector<std::string> words;
    const char* found;
  } cases[] = {
      {{"-t5"}, "t=5@1+1"},
      {{"-t", "5"}, "t=5@1+2"},
      {{"-vt5"}, "v@1+1 t=5@1+1"},
      {{"-lt", "5", "-v"}, "l@1+1 t=5@1+2 v@3+1"},
      {{"--timeout=5"}, "timeout=5@1+1"},
      {{"--timeout="}, "timeout=@1+1"},
      {{"--timeout", "5"}, "timeout=5@1+2"},
      {{"--timeout"}, "timeout@1+1"},
      {{"-t"}, "t@1+1"},
      {{"-H", "-t5"}, "H=-t5@1+2"},
      {{"--hostname", "--timeout", "5"}, "hostname=--timeout@1+2"},
      {{"--extra-opts", "s@f"}, "extra-opts=s@f@1+2"},
      {{"--extra-opts", "-v"}, "extra-opts@1+1 v@2+1"},
      {{"--extra-opts"}, "extra-opts@1+1"},
      {{"--fast", "go", "-", "-v"}, "fast@1+1 v@4+1"},
      {{"--bogus", "-xt5", "-v"}, "bogus@1+1 v@3+1"},
      {{"-v", "--", "-t5"}, "v@1+1"},
      {{}, ""},
  };
  for (const auto& c : cases) {
    std::vector<std::string> words = {"probe"};
    words.insert(words.end(), c.words.begin(), c.words.end());
    EXPECT_EQ(describe(find_options(words, grammar())), c.found);
  }
}

TEST(ArgumentsTest, TheLastValueCounts) {
  const std::vector<std::string> words = {"x", "-t1", "--timeout=2", "-t3", "--config"};
  const auto options = find_options(words, grammar());
  EXPECT_EQ(*last_value(options, "t"), "3");
  EXPECT_EQ(*last_value(options, "timeout"), "2");
  EXPECT_EQ(last_value(options, "config"), nullptr);
}

// Arguments in memory of their own, as the kernel hands them over.
struct Argv {
  std::vector<std::string> words;
  std::vector<char*> pointers;

  explicit Argv(std::vector<std::string> args) : words(std::move(args)) {
    for (std::string& word : words) pointers.push_back(word.data());
  }
  Arguments arguments() { return {static_cast<int>(words.size()), pointers.data()}; }
};

TEST(ArgumentsTest, PasswordsAreWipedFromTheProcessListInEveryForm) {
  const std::vector<std::vector<std::string>> cases = {
      {"-pSECRET"},
      {"-p", "SECRET"},
      {"--password=SECRET"},
      {"--password", "SECRET"},
      {"-lvpSECRET"},
      {"-lp", "SECRET"},
      {"-wSECRET"},
      {"-lw", "SECRET"},
      {"-xpSECRET"},  // no such letter
      {"-t", "-pSECRET"},
      {"-p=SECRET"},
      {"--repl-password=SECRET"},
      {"--repl-password", "SECRET"},
      {"--password=x", "--password", "SECRET"},
      {"--", "-pSECRET"},
  };
  for (const auto& form : cases) {
    std::vector<std::string> args = {"check_probe", "-H", "db1"};
    args.insert(args.end(), form.begin(), form.end());
    args.insert(args.end(), {"-u", "nagios"});
    Argv argv(args);
    const Arguments arguments = argv.arguments();
    wipe_passwords(arguments, grammar());
    EXPECT_EQ(arguments.words(), args);
    for (const std::string& word : argv.words)
      EXPECT_EQ(word.find("SECRET"), std::string::npos) << form[0];
    EXPECT_EQ(argv.words[2], "db1") << form[0];
    EXPECT_EQ(argv.words.back(), "nagios") << form[0];
  }
}

TEST(ArgumentsTest, NothingButPasswordsIsWiped) {
  Argv argv(
      {"x", "-uroot", "--port=3306", "-P", "1", "-Hpassword", "-lHpassword", "-", "--password="});
  const std::vector<std::string> before = argv.words;
  wipe_passwords(argv.arguments(), grammar());
  EXPECT_EQ(argv.words, before);
  wipe_passwords({0, nullptr}, grammar());
  wipe_passwords(std::vector<std::string>{"x", "-pSECRET"}, grammar());
}

}  // namespace
}  // namespace ha
