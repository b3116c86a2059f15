// SPDX-License-Identifier: MIT
#include "common/context/vote_view.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

constexpr char kLock[] = "monitoring-plugins-ha:mysql:vote";

// Two nodes and a voter. By host: which connection has its vote, and from where; no entry: it gives
// no answer.
VoteView look(const std::map<std::string, std::pair<std::string, std::string>>& holders) {
  FakeWorld world;
  ClusterOptions cluster;
  cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
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
  return look_at_votes(world.env, cluster, {{"vote", 3306}}, kLock,
                       Deadline::after(world.clock, 1));
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

TEST(VoteViewTest, SaysWhenTooFewAnswerForAnyChange) {
  const VoteView view = look({{"db2", {"", ""}}});
  EXPECT_EQ(view.answering(), 1u);
  const std::string text = describe_votes(view);
  EXPECT_TRUE(
      text.starts_with("votes: 2 of 3 are needed for a change, no manager has any; db1 "
                       "gives no answer: "))
      << text;
  EXPECT_TRUE(text.ends_with("; too few answer for any change")) << text;
}

TEST(VoteViewTest, WithoutVotersThereIsNothingToSee) {
  FakeWorld world;
  const VoteView view = look_at_votes(world.env, {}, {}, kLock, Deadline::after(world.clock, 1));
  EXPECT_TRUE(view.voters.empty());
  EXPECT_EQ(describe_votes(view), "");
}

}  // namespace
}  // namespace ha
