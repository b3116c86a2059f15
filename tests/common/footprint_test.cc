// SPDX-License-Identifier: MIT
#include "common/footprint.h"

#include <gtest/gtest.h>

#include "common/process_table.h"
#include "common/text.h"

namespace ha {
namespace {

// Pages that are of files, in memory.
long file_pages() {
  const auto fields = split(process_file("self", "statm"), ' ');
  return fields.size() > 2 ? static_cast<long>(parse_integer(fields[2]).value_or(0)) : 0;
}

TEST(FootprintTest, WhatTheStartHasUsedIsGivenBackAndTheProgramGoesOn) {
  const long before = file_pages();
  keep_footprint_small();
  EXPECT_LT(file_pages(), before);
  const long used = file_pages();
  give_back_memory();
  EXPECT_LE(file_pages(), used);
}

}  // namespace
}  // namespace ha
