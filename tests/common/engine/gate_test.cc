// SPDX-License-Identifier: MIT
#include "common/engine/gate.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

using enum EventMeaning;

TEST(GateTest, HardProblemsActivateRecoveriesDeactivateTheRestIsNothing) {
  const struct {
    const char *state, *type;
    EventMeaning meaning;
  } cases[] = {
      {"OK", "HARD", kDeactivate},        {"OK", "SOFT", kDeactivate},
      {"UP", "HARD", kDeactivate},        {"UP", "SOFT", kDeactivate},
      {"WARNING", "HARD", kNothing},      {"WARNING", "SOFT", kNothing},
      {"UNKNOWN", "HARD", kNothing},      {"UNKNOWN", "SOFT", kNothing},
      {"CRITICAL", "HARD", kActivate},    {"CRITICAL", "SOFT", kNothing},
      {"DOWN", "HARD", kActivate},        {"DOWN", "SOFT", kNothing},
      {"UNREACHABLE", "HARD", kActivate}, {"UNREACHABLE", "SOFT", kNothing},
      {"critical", "hard", kActivate},
  };
  for (const auto& c : cases) {
    const auto gate = judge_event({c.state, c.type});
    ASSERT_TRUE(gate) << c.state;
    EXPECT_EQ(gate->meaning, c.meaning) << c.state << " " << c.type;
  }
  EXPECT_EQ(judge_event({"critical", "hard"})->event, "CRITICAL HARD");
}

TEST(GateTest, ASoftProblemCountsFromTheAttemptThatIsGiven) {
  const struct {
    const char *state, *type, *attempt;
    unsigned from;
    EventMeaning meaning;
  } cases[] = {
      {"CRITICAL", "SOFT", "1", 2, kNothing},  {"CRITICAL", "SOFT", "2", 2, kActivate},
      {"DOWN", "SOFT", "3", 2, kActivate},     {"UNREACHABLE", "SOFT", "2", 2, kActivate},
      {"WARNING", "SOFT", "9", 2, kNothing},   {"UNKNOWN", "SOFT", "9", 2, kNothing},
      {"CRITICAL", "HARD", "1", 2, kActivate}, {"CRITICAL", "SOFT", "9", 0, kNothing},
      {"OK", "SOFT", "1", 2, kDeactivate},
  };
  for (const auto& c : cases)
    EXPECT_EQ(judge_event({c.state, c.type, c.attempt, c.from})->meaning, c.meaning)
        << c.state << " " << c.attempt << " from " << c.from;
}

TEST(GateTest, WordsThatNoEngineSaysAreRefused) {
  const EventMacros cases[] = {
      {},
      {"", "HARD"},
      {"CRITICAL"},
      {"CRITICAL", ""},
      {"$SERVICESTATE$", "HARD"},
      {"CRITICAL", "$SERVICESTATETYPE$"},
      {"CRITICAL;x", "HARD"},
      {"CRITICAL ", "HARD"},
      {"PENDING", "HARD"},
      {"2", "HARD"},
      {"CRITICAL", "FIRM"},
      {"CRITICAL", "HARD", "$SERVICEATTEMPT$"},
      {"CRITICAL", "HARD", ""},
      {"CRITICAL", "HARD", "0"},
      {"CRITICAL", "HARD", "-1"},
      {"CRITICAL", "HARD", "1x"},
      {"CRITICAL", "SOFT", {}, 2},
  };
  for (const EventMacros& macros : cases) {
    const auto gate = judge_event(macros);
    ASSERT_FALSE(gate) << macros.state.value_or("-") << " " << macros.state_type.value_or("-");
    EXPECT_EQ(gate.error().code, Errc::kUsage);
  }
}

TEST(GateTest, TheErrorSaysWhatIsAccepted) {
  EXPECT_EQ(judge_event({"$HOSTSTATE$", "HARD"}).error().text,
            "--state: '$HOSTSTATE$' is a macro that the engine did not expand (accepted: OK, "
            "WARNING, CRITICAL, UNKNOWN, UP, DOWN, UNREACHABLE)");
  EXPECT_EQ(judge_event({"DOWN", "FIRM"}).error().text,
            "--state-type: 'FIRM' is not one of its words (accepted: SOFT, HARD)");
}

TEST(GateTest, ControlBytesAreRefusedInAnyArgument) {
  EXPECT_TRUE(refuse_control_bytes({"x", "--state", "OK", "caf\xc3\xa9 ; |"}));
  for (const std::string& bad :
       {std::string("a\nb"), std::string("a\r"), std::string("\t"), std::string("\x1b[1m"),
        std::string("\x7f"), std::string("a\0b", 3)})
    EXPECT_FALSE(refuse_control_bytes({"x", bad})) << bad;
}

}  // namespace
}  // namespace ha
