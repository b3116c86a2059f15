// SPDX-License-Identifier: MIT
#include "common/merge/merge_options.h"

#include <gtest/gtest.h>

#include "common/text.h"

namespace ha {
namespace {

TEST(MergeTimeTest, IsAMomentWithItsZone) {
  struct Case {
    const char* text;
    const char* want;  // SQL; null: refused
  };
  const Case kCases[] = {
      {"@0", "0"},
      {"@1700000000", "1700000000"},
      {"@1700000000.25", "1700000000.250000"},
      {"1970-01-01T00:00:00Z", "0"},
      {"2023-11-14T22:13:20Z", "1700000000"},
      {"2023-11-14T22:13:20.000001Z", "1700000000.000001"},
      {"2023-11-14T23:13:20+01:00", "1700000000"},
      {"2023-11-14T19:43:20-02:30", "1700000000"},
      {"2024-02-29T00:00Z", "1709164800"},
      {"2000-03-01T00:00:00Z", "951868800"},
      {"9999-12-31T23:59:59Z", "253402300799"},
      // A time of no zone means another moment on another machine.
      {"2023-11-14T22:13:20", nullptr},
      {"2023-11-14 22:13:20", nullptr},
      {"1700000000", nullptr},
      {"@-1", nullptr},
      {"@", nullptr},
      {"@1.", nullptr},
      {"@1.0000001", nullptr},
      {"@99999999999999999999", nullptr},
      {"2023-02-29T00:00:00Z", nullptr},
      {"2100-02-29T00:00:00Z", nullptr},
      {"2023-13-01T00:00:00Z", nullptr},
      {"2023-11-14T24:00:00Z", nullptr},
      {"2023-11-14T22:13:60Z", nullptr},
      {"2023-11-14T22:13:20ZZ", nullptr},
      {"2023-11-14T22:13:20+1:00", nullptr},
      {"1969-12-31T23:59:59Z", nullptr},
      {"1970-01-01T00:00:00+01:00", nullptr},
      {"", nullptr},
  };
  for (const Case& c : kCases) {
    const auto time = parse_merge_time(c.text);
    ASSERT_EQ(time.has_value(), c.want != nullptr) << c.text;
    if (time)
      EXPECT_EQ(epoch_literal(*time), c.want) << c.text;
    else
      EXPECT_EQ(time.error().code, Errc::kUsage);
  }
}

TEST(MergeTableTest, IsReadFromItsWords) {
  const auto table = parse_merge_table("shop.item:at:regenerate=id");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->name(), "shop.item");
  EXPECT_EQ(table->time_column, "at");
  EXPECT_EQ(table->regenerate, "id");
  EXPECT_EQ(parse_merge_table("a.b.c:t")->table, "b.c");
  for (const char* const wrong :
       {"", "item:at", "shop.item", "shop.:at", ".item:at", "shop.item:", "shop.item:at:id",
        "shop.item:at:regenerate=", "shop.item:at:regenerate=at", "shop.item:at:regenerate=id:x"})
    EXPECT_FALSE(parse_merge_table(wrong)) << wrong;
}

TEST(MergeOptionsTest, NameWhatIsMissing) {
  const MergeOptions whole{
      .from = "db1", .to = "db2", .words = {"a.b:t"}, .since = "@1", .until = "@2"};
  MergeOptions options = whole;
  ASSERT_TRUE(complete_merge_options(options));
  EXPECT_EQ(options.tables.size(), 1u);
  EXPECT_EQ(options.effect, MergeEffect::kInsert);
  EXPECT_LT(options.window.since, options.window.until);

  const auto refusal = [&](auto&& spoil) {
    MergeOptions spoilt = whole;
    spoil(spoilt);
    const auto done = complete_merge_options(spoilt);
    return done ? "" : done.error().text;
  };
  using O = MergeOptions;
  EXPECT_NE(refusal([](O& o) { o.from = ""; }).find("--from"), std::string::npos);
  EXPECT_NE(refusal([](O& o) { o.to = ""; }).find("--to"), std::string::npos);
  EXPECT_NE(refusal([](O& o) { o.since = ""; }).find("--since"), std::string::npos);
  EXPECT_NE(refusal([](O& o) { o.until = "now"; }).find("--until: 'now'"), std::string::npos);
  EXPECT_NE(refusal([](O& o) { o.words = {}; }).find("--preset"), std::string::npos);
  EXPECT_NE(refusal([](O& o) {
              o.words = {"a.b:t", "a.b:u"};
            }).find("named twice"),
            std::string::npos);
  EXPECT_NE(refusal([](O& o) {
              o.preset = MergePreset::kPandora;
              o.words = {"pandora.tevento:utimestamp"};
            }).find("named twice"),
            std::string::npos);
}

TEST(MergeOptionsTest, PresetIsInTheDatabaseThatIsNamed) {
  MergeOptions options{.from = "db1",
                       .to = "db2",
                       .preset = MergePreset::kPandora,
                       .database = "pfms",
                       .since = "@1",
                       .until = "@2",
                       .dry_run = true};
  ASSERT_TRUE(complete_merge_options(options));
  ASSERT_EQ(options.tables.size(), 3u);
  EXPECT_EQ(options.tables[2].name(), "pfms.tevento");
  EXPECT_EQ(options.tables[2].regenerate, "id_evento");
  EXPECT_EQ(join(options.tables[2].uncompared, ","),
            "id_usuario,estado,user_comment,owner_user,ack_utimestamp");
  EXPECT_EQ(options.effect, MergeEffect::kCount);
}

}  // namespace
}  // namespace ha
