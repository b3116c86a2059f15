// SPDX-License-Identifier: MIT
#include "common/engine/role_change.h"

#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <thread>

#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

using End = RoleOutcome::End;

constexpr std::int64_t kNow = 1714557600;
constexpr EngineMeans kByFile{.status_file = true};

// Answers each step from a list, then with success; shows what `show` makes of the steps so far.
class FakeEngine : public EngineAccess {
 public:
  Result<Done> perform(const EngineStep& step, const Deadline&) override {
    asked.push_back(describe(step));
    if (answers.empty()) return Done{};
    const auto answer = answers.front();
    answers.erase(answers.begin());
    return answer;
  }
  EngineView probe(Role, const Deadline&) override { return show(++probes); }

  std::vector<Result<Done>> answers;
  std::function<EngineView(int probes)> show = [](int) { return EngineView{}; };
  std::vector<std::string> asked;
  int probes = 0;
};

// A status file that was written after anything that the test does, unless `created` is given.
EngineView status(bool notifications, std::uint64_t version,
                  std::int64_t created = std::time(nullptr) + 3600) {
  EngineView view;
  view.flags = {notifications, true, true};
  view.running = true;
  view.version = FileVersion{version, 0};
  view.created = created;
  return view;
}

RolePlan activate() {
  return plan_role(Role::kActive, {EngineKind::kNagios, EngineScope::kNotifications, "/p"}, {}, {},
                   Undo::kActivate, kNow);
}

RoleOutcome change(FakeEngine& engine, const RolePlan& plan = activate(),
                   const EngineMeans& means = kByFile, double patience_s = 0.5) {
  return change_role(plan, engine, means, {patience_s, status(false, 1)}, deadline_in(5));
}

TEST(RoleChangeTest, AFileWrittenAfterTheCommandVerifies) {
  FakeEngine engine;
  engine.show = [](int probes) { return probes < 3 ? status(false, 1) : status(true, 2); };
  const RoleOutcome outcome = change(engine);
  EXPECT_EQ(outcome.end, End::kVerified);
  EXPECT_EQ(engine.asked.size(), 1u);
}

TEST(RoleChangeTest, AFileThatWasThereBeforeProvesNothing) {
  FakeEngine engine;
  engine.show = [](int) { return status(true, 1); };
  const RoleOutcome outcome = change(engine);
  EXPECT_EQ(outcome.end, End::kUnverified);
  EXPECT_EQ(outcome.text, "the status file has not been written since");
}

TEST(RoleChangeTest, AFileThatWasBegunBeforeTheCommandProvesNothingAlthoughItCameAfterIt) {
  FakeEngine engine;
  engine.show = [](int probes) {
    return status(true, static_cast<std::uint64_t>(probes) + 1, std::time(nullptr) - 1);
  };
  EXPECT_EQ(change(engine).end, End::kUnverified);
}

TEST(RoleChangeTest, AnEngineThatWasStartedMayWriteItsStatusWhileTheCommandStillRuns) {
  RolePlan plan{Role::kActive};
  plan.steps = {{EngineStep::Kind::kRun, "", "", {"start"}}};
  plan.flags = {EngineFlag::kNotifications};
  FakeEngine engine;
  engine.show = [now = std::time(nullptr)](int) { return status(true, 2, now); };
  EXPECT_EQ(change(engine, plan).end, End::kVerified);
}

TEST(RoleChangeTest, ItEndsAtOnceWhenItIsOvertaken) {
  const struct {
    int calls;  // of overtaken() that say no
    std::vector<Result<Done>> answers;
    std::size_t asked;
  } cases[] = {
      {0, {}, 0},                                                        // before the first step
      {1, {Error{Errc::kMissing, "x"}, Error{Errc::kMissing, "x"}}, 1},  // while it is tried again
      {1, {}, 1},                                                        // while it is looked at
  };
  for (const auto& c : cases) {
    FakeEngine engine;
    engine.answers = c.answers;
    engine.show = [](int) { return status(false, 1); };
    int left = c.calls;
    const RoleOutcome outcome = change_role(
        activate(), engine, kByFile,
        {60, status(false, 1), Commands::kNone, [&] { return left-- <= 0; }}, deadline_in(60));
    EXPECT_EQ(outcome.end, End::kOvertaken);
    EXPECT_EQ(engine.asked.size(), c.asked);
    EXPECT_LT(outcome.seconds, 5);
  }
}

