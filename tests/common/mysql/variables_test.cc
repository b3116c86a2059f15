// SPDX-License-Identifier: MIT
#include "common/mysql/variables.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

const std::pair<const char*, bool> kValues[] = {
    {"0", false},        {"OFF", false},    {"off", false},
    {"DISABLED", false}, {"1", true},       {"ON", true},
    {"on", true},  // MariaDB 12:
    {"NO_LOCK", true},   {"no_lock", true}, {"NO_LOCK_NO_ADMIN", true}};

TEST(VariablesTest, EverythingButOffIsOn) {
  for (const auto& [value, on] : kValues) EXPECT_EQ(is_on(value), on) << value;
}

TEST(VariablesTest, AFlagThatTheServerDoesNotHaveIsUnknown) {
  const Variables variables = {{"read_only", "NO_LOCK"}, {"log_bin", "OFF"}};
  EXPECT_EQ(flag(variables, "read_only"), true);
  EXPECT_EQ(flag(variables, "log_bin"), false);
  EXPECT_EQ(flag(variables, "super_read_only"), std::nullopt);
}

TEST(VariablesTest, ASwitchIsReadAsItIsNow) {
  for (const auto& [value, on] : kValues) {
    FakeSession session("12.0.2-MariaDB");
    session.answer("SELECT @@GLOBAL.read_only", rows_of({{{"x", value}}}));
    const auto closed = read_switch(session, "read_only");
    ASSERT_TRUE(closed);
    EXPECT_EQ(*closed, on) << value;
  }
  FakeSession gone("12.0.2-MariaDB");
  gone.answer("read_only", Error{Errc::kUnreachable, "db2: lost"});
  EXPECT_EQ(read_switch(gone, "read_only").error().code, Errc::kUnreachable);
}

TEST(VariablesTest, NamesAreReadInLowerCase) {
  FakeSession session("8.4.0");
  session.answer("SHOW", rows_of({{{"Variable_name", "Read_Only"}, {"Value", "ON"}},
                                  {{"Variable_name", "Null"}, {"Value", std::nullopt}}}));
  const auto variables = read_variables(session, "SHOW GLOBAL VARIABLES");
  ASSERT_TRUE(variables);
  EXPECT_EQ(variables->at("read_only"), "ON");
  EXPECT_EQ(variables->at("null"), "");
}

}  // namespace
}  // namespace ha
