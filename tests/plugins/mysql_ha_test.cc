// SPDX-License-Identifier: MIT
#include "plugins/mysql_ha.h"

#include <gtest/gtest.h>

#include "common/context/run_store.h"
#include "common/posix_files.h"
#include "plugins/mysql_ha_status.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

struct Outcome {
  int code;
  std::string out;
};

// Nobody listens on this port, so it is soon known to be unreachable.
constexpr char kNobody[] = "--node=db1=127.0.0.1:1";

class MysqlHaTest : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> words) const {
    words.insert(words.begin(), "mysql_ha");
    words.push_back("--state-dir=" + directory_.path("state"));
    testing::internal::CaptureStdout();
    static SystemClock clock;  // what is abandoned still asks it
    const int code = plugin_main(clock, words);
    std::fflush(stdout);
    return {code, testing::internal::GetCapturedStdout()};
  }

  std::string add_run(double begun_s, std::vector<JournalRecord> more) {
    const auto store = RunStore::open(files_, directory_.path("state"), "mysql");
    const std::string id = *store->new_id(begun_s);
    Plan plan{.primary = "db1", .candidate = "db2"};
    plan.steps.push_back({1, Action::kMakeWritable, "db2"});
    std::vector<JournalRecord> records = {
        {{"time", std::to_string(begun_s)}, {"event", "begin"}, {"plan", plan_to_json(plan)}}};
    records.insert(records.end(), more.begin(), more.end());
    EXPECT_TRUE(store->journal(id)->append_all(records));
    return id;
  }

  TempDirectory directory_;
  PosixFiles files_;
};

TEST(MysqlHaStatusTest, ShowsTheVotesWhereSomeAreNeeded) {
  Status status;
  EXPECT_EQ(render_json(status).find("votes"), std::string::npos);
  status.votes.voters = {{"db1", "", "7", "192.0.2.8"}, {"vote:3306", "no \x1broute"}};
  EXPECT_NE(
      render_json(status).find(
          R"("votes":{"needed":2,"answering":1,"given":1,"majority_host":null,"voters":[{"name":"db1",)"
          R"("answers":true,"trouble":"","connection":"7","host":"192.0.2.8"},)"
          R"({"name":"vote:3306","answers":false,"trouble":"no  route","connection":null,)"
          R"("host":null}]})"),
      std::string::npos)
      << render_json(status);
  EXPECT_NE(render_text(status, Colours::kNone)
                .find("votes: 2 of 2 are needed for a change, given are those of db1 (connection 7 "
                      "from 192.0.2.8); vote:3306 gives no answer: no  route; too few answer for "
                      "any change\n"),
            std::string::npos)
      << render_text(status, Colours::kNone);
}

TEST(MysqlHaStatusTest, ShowsTheLeaseWhereThereIsOne) {
  Status status;
  EXPECT_EQ(render_json(status).find("lease"), std::string::npos);
  status.lease = {.voters = 3,
                  .answering = 3,
                  .needed = 2,
                  .guards = {{"db1", 3, 2}, {"db2", 0, 0}},
                  .left_s = 1.5};
  status.lease_troubles = {"the guard of db2 is connected to no voter that answers"};
  EXPECT_NE(render_json(status).find(
                R"("lease":{"holder":"db1","known":true,"left_s":1.5,"voters":3,"answering":3,)"
                R"("guards":[{"node":"db1","connected":true,"votes":2},)"
                R"({"node":"db2","connected":false,"votes":0}],)"
                R"("troubles":["the guard of db2 is connected to no voter that answers"]})"),
            std::string::npos)
      << render_json(status);
  EXPECT_NE(render_text(status, Colours::kNone)
                .find("lease: the guard of db1 has it (2 of 3 votes, 1.5s left); no guard is seen "
                      "of db2\nthe guard of db2 is connected to no voter that answers\n"),
            std::string::npos)
      << render_text(status, Colours::kNone);
}

// Where a voter is silent, a guard that no other one knows may be connected to it; and a state
// directory that is another user's tells nothing.
TEST(MysqlHaStatusTest, WhatIsNotKnownIsNotNothing) {
  Status status;
  status.lease = {
      .voters = 3, .answering = 2, .needed = 2, .guards = {{"db1", 2, 2}, {"db2", 0, 0}}};
  const std::string json = render_json(status);
  EXPECT_NE(json.find(R"({"node":"db2","connected":null,"votes":0})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("guard_troubles":null)"), std::string::npos) << json;
}

