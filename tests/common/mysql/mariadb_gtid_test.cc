// SPDX-License-Identifier: MIT
#include "common/mysql/mariadb_gtid.h"

#include <gtest/gtest.h>

#include <random>

#include "common/mysql/gtid_set.h"

namespace ha {
namespace {

MariadbGtids gtids(std::string_view text) {
  const auto parsed = MariadbGtids::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : MariadbGtids{};
}

TEST(MariadbGtidTest, PrintsWhatItParsedByDomainAndServer) {
  const struct {
    const char *text, *printed;
  } cases[] = {
      {"", ""},
      {"0-1-100", "0-1-100"},
      {"0-2-95,0-1-100", "0-1-100,0-2-95"},
      {" 1-2-3 ,\n0-1-1 ", "0-1-1,1-2-3"},
      {"4294967295-4294967295-18446744073709551615", "4294967295-4294967295-18446744073709551615"},
  };
  for (const auto& c : cases) EXPECT_EQ(gtids(c.text).print(), c.printed) << c.text;
}

TEST(MariadbGtidTest, MalformedTextIsAnError) {
  for (const char* text : {"0", "0-1", "0-1-", "-1-2", "0-1-2-3", "a-b-c", "0-1-2,", ",", "0-1-+2",
                           "4294967296-1-1", "0-1-18446744073709551616", "0-1-1,0-1-2", "0 -1-1"})
    EXPECT_FALSE(MariadbGtids::parse(text)) << text;
  EXPECT_FALSE(MariadbGtids::parse(std::string(kMaxGtidText + 1, '1')));
}

TEST(MariadbGtidTest, StatesAreComparedByDomainAndServer) {
  const struct {
    const char *a, *b;
    bool contains;
    const char *a_minus_b, *either;
  } cases[] = {
      {"", "", true, "", ""},
      {"0-1-100", "0-1-99", true, "0-1-100", "0-1-100"},
      {"0-1-99", "0-1-100", false, "", "0-1-100"},
      {"0-1-100,0-2-95", "0-1-100", true, "0-2-95", "0-1-100,0-2-95"},
      {"0-1-100", "0-1-90,0-2-95", false, "0-1-100", "0-1-100,0-2-95"},
      {"0-1-100", "1-1-5", false, "0-1-100", "0-1-100,1-1-5"},
  };
  for (const auto& c : cases) {
    const MariadbGtids a = gtids(c.a), b = gtids(c.b);
    EXPECT_EQ(contains(a, b), c.contains) << c.a << " and " << c.b;
    EXPECT_EQ(subtract(a, b).print(), c.a_minus_b) << c.a << " and " << c.b;
    EXPECT_EQ(unite(a, b).print(), c.either) << c.a << " and " << c.b;
  }
}

TEST(MariadbGtidTest, TransactionsOnTopAreCountedBuriedOnesAreAtLeastOne) {
  const struct {
    const char *have, *known;
    std::uint64_t count;
  } cases[] = {
      {"0-1-100", "0-1-100", 0},
      {"0-1-100", "0-1-90", 10},
      {"0-1-100,0-2-103", "0-1-100", 3},          // written on top of the source's last
      {"0-1-100,0-2-53", "0-1-100", 1},           // buried: how many there were nobody knows
      {"0-1-100,0-2-103,1-3-7", "0-1-100", 10},   // a domain of its own counts from its start
      {"0-1-100,0-2-103", "0-1-100,0-2-101", 2},  // two more than what is known
      {"0-1-18446744073709551615,1-1-5", "", 18446744073709551615u},
  };
  for (const auto& c : cases)
    EXPECT_EQ(gtids(c.have).count_beyond(gtids(c.known)), c.count) << c.have;
}

TEST(MariadbGtidTest, TheNewestOfEachDomainHasTheHighestSequence) {
  std::string newest;
  for (const MariadbGtid& gtid : gtids("0-1-100,0-2-95,3-9-1,3-10-2").newest())
    newest += print(gtid) + " ";
  EXPECT_EQ(newest, "0-1-100 3-10-2 ");
}

TEST(MariadbGtidTest, SetLawsHold) {
  std::mt19937 random(7);
  const auto draw = [&] {
    MariadbGtids drawn;
    for (auto n = random() % 5; n > 0; --n)
      drawn.add({static_cast<std::uint32_t>(random() % 2), static_cast<std::uint32_t>(random() % 3),
                 random() % 9 + 1});
    return drawn;
  };
  for (int round = 0; round < 2000; ++round) {
    const MariadbGtids a = draw(), b = draw();
    EXPECT_TRUE(contains(unite(a, b), a));
    EXPECT_EQ(unite(a, b), unite(b, a));
    EXPECT_EQ(unite(subtract(a, b), b), unite(a, b));
    EXPECT_EQ(contains(a, b), subtract(b, a).empty());
    EXPECT_EQ(contains(a, b), unite(a, b) == a);
    EXPECT_EQ(a.count_beyond(b) == 0, contains(b, a));
    EXPECT_EQ(*MariadbGtids::parse(a.print()), a);
  }
}

}  // namespace
}  // namespace ha
