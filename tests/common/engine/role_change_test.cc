// SPDX-License-Identifier: MIT
#include "common/engine/role_change.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

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
  EngineView look(Role, const Deadline&) override { return show(++looks); }

  std::vector<Result<Done>> answers;
  std::function<EngineView(int looks)> show = [](int) { return EngineView{}; };
  std::vector<std::string> asked;
  int looks = 0;
};

EngineView status(bool notifications, std::uint64_t version) {
  EngineView view;
  view.flags = {notifications, true, true};
  view.running = true;
  view.version = FileVersion{version, 0};
  view.created = kNow;
  return view;
}

RolePlan take_over() {
  return plan_role(Role::kActive, {EngineKind::kNagios, EngineScope::kNotifications, "/p"}, {}, {},
                   Undo::kTakeOver, kNow);
}

RoleOutcome change(FakeEngine& engine, const RolePlan& plan = take_over(),
                   const EngineMeans& means = kByFile, double patience_s = 0.5) {
  return change_role(plan, engine, means, status(false, 1), patience_s, Deadline::after(5));
}

TEST(RoleChangeTest, AFileWrittenAfterTheCommandVerifies) {
  FakeEngine engine;
  engine.show = [](int looks) { return looks < 3 ? status(false, 1) : status(true, 2); };
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

TEST(RoleChangeTest, ALostCommandIsRepeatedWhenALaterWordContradicts) {
  FakeEngine engine;
  // The engine speaks all the time, and obeys only the second command.
  engine.show = [&](int looks) {
    return status(engine.asked.size() == 2, static_cast<std::uint64_t>(looks) + 1);
  };
  const RoleOutcome outcome = change(engine, take_over(), kByFile, 5);
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
  RolePlan plan = take_over();
  plan.steps.push_back(plan.steps[0]);
  for (const Errc code : {Errc::kUsage, Errc::kPrivilege, Errc::kAccessDenied, Errc::kInternal}) {
    FakeEngine engine;
    engine.answers = {Error{code, "no"}};
    const RoleOutcome outcome = change(engine, plan);
    EXPECT_EQ(outcome.end, End::kFailed);
    EXPECT_EQ(outcome.text, "no");
    EXPECT_EQ(outcome.steps_done, 0u);
    EXPECT_EQ(engine.asked.size(), 1u);
    EXPECT_EQ(engine.looks, 0);
  }
}

TEST(RoleChangeTest, PatienceEnds) {
  FakeEngine engine;
  engine.answers.assign(1000, Error{Errc::kUnreachable, "nobody reads"});
  const RoleOutcome outcome = change(engine, take_over(), kByFile, 0.3);
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
  EXPECT_EQ(change(engine, take_over(), kByFile, 0.3).text, "certificate");
}

TEST(RoleChangeTest, WithoutMeansNothingIsVerifiedAndWithAcknowledgementItIs) {
  FakeEngine engine;
  EXPECT_EQ(change(engine, take_over(), {}).end, End::kUnverified);
  EXPECT_EQ(change(engine, take_over(), {.acknowledged = true}).end, End::kVerified);
}

TEST(RoleChangeTest, AStoppedEngineIsSeenByItsAbsence) {
  RolePlan plan{Role::kStandby};
  plan.stops = true;
  EngineView gone;
  gone.running = false;
  gone.trouble = "cannot read status.dat";
  EXPECT_EQ(missing(plan, kByFile, status(true, 1), gone), "");
  EXPECT_EQ(missing(plan, kByFile, status(true, 1), status(true, 2)), "the engine still runs");
}

TEST(RoleChangeTest, TheVerifyCommandMustAgreeToo) {
  EngineMeans means = kByFile;
  means.verify_command = true;
  EngineView view = status(true, 2);
  view.role_holds = false;
  EXPECT_EQ(missing(take_over(), means, status(false, 1), view),
            "the verify command does not confirm it");
  view.role_holds = true;
  EXPECT_EQ(missing(take_over(), means, status(false, 1), view), "");
}

TEST(BelieveTest, AStatusFileIsBelievedOnlyWhenItIsTheEnginesPresentWord) {
  const auto seen = [](std::int64_t created, std::optional<bool> running,
                       std::int64_t commands_at) {
    EngineView view = status(true, 1);
    view.created = created;
    view.running = running;
    return believe(view, kByFile, commands_at, 15, kNow).flags.notifications;
  };
  EXPECT_EQ(seen(kNow, true, 0), true);
  EXPECT_EQ(seen(kNow - 15, true, 0), true);
  EXPECT_EQ(seen(kNow - 16, true, 0), std::nullopt) << "old";
  EXPECT_EQ(seen(kNow + 2, true, 0), true);
  EXPECT_EQ(seen(kNow + 3, true, 0), std::nullopt) << "from the future";
  EXPECT_EQ(seen(kNow, false, 0), std::nullopt) << "of an engine that is gone";
  EXPECT_EQ(seen(kNow, {}, 0), std::nullopt) << "of nobody knows whom";
  EXPECT_EQ(seen(kNow - 5, true, kNow - 5), std::nullopt) << "as old as our command";
  EXPECT_EQ(seen(kNow - 5, true, kNow - 6), true);
}

}  // namespace
}  // namespace ha
