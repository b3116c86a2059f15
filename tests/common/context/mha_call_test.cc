// SPDX-License-Identifier: MIT
#include "common/context/mha_call.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/fakes/fake_env.h"

namespace ha {
namespace {

std::string expanded(FakeWorld& world, const std::vector<std::string>& argv) {
  return join(expand_mha_call(world.env, argv, "s=cret", Deadline::after(world.clock, 10)), " ");
}

TEST(MhaCallTest, AMachineThatAnswersToSshIsStoppedByIt) {
  FakeWorld world;
  const std::vector<std::string> argv = {"power", "{stop, or stopssh of ha@db1:24}", "--host=db1"};
  EXPECT_EQ(expanded(world, argv), "power --command=stop --host=db1");
  world.programs.programs["ssh"] = [](const Command&) { return ProcessOutcome{}; };
  EXPECT_EQ(expanded(world, argv), "power --command=stopssh --ssh_user=ha --host=db1");
  const auto& ssh = world.programs.ran.back().argv;
  EXPECT_EQ(join({ssh.end() - 4, ssh.end()}, "|"), "-p24|--|ha@db1|exit 0");
  world.programs.programs["ssh"] = [](const Command&) {
    return ProcessOutcome{ProcessOutcome::End::kExited, 255, "no route"};
  };
  EXPECT_EQ(expanded(world, argv), "power --command=stop --host=db1");
}

TEST(MhaCallTest, AddressesAndThePasswordAreFilledIn) {
  FakeWorld world;
  EXPECT_EQ(expanded(world, {"x", "--ip={ip of db9}", "--subject=a({ip of db8}:1) b({ip of db9}:2)",
                             "--new_master_password={password}", "{password} as it is"}),
            "x --ip=db9 --subject=a(db8:1) b(db9:2) --new_master_password=s=cret "
            "{password} as it is");
}

TEST(MhaCallTest, APasswordThatAScriptPrintsIsHidden) {
  EXPECT_EQ(without_password("user a, s=cret, s=crets=cret", "s=cret"), "user a, xxx, xxxxxx");
  EXPECT_EQ(without_password("as it is", ""), "as it is");
  EXPECT_EQ(without_password("as it is", std::nullopt), "as it is");
}

}  // namespace
}  // namespace ha
