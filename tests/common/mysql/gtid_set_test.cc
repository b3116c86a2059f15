// SPDX-License-Identifier: MIT
#include "common/mysql/gtid_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace ha {
namespace {

constexpr char kA[] = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
constexpr char kB[] = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

// Replaces the letters A and B by the two servers' identifiers.
std::string full(std::string_view text) {
  std::string long_text;
  for (char c : text) long_text += c == 'A' ? kA : c == 'B' ? kB : std::string(1, c);
  return long_text;
}

GtidSet set(std::string_view text) {
  const auto parsed = GtidSet::parse(full(text));
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : GtidSet{};
}

TEST(GtidSetTest, PrintsWhatItParsedInTheServersForm) {
  const struct {
    const char *text, *printed;
  } cases[] = {
      {"", ""},
      {" \n", ""},
      {",", ""},
      {"A:1", "A:1"},
      {"A:1-5", "A:1-5"},
      {"A:3-3", "A:3"},
      {"A:5-3", ""},
      {"A:2-0", ""},
      {"A:7:1-5", "A:1-5:7"},
      {"A:1-3:4-6", "A:1-6"},
      {"A:1-10:3-4", "A:1-10"},
      {"A:1-2,\nB:1-3", "A:1-2,B:1-3"},
      {"B:1,A:1", "A:1,B:1"},
      {"A:1-2,A:2-5", "A:1-5"},
      {" A : 1 - 5 : 8 ", "A:1-5:8"},
      {"A:tag:1-3", "A:tag:1-3"},
      {"A:1-2:tag:1-3:5:other:9", "A:1-2:other:9:tag:1-3:5"},
      {"A:RED:1", "A:red:1"},
      {"A:_t1:1", "A:_t1:1"},
      {"A:9223372036854775806", "A:9223372036854775806"},
  };
  for (const auto& c : cases) EXPECT_EQ(set(c.text).print(), full(c.printed)) << c.text;
  EXPECT_EQ(GtidSet::parse("3E11FA47-71CA-11E1-9E33-C80AA9429562:1")->print(), full("A:1"));
}

TEST(GtidSetTest, MalformedTextIsAnError) {
  for (const char* text : {"A",
                           "A:",
                           "A:0",
                           "A:-1",
                           "A:1-",
                           "A:1-2-3",
                           "A:x y:1",
                           "A:1:",
                           "A:tag",
                           "A:tag:",
                           "A:tag:x:1",
                           "A:tag:1:other",
                           "A:9tag:1",
                           "A:9223372036854775807",
                           "A:99999999999999999999",
                           "A:+1",
                           "A:0x1",
                           "A:1;B:1",
                           "1-5",
                           "0-1-100",
                           "A1:1",
                           "AA:1",
                           ":1",
                           "A::1",
                           "A:abcdefghijklmnopqrstuvwxyz_0123456:1",
                           "3e11fa4771ca11e19e33c80aa9429562:1"})
    EXPECT_FALSE(GtidSet::parse(full(text))) << text;
  const auto error = GtidSet::parse(full("A:1,B:x|\n")).error();
  EXPECT_EQ(error.code, Errc::kBadData);
  EXPECT_EQ(error.text, full("not a GTID set: 'B:x '"));
}

TEST(GtidSetTest, HostileSizesAreBounded) {
  EXPECT_FALSE(GtidSet::parse(std::string(kMaxGtidText + 1, ',')));
  EXPECT_EQ(set("A:1-9223372036854775806,B:1-9223372036854775806:t:1-9223372036854775806").count(),
            18446744073709551615u);
  std::string many = kA;
  for (int i = 0; i < 200000; ++i) many += ":" + std::to_string(2 * i + 1);
  const auto parsed = GtidSet::parse(many);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->count(), 200000u);
  EXPECT_TRUE(subtract(*parsed, *parsed).empty());
  EXPECT_TRUE(contains(set("A:1-500000"), *parsed));
}