TEST_F(MysqlHaTest, AGuardWhoseStateCannotBeReadMayRun) {
  ASSERT_EQ(run({"guard", "pause", kNobody}).code, 0);
  const std::string path = directory_.path("state/mysql/guard.json");
  ASSERT_TRUE(files_.write_atomic(path, "{}", 0600));
  const Outcome outcome = run({"guard", "status", kNobody});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.out.find("it is not known whether a guard runs: " + path), std::string::npos)
      << outcome.out;
  EXPECT_TRUE(
      run({"guard", "status", "--output=json", kNobody}).out.starts_with(R"({"running":null,)"));
  EXPECT_NE(run({"status", kNobody}).out.find("how the guard is, is not known: " + path),
            std::string::npos);
}

TEST_F(MysqlHaTest, MistakesExitWithThreeAndSayWhatIsAccepted) {
  const struct {
    std::vector<std::string> words;
    const char* said;
  } cases[] = {
      {{kNobody}, "'' is not one of the commands: status, plan, failover, switchover, rejoin"},
      {{"stat", kNobody}, "'stat' is not one of the commands: status"},
      {{"status"}, "no node given"},
      {{"status", "db1", kNobody}, "status: wrong number of arguments"},
      {{"rejoin", kNobody}, "rejoin: wrong number of arguments"},
      {{"status", "--interval", "0", kNobody}, "--interval: '0' is not a duration"},
      {{"status", "--output", "xml", kNobody}, "--output: 'xml' is not one of: text, json"},
      {{"status", "--vip", "192.0.2.1", kNobody}, "--vip"},
      {{"repair", "db1", kNobody}, "repair: wrong number of arguments"},
      {{"repair", "--table", "x", kNobody}, "--table: 'x' is not DB.TABLE"},
      {{"repair", "--preset", "pandora", "--since", "noon", kNobody}, "--since: "},
      {{"journal", "burn", kNobody}, "journal: expected nothing, show ID, extra ID or ack [ID]"},
      {{"journal", "extra", "1", "--dry-run", kNobody}, "--dry-run and --preset need --apply"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = run(c.words);
    EXPECT_EQ(outcome.code, 3) << c.said;
    EXPECT_NE(outcome.out.find(c.said), std::string::npos) << outcome.out;
  }
}

TEST_F(MysqlHaTest, HelpAndVersionAreNoMistakes) {
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_EQ(run({"-V"}).code, 0);
}

TEST_F(MysqlHaTest, StatusOfNobody) {
  const Outcome outcome = run({"status", kNobody});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(
      outcome.out.starts_with("NODE  ROLE         WRITES  LAG  GTIDS\n"
                              "db1   unreachable  -       -    -\n"
                              "\n"
                              "[CRITICAL] no-node-reachable: no node is reachable\n"
                              "[WARNING] unreachable: db1 is unreachable: "))
      << outcome.out;
}

TEST_F(MysqlHaTest, StatusInJson) {
  const Outcome outcome = run({"status", kNobody, "--output=json"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.out.starts_with(
      R"({"state":"CRITICAL","nodes":[{"name":"db1","role":"unreachable","state":"WARNING",)"
      R"("writes":"-","follows":[],"lag_s":null,"transactions_behind":null,)"
      R"("errant_transactions":null,"notes":[],"host":"127.0.0.1","port":1,"error":)"))
      << outcome.out;
}

TEST_F(MysqlHaTest, PlanOfNobody) {
  const Outcome outcome = run({"plan", kNobody, "--assume-dead=db1"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find(':')), "no failover (no-candidate)");
}

TEST_F(MysqlHaTest, JournalListsShowsAndAcknowledges) {
  EXPECT_TRUE(run({"journal", kNobody}).out.starts_with("mysql_ha: there is no run in "));
  EXPECT_EQ(run({"journal", "ack", kNobody}).code, 2);
  const std::string id = add_run(1000, {{{"time", "1001"}, {"event", "step-done"}, {"number", "1"}},
                                        {{"time", "1002"}, {"event", "end"}, {"outcome", "done"}}});
  EXPECT_EQ(run({"journal", kNobody}).out, id + "  failover   db1 -> db2  done\n");
  const Outcome shown = run({"journal", "show", id, kNobody});
  EXPECT_EQ(shown.code, 0);
  EXPECT_TRUE(shown.out.starts_with("run " + id +
                                    ": failover db1 -> db2, done\n"
                                    "  +1.000s  make-writable db2\n"))
      << shown.out;
  EXPECT_EQ(run({"journal", "ack", kNobody}).out, "mysql_ha: run " + id + " is acknowledged\n");
  EXPECT_EQ(run({"journal", kNobody}).out, id + "  failover   db1 -> db2  done, acknowledged\n");
  EXPECT_EQ(run({"journal", "show", "../x", kNobody}).code, 2);
}

TEST_F(MysqlHaTest, AGuardIsPausedAndResumedWhetherOrNotItRuns) {
  const auto guard = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"guard", kNobody});
    return run(words);
  };
  EXPECT_EQ(guard({"status"}).code, 2);
  EXPECT_NE(guard({"status"}).out.find("no guard was started with this state directory"),
            std::string::npos);
  const Outcome paused = guard({"pause", "60"});
  EXPECT_EQ(paused.code, 0) << paused.out;
  EXPECT_NE(paused.out.find("the guard is paused for 60s: it watches and changes nothing; to end "
                            "that, run: "),
            std::string::npos)
      << paused.out;
  EXPECT_NE(guard({"status", "--output=json"}).out.find("\"left_s\":"), std::string::npos);
  EXPECT_NE(run({"status", kNobody})
                .out.find("the guard is paused: it watches and changes nothing; to end "
                          "that, run: mysql_ha guard resume"),
            std::string::npos);
  EXPECT_NE(
      guard({"pause", "--lease=5"})
          .out.find("the guard is paused: it watches and changes no roles, keeps the lease and "
                    "closes a primary that loses it; to end that, run: "),
      std::string::npos);
  EXPECT_EQ(guard({"resume"}).code, 0);
  EXPECT_NE(run({"status", kNobody, "--output=json"}).out.find("\"guard_troubles\":[]"),
            std::string::npos);
  EXPECT_NE(guard({"status", "--output=json"}).out.find("\"paused\":null"), std::string::npos);
}

