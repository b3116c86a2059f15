// SPDX-License-Identifier: MIT
#include "common/engine/role_plan.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

constexpr std::int64_t kNow = 1714557600;

EngineControl pipe(EngineScope scope = EngineScope::kNotifications,
                   EngineKind kind = EngineKind::kNagios) {
  return {kind, scope, "/rw/nagios.cmd"};
}

EngineControl cold() {
  EngineControl control;
  control.start_command = {"systemctl", "start", "nagios4"};
  control.stop_command = {"systemctl", "stop", "nagios4"};
  return control;
}

std::vector<std::string> lines(const RolePlan& plan) {
  std::vector<std::string> all;
  for (const EngineStep& step : plan.steps) all.push_back(describe(step));
  return all;
}

RolePlan activate(const EngineControl& control, const RoleFacts& facts = {},
                  const std::optional<RoleRecord>& record = {}) {
  return plan_role(Role::kActive, control, facts, record, Undo::kActivate, kNow);
}

RolePlan deactivate(const EngineControl& control, const RoleFacts& facts = {},
                    const std::optional<RoleRecord>& record = {}) {
  return plan_role(Role::kStandby, control, facts, record, Undo::kActivate, kNow);
}

using Lines = std::vector<std::string>;

TEST(RolePlanTest, EachScopeHasItsCommandsInOrder) {
  const struct {
    EngineScope scope;
    Lines on, off;
  } cases[] = {
      {EngineScope::kNotifications,
       {"[1714557600] ENABLE_NOTIFICATIONS"},
       {"[1714557600] DISABLE_NOTIFICATIONS"}},
      {EngineScope::kChecks,
       {"[1714557600] START_EXECUTING_SVC_CHECKS", "[1714557600] START_EXECUTING_HOST_CHECKS"},
       {"[1714557600] STOP_EXECUTING_HOST_CHECKS", "[1714557600] STOP_EXECUTING_SVC_CHECKS"}},
      {EngineScope::kAll,
       {"[1714557600] START_EXECUTING_SVC_CHECKS", "[1714557600] START_EXECUTING_HOST_CHECKS",
        "[1714557600] ENABLE_NOTIFICATIONS"},
       {"[1714557600] DISABLE_NOTIFICATIONS", "[1714557600] STOP_EXECUTING_HOST_CHECKS",
        "[1714557600] STOP_EXECUTING_SVC_CHECKS"}},
  };
  for (const auto& c : cases)
    for (const EngineKind kind : {EngineKind::kNagios, EngineKind::kNaemon, EngineKind::kIcinga1}) {
      EXPECT_EQ(lines(activate(pipe(c.scope, kind))), c.on);
      EXPECT_EQ(lines(deactivate(pipe(c.scope, kind))), c.off);
    }
}

TEST(RolePlanTest, Icinga2GetsOneRequestForAllFlags) {
  EngineControl control{EngineKind::kIcinga2, EngineScope::kAll};
  control.api = "https://icinga1:5665";
  EXPECT_EQ(lines(activate(control)),
            Lines{"POST https://icinga1:5665/v1/objects/icingaapplications/app "
                  "{\"attrs\":{\"enable_service_checks\":true,\"enable_host_checks\":true,"
                  "\"enable_notifications\":true}}"});
  control.scope = EngineScope::kNotifications;
  EXPECT_EQ(lines(deactivate(control)),
            Lines{"POST https://icinga1:5665/v1/objects/icingaapplications/app "
                  "{\"attrs\":{\"enable_notifications\":false}}"});
  EXPECT_EQ(activate(control, {{true, false, false}}).nothing, "the engine is active already");
}

TEST(RolePlanTest, TheQueryHandlerGetsTheSameLines) {
  EngineControl control{EngineKind::kNaemon};
  control.query_handler = "/var/lib/naemon/naemon.qh";
  const RolePlan plan = activate(control);
  EXPECT_EQ(lines(plan), Lines{"[1714557600] ENABLE_NOTIFICATIONS"});
  EXPECT_EQ(plan.steps[0].kind, EngineStep::Kind::kQueryHandler);
  EXPECT_EQ(plan.steps[0].target, "/var/lib/naemon/naemon.qh");
}

TEST(RolePlanTest, FlagsThatAreRightAreLeftAloneAndUnknownOnesAreSet) {
  EXPECT_EQ(
      lines(activate(pipe(EngineScope::kAll), {{false, true, {}}})),
      (Lines{"[1714557600] START_EXECUTING_HOST_CHECKS", "[1714557600] ENABLE_NOTIFICATIONS"}));
  const RolePlan plan = activate(pipe(), {{true, {}, {}}});
  EXPECT_EQ(plan.nothing, "the engine is active already");
  EXPECT_TRUE(plan.steps.empty());
  EXPECT_EQ(deactivate(pipe(), {{false, true, true}}).nothing, "the engine stands by already");
}

