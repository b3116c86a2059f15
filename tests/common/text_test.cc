// SPDX-License-Identifier: MIT
#include "common/text.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(TextTest, NumbersHaveNoExponentAndNoTrailingZeros) {
  const struct {
    double value;
    const char* want;
  } cases[] = {{0, "0"},
               {-0.0, "0"},
               {10, "10"},
               {100, "100"},
               {0.5, "0.5"},
               {-2.25, "-2.25"},
               {1e-9, "0"},
               {-1e-9, "0"},
               {0.1 + 0.2, "0.3"},
               {1e15, "1000000000000000"},
               {1234567.891, "1234567.891"}};
  for (const auto& c : cases) EXPECT_EQ(format_number(c.value), c.want);
}

TEST(TextTest, DurationsReadWellAtEverySize) {
  const struct {
    double seconds;
    const char* want;
  } cases[] = {{0, "0s"},
               {0.04, "0s"},
               {0.4, "0.4s"},
               {9.94, "9.9s"},
               {9.96, "10s"},
               {73.2, "73s"},
               {119.4, "119s"},
               {119.6, "2m 00s"},
               {303, "5m 03s"},
               {7199, "119m 59s"},
               {7200, "2h 00m"},
               {8040, "2h 14m"},
               {172800, "2d 00h"},
               {273600, "3d 04h"},
               {-5, "-5s"},
               {-0.01, "0s"},
               {1e300, "104166666666d 16h"}};
  for (const auto& c : cases) EXPECT_EQ(format_duration(c.seconds), c.want) << c.seconds;
}

TEST(TextTest, ParsesPlainDecimalNumbersOnly) {
  EXPECT_EQ(parse_number("10"), 10.0);
  EXPECT_EQ(parse_number("-0.5"), -0.5);
  EXPECT_EQ(parse_number("1e3"), 1000.0);
  EXPECT_EQ(parse_number("010"), 10.0);
  for (const char* text : {"", " ", "1 ", " 1", "+1", "0x10", "inf", "-inf", "nan", "1e400", "1,5",
                           "1.2.3", "e", "-", "1e", "12a"})
    EXPECT_EQ(parse_number(text), std::nullopt) << "'" << text << "'";
}

TEST(TextTest, ParsesWholeNumbersThatFit) {
  EXPECT_EQ(parse_integer("3306"), 3306);
  EXPECT_EQ(parse_integer("-1"), -1);
  for (const char* text : {"", "1.0", "+1", " 1", "1x", "99999999999999999999"})
    EXPECT_EQ(parse_integer(text), std::nullopt) << "'" << text << "'";
}

TEST(TextTest, SanitizeKeepsOneHarmlessLineOfUtf8) {
  const struct {
    std::string_view text, want;
  } cases[] = {
      {"plain", "plain"},
      {"gr\xC3\xBC\xC3\x9F dich \xE2\x82\xAC \xF0\x9F\x90\x98",
       "gr\xC3\xBC\xC3\x9F dich \xE2\x82\xAC \xF0\x9F\x90\x98"},
      {"a|b", "a b"},
      {"a\nb\rc\td", "a b c d"},
      {std::string_view("a\0b\x7F", 4), "a b "},
      {"\x1B[31m", " [31m"},
      {"\xC2\x9B[31m", " [31m"},  // CSI as the C1 control U+009B
      {"\xC2\xA0", "\xC2\xA0"},   // the first character behind them
      {"a\xE2\x80\xAE"
       "b",
       "a b"},                           // right to left from here on
      {"\xE2\x81\xA6\xD8\x9C.", "  ."},  // isolates and marks of direction
      {"a\xE2\x80\xA8"
       "b\xC2\x85"
       "c",
       "a b c"},  // ends of lines of Unicode's
      {"a\xE2\x80\x8B"
       "b\xEF\xBB\xBF",
       "a b "},                                                  // of no width
      {"a\xF3\xA0\x81\x81", "a "},                               // a tag
      {"\xE2\x80\x90\xE2\x80\xAF", "\xE2\x80\x90\xE2\x80\xAF"},  // their neighbours
      {"\xE4rger", "?rger"},                                     // Latin-1
      {"cut \xE2\x82", "cut ??"},                                // torn at the end
      {"\xC0\xAF", "??"},                                        // overlong '/'
      {"\xE0\x80\xAF", "???"},                                   // overlong
      {"\xF0\x80\x80\xAF", "????"},                              // overlong
      {"\xED\xA0\x80", "???"},                                   // surrogate
      {"\xF4\x90\x80\x80", "????"},                              // above U+10FFFF
      {"\xFF\xFE", "??"},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(sanitize(c.text), c.want) << c.want;
}

TEST(TextTest, LinesOfAToolStayLinesAndKeepTheirPipes) {
  EXPECT_EQ(printable("a|b\nc\x1B[2J"), "a|b c [2J");
  EXPECT_EQ(printable_lines("a|b\nc\r\x9B\n\nd"), "a|b\nc ?\n\nd");
  EXPECT_EQ(printable_lines("\n"), "\n");
  EXPECT_EQ(printable_lines(""), "");
}

TEST(TextTest, ShortenNeverTearsACharacterNorExceedsTheLimit) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdefg", 6), "abc...");
  EXPECT_EQ(shorten("ab\xE2\x82\xAC"
                    "defg",
                    6),
            "ab...");
  EXPECT_EQ(shorten("ab\xE2\x82\xAC"
                    "defg",
                    8),
            "ab\xE2\x82\xAC...");
  EXPECT_EQ(shorten("abcdef", 3), "...");
  EXPECT_EQ(shorten("abcdef", 2), "..");
}

TEST(TextTest, SplitsAndTrims) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(split_words(" a\t b  "), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(split_words(" "), std::vector<std::string>{});
  EXPECT_EQ(split_values("a\\,b,,\\\\"), (std::vector<std::string>{"a,b", "", "\\"}));
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(to_upper("\xC3\xA4 az_9"), "\xC3\xA4 AZ_9");
  EXPECT_EQ(to_lower("AZ"), "az");
}

TEST(TextTest, AQuotedWordIsOneWordToAShell) {
  const struct {
    const char* word;
    const char* want;
  } cases[] = {{"/bin/x", "/bin/x"}, {"2001:db8::1/64", "2001:db8::1/64"},
               {"-c=1", "-c=1"},     {"", "''"},
               {"a b", "'a b'"},     {"it's", "'it'\\''s'"},
               {"$(id)", "'$(id)'"}, {"a\nb", "'a\nb'"},
               {"~", "'~'"},         {"\xC3\xBC", "'\xC3\xBC'"}};
  for (const auto& c : cases) EXPECT_EQ(quote_word(c.word), c.want);
}

}  // namespace
}  // namespace ha