TEST(GtidSetTest, SetsAreComparedAsSets) {
  const struct {
    const char *a, *b;
    bool contains;
    const char *a_minus_b, *either;
    std::uint64_t count_of_a;
  } cases[] = {
      {"", "", true, "", "", 0},
      {"A:1-5", "", true, "A:1-5", "A:1-5", 5},
      {"", "A:1-5", false, "", "A:1-5", 0},
      {"A:1-5", "A:1-5", true, "", "A:1-5", 5},
      {"A:1-10", "A:3-4", true, "A:1-2:5-10", "A:1-10", 10},
      {"A:1-10", "A:3-4:9-12", false, "A:1-2:5-8", "A:1-12", 10},
      {"A:1-4:6-9", "A:4-6", false, "A:1-3:7-9", "A:1-9", 8},
      {"A:1-90", "A:1-80,B:1-50", false, "A:81-90", "A:1-90,B:1-50", 90},
      {"A:1-5", "A:tag:1-5", false, "A:1-5", "A:1-5:tag:1-5", 5},
      {"A:1-5:tag:1-9", "A:tag:2", true, "A:1-5:tag:1:3-9", "A:1-5:tag:1-9", 14},
      {"A:1:3:5:7", "A:3-5", false, "A:1:7", "A:1:3-5:7", 4},
  };
  for (const auto& c : cases) {
    const GtidSet a = set(c.a), b = set(c.b);
    EXPECT_EQ(contains(a, b), c.contains) << c.a << " and " << c.b;
    EXPECT_EQ(subtract(a, b).print(), full(c.a_minus_b)) << c.a << " and " << c.b;
    EXPECT_EQ(unite(a, b).print(), full(c.either)) << c.a << " and " << c.b;
    EXPECT_EQ(a.count(), c.count_of_a) << c.a;
  }
}

TEST(GtidSetTest, TheTransactionsOfOneServerIncludeItsTags) {
  EXPECT_EQ(set("A:1-5:tag:1,B:1-3").of_server(kA).print(), full("A:1-5:tag:1"));
}

// Against the plainest model that there is: a std::set of numbers.
TEST(GtidSetTest, AgreesWithSetsOfNumbers) {
  using Numbers = std::set<std::pair<std::string, int>>;
  std::mt19937 random(20240601);
  const auto draw = [&](Numbers& numbers) {
    std::string text;
    for (int parts = static_cast<int>(random() % 6); parts > 0; --parts) {
      const std::string source = random() % 2 ? "A" : random() % 2 ? "B" : "A:tag";
      const int first = static_cast<int>(random() % 40) + 1;
      const int last = first + static_cast<int>(random() % 12);
      text += (text.empty() ? "" : ",") + source + ":" + std::to_string(first) + "-" +
              std::to_string(last);
      for (int n = first; n <= last; ++n) numbers.insert({source, n});
    }
    return set(text);
  };
  for (int round = 0; round < 3000; ++round) {
    Numbers na, nb, minus, either;
    const GtidSet a = draw(na), b = draw(nb);
    std::set_difference(na.begin(), na.end(), nb.begin(), nb.end(),
                        std::inserter(minus, minus.end()));
    std::set_union(na.begin(), na.end(), nb.begin(), nb.end(), std::inserter(either, either.end()));
    EXPECT_EQ(a.count(), na.size());
    EXPECT_EQ(subtract(a, b).count(), minus.size());
    EXPECT_EQ(unite(a, b).count(), either.size());
    EXPECT_EQ(contains(a, b), std::includes(na.begin(), na.end(), nb.begin(), nb.end()));
    EXPECT_EQ(unite(subtract(a, b), b), unite(b, a));
    EXPECT_TRUE(contains(a, subtract(a, b)));
    EXPECT_EQ(*GtidSet::parse(a.print()), a);
  }
}

}  // namespace
}  // namespace ha
