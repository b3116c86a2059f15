// SPDX-License-Identifier: MIT
#include "common/vip/vip_commands.h"

#include <gtest/gtest.h>

#include "common/text.h"

namespace ha {
namespace {

const VipOptions kV4{"192.0.2.10", 24, "eth0"};
const VipOptions kV6{"2001:db8::10", 64, "eth0.7"};

TEST(VipCommandsTest, SayExactlyWhatIsDone) {
  VipOptions labelled = kV4, labelled_v6 = kV6;
  labelled.interface = "eth0:1";
  labelled_v6.interface = "eth0:1";
  const struct {
    Argv argv;
    const char* want;
  } cases[] = {
      {add_command(kV4, KernelCheck::kNo), "ip addr add 192.0.2.10/24 dev eth0"},
      {add_command(kV4, KernelCheck::kYes), "ip addr add 192.0.2.10/24 dev eth0"},
      {add_command(labelled, KernelCheck::kNo), "ip addr add 192.0.2.10/24 dev eth0 label eth0:1"},
      {add_command(kV6, KernelCheck::kNo), "ip addr add 2001:db8::10/64 dev eth0.7 nodad"},
      {add_command(kV6, KernelCheck::kYes), "ip addr add 2001:db8::10/64 dev eth0.7"},
      {add_command(labelled_v6, KernelCheck::kYes), "ip addr add 2001:db8::10/64 dev eth0"},
      {delete_command({"eth1", "192.0.2.10", 32}), "ip addr del 192.0.2.10/32 dev eth1"},
      {show_command(), "ip -o addr show"},
      {arping_ask_command(labelled), "arping -D -c 2 -w 2 -I eth0 192.0.2.10"},
      {arping_announce_command(labelled), "arping -U -c 2 -I eth0 192.0.2.10"},
      {announcing_command(kV6), "sysctl -q -w net/ipv6/conf/eth0.7/ndisc_notify=1"},
  };
  for (const auto& c : cases) EXPECT_EQ(join(c.argv, " "), c.want);
}

TEST(VipCommandsTest, ARemoteCommandIsQuotedForTheShellBehindIt) {
  VipOptions vip = kV4;
  vip.remote_command = {"ssh", "-p22", "ha@{host}", "{host}{host}"};
  EXPECT_EQ(*remote_command(vip, "db2", {"echo", "a b", "$x", "eth0"}),
            (Argv{"ssh", "-p22", "ha@db2", "db2db2", "echo", "'a b'", "'$x'", "eth0"}));
  // What is put in is not looked at again.
  EXPECT_EQ((*remote_command(vip, "{host}", {"id"}))[2], "ha@{host}");
}

TEST(VipCommandsTest, ThereIsNoWayToAnotherMachineWithoutARemoteCommand) {
  EXPECT_EQ(remote_command(kV4, "db2", {"id"}).error().text,
            "db2 is another machine and there is no --remote-command");
  VipOptions vip = kV4;
  vip.remote_command = {"ssh", "{host}"};
  EXPECT_EQ(remote_command(vip, "-oProxyCommand=id", {"id"}).error().code, Errc::kUsage);
}

TEST(VipCommandsTest, OnlyArpingOfIputilsIsBelieved) {
  const struct {
    const char* output;
    ArpingAnswer want;
  } cases[] = {
      {"ARPING 192.0.2.10 from 0.0.0.0 eth0\nSent 2 probes (2 broadcast(s))\n"
       "Received 0 response(s)\n",
       ArpingAnswer::kNone},
      {"ARPING 192.0.2.10 from 0.0.0.0 eth0\n"
       "Unicast reply from 192.0.2.10 [66:13:0D:E2:58:60]  0.540ms\n"
       "Sent 1 probes (1 broadcast(s))\nReceived 1 response(s)\n",
       ArpingAnswer::kMachine},
      {"Received 10 response(s) (0 request(s))", ArpingAnswer::kMachine},
      // The other program of this name; it exits with 0 when a machine has answered.
      {"ARPING 192.0.2.10\n!!\t 100% packet loss (0 extra)\n", ArpingAnswer::kUnknown},
      {"arping: invalid option", ArpingAnswer::kUnknown},
      {"Received 0", ArpingAnswer::kUnknown},
      {"", ArpingAnswer::kUnknown},
  };
  for (const auto& c : cases) EXPECT_EQ(arping_answer(c.output), c.want) << c.output;
}

}  // namespace
}  // namespace ha