TEST(RolePlanTest, AnActivationRemembersWhatItChanged) {
  const RolePlan plan = activate(pipe(EngineScope::kAll), {{false, true, {}}}, RoleRecord{});
  EXPECT_EQ(plan.record.role, Role::kActive);
  EXPECT_EQ(plan.record.changed,
            (std::vector{EngineFlag::kHostChecks, EngineFlag::kNotifications}));
  EXPECT_EQ(plan.record.commands_at, kNow);
}

TEST(RolePlanTest, ASecondActivationForgetsNothingOfTheFirst) {
  const RoleRecord first{Role::kActive, {EngineFlag::kNotifications}, true, kNow - 100};
  const RolePlan nothing = activate(pipe(), {{true, {}, {}}}, first);
  EXPECT_EQ(nothing.record.changed, first.changed);
  EXPECT_TRUE(nothing.record.started);
  EXPECT_EQ(nothing.record.commands_at, kNow - 100);
  const RolePlan more = activate(pipe(EngineScope::kAll), {{true, false, true}}, first);
  EXPECT_EQ(more.record.changed,
            (std::vector{EngineFlag::kNotifications, EngineFlag::kServiceChecks}));
}

TEST(RolePlanTest, ADeactivationUndoesWhatTheActivationDidAndNoMore) {
  const RoleRecord record{Role::kActive, {EngineFlag::kNotifications}};
  const RolePlan plan = deactivate(pipe(EngineScope::kAll), {{true, true, true}}, record);
  EXPECT_EQ(lines(plan), Lines{"[1714557600] DISABLE_NOTIFICATIONS"});
  EXPECT_EQ(plan.flags, std::vector{EngineFlag::kNotifications});
  EXPECT_EQ(plan.record.role, Role::kStandby);

  EXPECT_EQ(deactivate(pipe(), {{true, {}, {}}}, RoleRecord{}).nothing,
            "no activation is on record, so there is nothing to undo");
  EXPECT_EQ(deactivate(pipe(), {{true, {}, {}}}, RoleRecord{Role::kActive}).nothing,
            "the activation on record changed nothing, so there is nothing to undo");
}

TEST(RolePlanTest, WhatWasShownOnStaysThePersonsAlthoughItIsSetOnceMore) {
  RoleFacts facts;
  facts.shown = {true, false, true};
  const RolePlan plan = activate(pipe(EngineScope::kAll), facts, RoleRecord{});
  EXPECT_EQ(plan.steps.size(), 3u) << "an old status is no reason to leave a flag alone";
  EXPECT_EQ(plan.record.changed, std::vector{EngineFlag::kServiceChecks});
}

TEST(RolePlanTest, OpenCommandsCountMoreThanWhatIsShown) {
  RoleFacts facts;
  facts.shown = {true, true, true};
  RoleRecord record;
  record.commands_at = kNow - 1;
  record.sent = {EngineFlag::kNotifications};
  const RolePlan over = activate(pipe(EngineScope::kAll), facts, record);
  EXPECT_EQ(over.record.changed, std::vector{EngineFlag::kNotifications})
      << "a deactivation was switching it off";
  EXPECT_EQ(over.record.sent.size(), 3u);

  record.role = Role::kActive;
  facts.shown = {false, false, false};
  const RolePlan again = activate(pipe(), facts, record);
  EXPECT_EQ(again.steps.size(), 1u);
  EXPECT_TRUE(again.record.changed.empty()) << "the first activation knew that it was on";
}

TEST(RolePlanTest, ADeactivationThatWasNotSeenToWorkIsDoneAgain) {
  RoleRecord record;
  record.commands_at = kNow - 1;
  record.sent = {EngineFlag::kNotifications};
  EXPECT_EQ(lines(deactivate(pipe(EngineScope::kAll), {}, record)),
            Lines{"[1714557600] DISABLE_NOTIFICATIONS"});
  for (const std::int64_t away : {-90'000, 90'000}) {
    record.commands_at = kNow + away;
    EXPECT_EQ(deactivate(pipe(), {}, record).nothing,
              "no activation is on record, so there is nothing to undo")
        << "a person may have switched it on since";
  }
}