TEST(RoleChangeTest, WhereCommandsDoNotQueueAnEarlierOneMayComeLast) {
  constexpr EngineMeans kApi{.api = true};
  for (const Commands earlier : {Commands::kNone, Commands::kOnTheirWay}) {
    FakeEngine engine;
    engine.show = [](int) { return status(true, 1); };
    EXPECT_EQ(
        change_role(activate(), engine, kApi, {5, status(false, 1), earlier}, deadline_in(10)).end,
        End::kVerified);
    EXPECT_EQ(engine.asked.size(), earlier == Commands::kNone ? 1u : 2u);
  }
}

TEST(RoleChangeTest, ALostCommandIsRepeatedWhenALaterWordContradicts) {
  FakeEngine engine;
  // The engine speaks all the time, and obeys only the second command.
  engine.show = [&](int probes) {
    return status(engine.asked.size() == 2, static_cast<std::uint64_t>(probes) + 1);
  };
  const RoleOutcome outcome = change(engine, activate(), kByFile, 5);
  EXPECT_EQ(outcome.end, End::kVerified);
  EXPECT_EQ(engine.asked.size(), 2u);
  EXPECT_GE(outcome.seconds, 1) << "not before a status file that was begun earlier can be told";
}

TEST(RoleChangeTest, AnEngineThatDoesNotObeyIsToldByName) {
  FakeEngine engine;
  engine.show = [](int) { return status(false, 2); };
  const RoleOutcome outcome = change(engine);
  EXPECT_EQ(outcome.end, End::kUnverified);
  EXPECT_EQ(outcome.text, "notifications are off");
}

TEST(RoleChangeTest, WhatMayPassIsTriedAgain) {
  for (const Errc code : {Errc::kMissing, Errc::kUnreachable, Errc::kRefused}) {
    FakeEngine engine;
    engine.answers = {Error{code, "x"}, Error{code, "x"}};
    engine.show = [](int) { return status(true, 2); };
    EXPECT_EQ(change(engine).end, End::kVerified);
    EXPECT_EQ(engine.asked.size(), 3u);
  }
}

TEST(RoleChangeTest, WhatDoesNotPassFailsAtOnceAndNothingFollows) {
  RolePlan plan = activate();
  plan.steps.push_back(plan.steps[0]);
  for (const Errc code : {Errc::kUsage, Errc::kPrivilege, Errc::kAccessDenied, Errc::kInternal}) {
    FakeEngine engine;
    engine.answers = {Error{code, "no"}};
    const RoleOutcome outcome = change(engine, plan);
    EXPECT_EQ(outcome.end, End::kFailed);
    EXPECT_EQ(outcome.text, "no");
    EXPECT_EQ(outcome.steps_done, 0u);
    EXPECT_EQ(engine.asked.size(), 1u);
    EXPECT_EQ(engine.probes, 0);
  }
}

TEST(RoleChangeTest, PatienceEnds) {
  FakeEngine engine;
  engine.answers.assign(1000, Error{Errc::kUnreachable, "nobody reads"});
  const RoleOutcome outcome = change(engine, activate(), kByFile, 0.3);
  EXPECT_EQ(outcome.end, End::kFailed);
  EXPECT_EQ(outcome.text, "nobody reads");
  EXPECT_LT(outcome.seconds, 2);
}

TEST(RoleChangeTest, ATryThatTheDeadlineCutsShortHidesNoReason) {
  class Slow : public FakeEngine {
   public:
    Result<Done> perform(const EngineStep& step, const Deadline& deadline) override {
      const auto done = FakeEngine::perform(step, deadline);
      while (asked.size() > 1 && !deadline.passed()) std::this_thread::yield();
      return done;
    }
  };
  Slow engine;
  engine.answers = {Error{Errc::kUnreachable, "certificate"},
                    Error{Errc::kUnreachable, "too late"}};
  EXPECT_EQ(change(engine, activate(), kByFile, 0.3).text, "certificate");
}

TEST(RoleChangeTest, WithoutMeansNothingIsVerifiedAndWithAcknowledgementItIs) {
  FakeEngine engine;
  EXPECT_EQ(change(engine, activate(), {}).end, End::kUnverified);
  EXPECT_EQ(change(engine, activate(), {.acknowledged = true}).end, End::kVerified);
}

