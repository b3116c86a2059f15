// SPDX-License-Identifier: MIT
// What a failover is told of the lease of the primary: db1, db2 and db3 vote.
#include "common/execute/lease_wait.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

class LeaseWaitTest : public testing::Test {
 protected:
  LeaseWaitTest() {
    options_.lease.lease_s = 5;
    options_.state_dir = "/state";
    options_.cluster_name = "c";
    for (const char* name : {"db1", "db2", "db3"}) {
      options_.cluster.nodes.push_back({name, name, 3306});
      world_.connector.servers[name] =
          [this](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        return std::unique_ptr<SqlSession>(std::make_unique<Voter>(held_));
      };
    }
  }

  LeaseWord await(const LeaseVigil* vigil) {
    const Log log = [](const std::string&) {};
    auto workflow = begin_workflow(world_.env, options_, log);
    workflow->deadline = Deadline::after(world_.clock, 60);
    return await_lease(*workflow, "db1", vigil);
  }

  // Connection 7 has its vote, for db1.
  class Voter : public SqlSession {
   public:
    explicit Voter(const bool& held) : held_(held) {}
    Result<Rows> query(const std::string&) override {
      const std::optional<std::string> vote =
          held_ ? std::optional<std::string>("7") : std::nullopt;
      return Rows{{"l", "t", "p1", "g1", "p2", "g2", "p3", "g3"},
                  {{vote, "0", vote, {}, {}, {}, {}, {}}}};
    }
    const Version& version() const override { return version_; }

   private:
    const bool& held_;
    const Version version_ = parse_version("10.11.6-MariaDB");
  };

  bool held_ = true;
  FakeWorld world_;
  FailoverOptions options_;
};

// A guard that was started again in between keeps its server open for what is left of the lease.
TEST_F(LeaseWaitTest, AGuardWhoseSessionsHaveEndedMayCountOnWhatIsLeftOfItsLease) {
  LeaseVigil vigil(world_.env, options_);
  vigil.observe();
  held_ = false;
  world_.clock.time_s += 3;
  vigil.observe();
  // It may have said its last word a moment ago.
  const double gone_s = world_.clock.time_s;
  EXPECT_NEAR(await(&vigil).until_s.value_or(0), gone_s + 5, 0.1);
  // It answers, and is gone again.
  vigil.forget("db1");
  EXPECT_NEAR(await(&vigil).until_s.value_or(0), gone_s + 5, 0.1);
  world_.clock.time_s = gone_s + 5.1;
  EXPECT_TRUE(await(&vigil).empty());
}

TEST_F(LeaseWaitTest, WithoutAVigilAGuardMayCountOnALeaseThatEndedBeforeTheRunBegan) {
  held_ = false;
  EXPECT_NEAR(await(nullptr).until_s.value_or(0), world_.clock.time_s + 5, 0.1);
  // A vigil that was begun just now knows no more.
  LeaseVigil vigil(world_.env, options_);
  vigil.observe();
  EXPECT_NEAR(await(&vigil).until_s.value_or(0), world_.clock.time_s + 5, 0.1);
  // No voter answers.
  world_.connector.servers.clear();
  world_.clock.time_s += 1;
  EXPECT_NEAR(await(nullptr).until_s.value_or(0), world_.clock.time_s + 5, 0.1);
}

}  // namespace
}  // namespace ha
