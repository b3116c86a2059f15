// SPDX-License-Identifier: MIT
#include "common/context/posix_env.h"

#include <gtest/gtest.h>

#include "common/execute/tool_login.h"
#include "common/vip/vip_host.h"

namespace ha {
namespace {

TEST(PosixEnvTest, IsTheSystem) {
  SystemClock clock;
  const Env env = posix_env(clock);
  const Deadline deadline = Deadline::after(clock, 5);
  EXPECT_EQ(env.network.resolve("127.0.0.1"), std::set<std::string>{"127.0.0.1"});
  // A port that refuses proves that its host is there.
  EXPECT_TRUE(env.network.reach({"127.0.0.1", 1}, deadline));
  EXPECT_FALSE(env.network.reach({"no.such.host.invalid", 1}, deadline));
  const VipOptions vip = {"192.0.2.10", 24, "lo"};
  const auto host = env.network.open_vip_host(vip, "", env.process, deadline);
  ASSERT_NE(host, nullptr);
  const auto addresses = host->addresses();
  ASSERT_TRUE(addresses);
  EXPECT_TRUE(find_address(*addresses, "127.0.0.1"));
  const auto relay = env.network.start_relay({"127.0.0.1", 1}, LoginTls::kRequired);
  ASSERT_TRUE(relay);
  EXPECT_GT((*relay)->port(), 0u);
  EXPECT_EQ((*relay)->refusal(), "");
}

}  // namespace
}  // namespace ha