TEST_F(MysqlHaTest, WordsToAGuardThatAreNone) {
  const struct {
    std::vector<std::string> words;
    const char* want;
  } cases[] = {
      {{"dance"}, "guard: expected nothing, status, pause [SECONDS] or resume"},
      {{"status", "now"}, "guard: expected nothing, status, pause [SECONDS] or resume"},
      {{"pause", "soon"}, "guard pause: 'soon' is not a duration"},
      {{"--interval=0.01"}, "--interval: a guard waits for 0.05 s at least"},
      {{"--retry-interval=0.001"}, "--retry-interval: a guard waits for 0.05 s at least"},
      {{"--manage=perhaps"}, "'perhaps' is not one of: yes, no"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> words = {"guard", kNobody};
    words.insert(words.end(), c.words.begin(), c.words.end());
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 3) << c.want;
    EXPECT_NE(outcome.out.find(c.want), std::string::npos) << outcome.out;
  }
}

TEST(GuardOptions, TheNameOfANodeIsThatBesideWhichTheGuardRuns) {
  const struct {
    const char* name;
    std::vector<NodeAddress> nodes;
    std::string want;
    std::size_t left;
  } cases[] = {
      {"a name", {{"db1", "192.0.2.1"}, {"db2", "192.0.2.2"}, {"db2", "db2"}}, "db2", 2},
      {"none", {{"db1", "192.0.2.1"}, {"db2", "192.0.2.2"}}, "", 2},
      {"a node that is called as its host", {{"db1", "db1"}, {"db2", "192.0.2.2"}}, "", 2},
      {"likewise, and it is named", {{"db1", "db1"}, {"db2", "db2"}, {"db1", "db1"}}, "db1", 2},
      {"two nodes of one name", {{"db1", "192.0.2.1"}, {"db1", "192.0.2.2"}}, "", 2},
  };
  for (const auto& c : cases) {
    MysqlHaOptions options;
    options.failover.cluster.nodes = c.nodes;
    take_own_node(options);
    EXPECT_EQ(options.guard.node, c.want) << c.name;
    EXPECT_EQ(options.failover.cluster.nodes.size(), c.left) << c.name;
  }
}

}  // namespace
}  // namespace ha