TEST(RoleChangeTest, AStoppedEngineIsSeenByItsAbsence) {
  RolePlan plan{Role::kStandby};
  plan.stops = true;
  EngineView gone;
  gone.running = false;
  gone.trouble = "cannot read status.dat";
  const Since sent{kNow, FileVersion{1, 0}};
  EXPECT_EQ(missing(plan, kByFile, sent, gone), "");
  EXPECT_EQ(missing(plan, kByFile, sent, status(true, 2)), "the engine still runs");
}

TEST(RoleChangeTest, TheVerifyCommandMustAgreeToo) {
  EngineMeans means = kByFile;
  means.verify_command = true;
  EngineView view = status(true, 2);
  view.role_holds = false;
  EXPECT_EQ(missing(activate(), means, {kNow, FileVersion{1, 0}}, view),
            "the verify command does not confirm it");
  view.role_holds = true;
  EXPECT_EQ(missing(activate(), means, {kNow, FileVersion{1, 0}}, view), "");
}

TEST(BelieveTest, AStatusFileIsBelievedOnlyWhenNoCommandCanBeYounger) {
  const struct {
    const char* what;
    std::int64_t created;
    std::optional<bool> running;
    Commands commands;
    std::optional<bool> believed;
  } cases[] = {
      {"later", kNow + 1, true, Commands::kNone, true},
      {"of the same second", kNow, true, Commands::kNone, {}},
      {"earlier", kNow - 1, true, Commands::kNone, {}},
      {"from the future", kNow + 60, true, Commands::kNone, {}},
      {"of an engine that is gone", kNow + 1, false, Commands::kNone, {}},
      {"of nobody knows whom", kNow + 1, {}, Commands::kNone, {}},
      {"with commands on their way", kNow + 1, true, Commands::kOnTheirWay, {}},
  };
  const Since began{kNow, FileVersion{1, 0}};
  for (const auto& c : cases) {
    EngineView view = status(true, 2, c.created);
    view.running = c.running;
    const RoleFacts facts = believe(view, kByFile, began, c.commands, kNow + 5);
    EXPECT_EQ(facts.flags.notifications, c.believed) << c.what;
    EXPECT_EQ(facts.shown.notifications, c.running == true ? std::optional(true) : std::nullopt)
        << c.what;
  }
  const EngineView same = status(true, 1, kNow + 1);
  EXPECT_EQ(believe(same, kByFile, began, Commands::kNone, kNow + 5).flags.notifications,
            std::nullopt)
      << "the clock was set, and it is the file that was there before";
  EngineView late = status(true, 2, kNow + 1);
  late.reads_commands_late = true;
  EXPECT_EQ(believe(late, kByFile, began, Commands::kNone, kNow + 5).flags.notifications,
            std::nullopt);
}

TEST(BelieveTest, NothingIsBelievedWhileCommandsAreOnTheirWay) {
  EngineView view = status(true, 2);
  view.running = false;
  view.role_holds = true;
  for (const EngineMeans& means : {kByFile, EngineMeans{.api = true}}) {
    const RoleFacts facts = believe(view, means, {kNow}, Commands::kOnTheirWay, kNow);
    EXPECT_FALSE(facts.flags.notifications || facts.running || facts.role_holds);
  }
  EXPECT_EQ(believe(view, {.api = true}, {kNow}, Commands::kNone, kNow).flags.notifications, true);
}

TEST(BelieveTest, ALaterStatusIsWorthWaitingForOnlyWhereItWouldProveSomething) {
  const EngineView view = status(true, 1, kNow);
  EXPECT_TRUE(may_be_proven(view, kByFile, Commands::kNone, kNow));
  EXPECT_FALSE(may_be_proven(view, kByFile, Commands::kOnTheirWay, kNow));
  EXPECT_FALSE(may_be_proven(view, {.api = true}, Commands::kNone, kNow));
  EXPECT_FALSE(may_be_proven(view, kByFile, Commands::kNone, kNow - 60)) << "from the future";
  EngineView other = view;
  other.running = false;
  EXPECT_FALSE(may_be_proven(other, kByFile, Commands::kNone, kNow));
  other = view;
  other.reads_commands_late = true;
  EXPECT_FALSE(may_be_proven(other, kByFile, Commands::kNone, kNow));
}

}  // namespace
}  // namespace ha
