// SPDX-License-Identifier: MIT
#include "common/heartbeat/stamp_memory.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// 02:00 of the second time, on 2024-10-27 in Central Europe.
constexpr double kTwo_s = 1729990800;

LocalStamp repeated(const char* text, double earlier_s, double now_s) {
  return {text, now_s, earlier_s, earlier_s + 3600};
}

TEST(StampMemoryTest, WhatOneRunSawTheNextOneKnows) {
  const TempDirectory directory;
  auto first = StampMemory::load(directory.path("state"), "ndo db1:3306");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->age_of("west", repeated("02:30", kTwo_s - 1800, kTwo_s - 1795)).age_s, 5);
  ASSERT_TRUE(first->save());

  auto second = StampMemory::load(directory.path("state"), "ndo db1:3306");
  ASSERT_TRUE(second);
  const LocalStamp dead = repeated("02:30", kTwo_s - 1800, kTwo_s - 100 + 1900);
  EXPECT_EQ(second->age_of("west", dead).other_age_s, 3600) << "it was half an hour ago";
  auto other = StampMemory::load(directory.path("state"), "ndo db2:3306");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->age_of("west", dead).other_age_s, 3600) << "another server's";
}

TEST(StampMemoryTest, NothingIsWrittenInOtherHours) {
  const TempDirectory directory;
  auto memory = StampMemory::load(directory.path("state"), "x");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->age_of("", {"12:00", 1000, 990}).age_s, 10);
  ASSERT_TRUE(memory->save());
  EXPECT_FALSE(read_file(directory.path("state/stamps-x.json")));
}

TEST(StampMemoryTest, DamageIsForgotten) {
  const TempDirectory directory;
  ASSERT_TRUE(make_private_directory(directory.path("state")));
  for (const char* content :
       {"", "{", "[]", "[[1]]", R"([["",7,null,1]])", R"([["","x","y",1]])"}) {
    ASSERT_TRUE(write_file_atomic(directory.path("state/stamps-x.json"), content));
    auto memory = StampMemory::load(directory.path("state"), "x");
    ASSERT_TRUE(memory) << content;
    EXPECT_EQ(memory->age_of("", repeated("02:30", kTwo_s, kTwo_s + 3700)).age_s, 100);
  }
}

}  // namespace
}  // namespace ha
