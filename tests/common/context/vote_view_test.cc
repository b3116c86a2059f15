// SPDX-License-Identifier: MIT
#include "common/context/vote_view.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

// Two nodes and a voter. By host: which connection has its vote, and from where; no entry: it gives
// no answer.
VoteView look(const std::map<std::string, std::pair<std::string, std::string>>& holders) {
  FakeWorld world;
  FailoverOptions options;
  options.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
  options.votes = {{"vote", 3306}};
  for (const auto& [host, holder] : holders)
    world.connector.servers[host] =
        [holder = holder](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
      auto session = std::make_unique<FakeSession>("8.4.0");
      const auto answer = [&](const char* words, const std::string& value) {
        session->answer(words, Rows{{"value"}, {{value}}});
      };
      answer("IS_USED_LOCK('monitoring-plugins-ha:mysql:vote')", holder.first);
      answer("SELECT HOST", holder.second);
      return std::unique_ptr<SqlSession>(std::move(session));
    };
  return look_at_votes(world.env, options, Deadline::after(world.clock, 1));
}

TEST(VoteViewTest, TellsWhoHasTheVotes) {
  const struct {
    std::map<std::string, std::pair<std::string, std::string>> holders;
    std::string text, majority;
    std::size_t answering, given;
  } cases[] = {
      {{{"db1", {"", ""}}, {"db2", {"", ""}}, {"vote", {"", ""}}},
       "votes: 2 of 3 are needed for a change, no manager has any",
       "",
       3,
       0},
      {{{"db1", {"17", "192.0.2.8:50001"}}, {"db2", {"4", "192.0.2.8:50002"}}, {"vote", {"", ""}}},
       "votes: 2 of 3 are needed for a change, given are those of db1 (connection 17 from "
       "192.0.2.8), db2 (connection 4 from 192.0.2.8); a manager on 192.0.2.8 has the majority",
       "192.0.2.8",
       3,
       2},
      {{{"db1", {"17", "localhost"}}, {"db2", {"4", "192.0.2.8:50002"}}, {"vote", {"", ""}}},
       "votes: 2 of 3 are needed for a change, given are those of db1 (connection 17 from "
       "localhost), db2 (connection 4 from 192.0.2.8)",
       "",
       3,
       2},
  };
  for (const auto& c : cases) {
    const VoteView view = look(c.holders);
    EXPECT_EQ(describe_votes(view), c.text);
    EXPECT_EQ(view.majority_host(), c.majority);
    EXPECT_EQ(view.answering(), c.answering);
    EXPECT_EQ(view.given(), c.given);
  }
}

// What silent voters have given is not known.
TEST(VoteViewTest, SaysWhenTooFewAnswerForAnyChange) {
  const struct {
    std::map<std::string, std::pair<std::string, std::string>> holders;
    std::string words;
  } cases[] = {
      {{{"db2", {"", ""}}}, "no manager has any of those that answer; db1 gives no answer: "},
      {{}, "it is not known whether a manager has any; db1 gives no answer: "},
  };
  for (const auto& c : cases) {
    const VoteView view = look(c.holders);
    EXPECT_EQ(view.answering(), c.holders.size());
    const std::string text = describe_votes(view);
    EXPECT_TRUE(text.starts_with("votes: 2 of 3 are needed for a change, " + c.words)) << text;
    EXPECT_TRUE(text.ends_with("; too few answer for any change")) << text;
  }
}

TEST(VoteViewTest, ALeaseTurnsVotesOnAndIsReadWithThem) {
  FakeWorld world;
  FailoverOptions options;
  options.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
  options.lease = {.lease_s = 5, .margin_s = 1};
  for (const char* const host : {"db1", "db2"})
    world.connector.servers[host] = [](const MysqlOptions&) {
      auto session = std::make_unique<FakeSession>("8.4.0");
      session->answer("IS_USED_LOCK('monitoring-plugins-ha:mysql:vote')", Rows{{"v"}, {{""}}});
      session->answer("IS_USED_LOCK('monitoring-plugins-ha:mysql:primary')",
                      Rows{{"l", "s", "p1", "g1", "p2", "g2"},
                           {{"7", "2", "7", "8", std::nullopt, std::nullopt}}});
      return Result<std::unique_ptr<SqlSession>>(std::move(session));
    };
  const VoteView view = look_at_votes(world.env, options, Deadline::after(world.clock, 1));
  EXPECT_EQ(describe_votes(view), "votes: 2 of 2 are needed for a change, no manager has any");
  const LeaseSummary summary = summarize_lease(view, options);
  EXPECT_EQ(describe_lease(summary),
            "lease: the guard of db1 has it (2 of 2 votes, 2s left); no guard is seen of db2");
  EXPECT_EQ(tell_lease(view, options, "db1").held,
            "its guard has 2 of 2 votes and was heard 2s ago");
}

// What a majority of the votes is worth is what its oldest vote is.
TEST(VoteViewTest, TheTimeThatIsLeft) {
  FailoverOptions options;
  options.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
  options.lease = {.lease_s = 5, .margin_s = 1};
  const auto held = [](std::optional<double> silent_s) {
    return VoterView{.lease = LeaseReading{"7", "db1", silent_s, {"db1"}}};
  };
  const VoterView silent, free{.lease = LeaseReading{}};
  const struct {
    std::vector<VoterView> voters;
    std::optional<double> left_s;
  } cases[] = {
      {{held(0), held(1), held(3)}, 3},      {{held(0), held(3), silent}, 1},
      {{held(0), held(7), free}, 0},         {{held(0), held(std::nullopt), free}, std::nullopt},
      {{held(0), free, free}, std::nullopt}, {{silent, silent, silent}, std::nullopt},
  };
  for (const auto& c : cases)
    EXPECT_EQ(summarize_lease({c.voters}, options).left_s, c.left_s) << c.voters.size();
}

TEST(VoteViewTest, WithoutVotersThereIsNothingToSee) {
  FakeWorld world;
  const VoteView view = look_at_votes(world.env, {}, Deadline::after(world.clock, 1));
  EXPECT_TRUE(view.voters.empty());
  EXPECT_EQ(describe_votes(view), "");
}

}  // namespace
}  // namespace ha