TEST(RolePlanTest, WhatAPersonActivatedIsNotUndoneByAnEvent) {
  const RoleRecord record{Role::kActive, {EngineFlag::kNotifications}, false, 0, {}, "anna"};
  const RolePlan plan = deactivate(pipe(), {{true, {}, {}}}, record);
  EXPECT_EQ(plan.nothing,
            "it was activated by hand (by anna), so it stays active; to end that, run: "
            "{this program} --deactivate");
  EXPECT_EQ(plan.record.role, Role::kActive);
  EXPECT_EQ(plan.record.by_hand, "anna");
  EXPECT_EQ(activate(pipe(), {}, record).record.by_hand, "anna");
  const RolePlan by_hand =
      plan_role(Role::kStandby, pipe(), {{true, {}, {}}}, record, Undo::kScope, kNow);
  EXPECT_EQ(by_hand.steps.size(), 1u);
  EXPECT_EQ(by_hand.record.by_hand, "");
}

TEST(RolePlanTest, WhatIsUndoneIsNamed) {
  RoleFacts facts;
  facts.shown = {true, false, {}};
  const auto undone = [&](Role role) {
    return describe_undone(
        plan_role(role, pipe(EngineScope::kAll), facts, RoleRecord{}, Undo::kScope, kNow), facts);
  };
  EXPECT_EQ(undone(Role::kStandby),
            "notifications were on; the earlier state of host checks is not shown");
  EXPECT_EQ(undone(Role::kActive),
            "service checks were off; the earlier state of host checks is not shown");
  facts.flags = facts.shown = {true, true, true};
  EXPECT_EQ(undone(Role::kActive), "");
}

TEST(RolePlanTest, AReassertedStandbyUndoesTheWholeScope) {
  const RolePlan plan =
      plan_role(Role::kStandby, pipe(), {{true, {}, {}}}, RoleRecord{}, Undo::kScope, kNow);
  EXPECT_EQ(lines(plan), Lines{"[1714557600] DISABLE_NOTIFICATIONS"});
}

TEST(RolePlanTest, AColdStandbyIsStartedAndStopped) {
  const RolePlan start = activate(cold(), {}, RoleRecord{});
  EXPECT_EQ(lines(start), Lines{"systemctl start nagios4"});
  EXPECT_TRUE(start.record.started);
  EXPECT_EQ(lines(activate(cold(), {{}, {}, true})), Lines{});
  const RolePlan stop = deactivate(cold(), {}, start.record);
  EXPECT_EQ(lines(stop), Lines{"systemctl stop nagios4"});
  EXPECT_TRUE(stop.stops);
  EXPECT_TRUE(stop.flags.empty());
  EXPECT_EQ(deactivate(cold(), {{}, {}, false}).nothing, "the engine stands by already");
}

TEST(RolePlanTest, AnEngineThatIsStartedIsSwitchedToo) {
  EngineControl control = cold();
  control.command_file = "/rw/nagios.cmd";
  // The flags are those that a stopped engine left behind.
  EXPECT_EQ(lines(activate(control, {{true, true, true}, {}, false})),
            (Lines{"systemctl start nagios4", "[1714557600] ENABLE_NOTIFICATIONS"}));
  EXPECT_EQ(lines(activate(control, {{false, true, true}, {}, true})),
            Lines{"[1714557600] ENABLE_NOTIFICATIONS"});
  // It ran before: it goes on running.
  EXPECT_EQ(lines(deactivate(control, {{true, true, true}, {}, true},
                             RoleRecord{Role::kActive, {EngineFlag::kNotifications}})),
            Lines{"[1714557600] DISABLE_NOTIFICATIONS"});
}

TEST(RolePlanTest, WithoutAStopCommandAColdStandbyStaysAsItIs) {
  EngineControl control = cold();
  control.stop_command.clear();
  EXPECT_EQ(deactivate(control).nothing, "there is no command that deactivates the engine");
}

TEST(RolePlanTest, WhatTheVerifyCommandConfirmsIsNotDoneAgain) {
  EXPECT_EQ(activate(cold(), {{}, {}, {}, true}).nothing, "the engine is active already");
  EXPECT_EQ(deactivate(cold(), {{}, {}, {}, true}).nothing, "the engine stands by already");
  EXPECT_TRUE(activate(cold(), {{}, {}, {}, false}).nothing.empty());
  EXPECT_FALSE(activate(pipe(), {{}, {}, {}, true}).steps.empty())
      << "it may read what is older than a command on its way";
}

TEST(RolePlanTest, WordsOfACommandAreQuotedWhereAShellWouldTakeThemApart) {
  EXPECT_EQ(describe({EngineStep::Kind::kRun, "", "", {"/bin/x", "", "a b", "it's", "-c=1"}}),
            "/bin/x '' 'a b' 'it'\\''s' -c=1");
}

}  // namespace
}  // namespace ha
