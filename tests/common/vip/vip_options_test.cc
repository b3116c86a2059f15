// SPDX-License-Identifier: MIT
#include "common/vip/vip_options.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

std::optional<int> parse(const std::vector<std::string>& args, VipOptions& vip) {
  const SystemClock clock;
  Cli cli(clock, "vip_test", "Reads the options of a virtual IP address.", Cli::Kind::kTool);
  add_vip_options(cli, vip);
  std::vector<std::string> all = {"vip_test"};
  all.insert(all.end(), args.begin(), args.end());
  return cli.parse(all);
}

TEST(VipOptionsTest, AnAddressHasAPrefixAndOneSpelling) {
  const struct {
    const char* text;
    const char* address;
    unsigned prefix;
    bool ipv6;
  } cases[] = {{"192.0.2.10", "192.0.2.10", 32, false},
               {"192.0.2.10/24", "192.0.2.10", 24, false},
               {"2001:DB8:0:0::10", "2001:db8::10", 128, true},
               {"2001:db8::10/64", "2001:db8::10", 64, true},
               {"127.0.0.9", "127.0.0.9", 32, false}};
  for (const auto& c : cases) {
    VipOptions vip;
    ASSERT_TRUE(parse_vip(c.text, vip)) << c.text;
    EXPECT_EQ(vip.address, c.address);
    EXPECT_EQ(vip.prefix, c.prefix);
    EXPECT_EQ(vip.ipv6(), c.ipv6);
  }
}

TEST(VipOptionsTest, OnlyANumericUnicastAddressIsOne) {
  for (const char* text :
       {"", "db1", "192.0.2.10/", "192.0.2.10/0", "192.0.2.10/33", "192.0.2.10/x", "192.0.2",
        "192.0.2.010", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "fe80::1",
        "fe80::1%eth0", "::ffff:192.0.2.1", "2001:db8::/129", "[2001:db8::1]", "/24"}) {
    VipOptions vip;
    const auto parsed = parse_vip(text, vip);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().text.find("ADDRESS[/PREFIX]"), std::string::npos);
    EXPECT_EQ(vip.address, "");
  }
}

TEST(VipOptionsTest, TheOptionsFillTheStruct) {
  VipOptions vip;
  EXPECT_EQ(parse({"--vip", "192.0.2.10/24", "--interface", "eth0:1", "--remote-command",
                   "ssh -oBatchMode=yes 'ha@{host}'"},
                  vip),
            std::nullopt);
  EXPECT_EQ(vip.address, "192.0.2.10");
  EXPECT_EQ(vip.interface, "eth0:1");
  EXPECT_EQ(vip.device(), "eth0");
  EXPECT_EQ(vip.remote_command, (std::vector<std::string>{"ssh", "-oBatchMode=yes", "ha@{host}"}));
  EXPECT_TRUE(complete_vip(vip));
}

TEST(VipOptionsTest, WrongOptionsAreRefused) {
  const std::vector<std::vector<std::string>> cases = {
      {"--vip", "db1"},
      {"--interface", ""},
      {"--interface", "-eth0"},
      {"--interface", "eth0;id"},
      {"--interface", "an-interface-with-a-long-name"},
      {"--remote-command", ""},
      {"--remote-command", "ssh 'db1"},
      {"--remote-command", "ssh db1"}};
  for (const auto& args : cases) {
    VipOptions vip;
    testing::internal::CaptureStdout();
    EXPECT_EQ(parse(args, vip), 3) << args[1];
    EXPECT_NE(testing::internal::GetCapturedStdout().find(args[0]), std::string::npos);
  }
}

TEST(VipOptionsTest, AddressAndInterfaceBelongTogether) {
  EXPECT_TRUE(complete_vip({}));
  EXPECT_EQ(complete_vip({"192.0.2.10", 32}).error().text, "--vip: 192.0.2.10 needs --interface");
  EXPECT_EQ(complete_vip({"", 0, "eth0"}).error().text, "--interface: there is no --vip");
}

}  // namespace
}  // namespace ha
