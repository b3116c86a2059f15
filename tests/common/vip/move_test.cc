// SPDX-License-Identifier: MIT
#include "common/vip/move.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/text.h"
#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

const VipOptions kVip{"192.0.2.10", 24, "eth0"};

// A machine that does as `ip` says and notes it.
class FakeHost : public VipHost {
 public:
  std::vector<LocalAddress> held;
  Result<KernelCheck> prepared = KernelCheck::kNo;
  Result<Done> announced = Done{};
  std::string failing = {};               // the command that fails, in part
  std::vector<AddressState> states = {};  // of the added address, one for each look
  bool obeys = true;                      // false: commands succeed and do nothing
  std::vector<std::string> log;

  Result<std::vector<LocalAddress>> addresses() override {
    if (!states.empty() && !held.empty()) {
      held.back().state = states.front();
      if (states.size() > 1) states.erase(states.begin());
    }
    return held;
  }
  Result<KernelCheck> prepare() override {
    log.push_back("prepare");
    return prepared;
  }
  Result<Done> run(const Argv& command) override {
    log.push_back(join(command, " "));
    if (!failing.empty() && log.back().find(failing) != std::string::npos)
      return Error{Errc::kInternal, "'" + log.back() + "' exited with 2"};
    if (!obeys) return Done{};
    if (command[2] == "add")
      held.push_back({command[5], kVip.address, kVip.prefix});
    else
      std::erase_if(held, [&](const LocalAddress& entry) {
        return entry.interface == command[5] && command[3].starts_with(entry.address + "/");
      });
    return Done{};
  }
  Result<Done> announce() override {
    log.push_back("announce");
    return announced;
  }
};

using Log = std::vector<std::string>;
const std::string kAdd = "ip addr add 192.0.2.10/24 dev eth0";
const std::string kDelete = "ip addr del 192.0.2.10/24 dev eth0";
const Error kClaimed{Errc::kRefused, "192.0.2.10 is still answered by 02:00:00:00:00:02"};

Result<Done> take(FakeHost& host) {
  SystemClock clock;
  return take_vip(kVip, host, clock, deadline_in(0.3));
}

TEST(MoveTest, TakingLooksAddsReadsBackAndAnnounces) {
  FakeHost host;
  host.held = {{"eth0", "192.0.2.11", 24}};
  EXPECT_TRUE(take(host));
  EXPECT_EQ(host.log, (Log{"prepare", kAdd, "announce"}));
  EXPECT_TRUE(find_address(host.held, "192.0.2.10"));
  host.log.clear();
  EXPECT_TRUE(take(host)) << "once more";
  EXPECT_EQ(host.log, (Log{"prepare", "announce"}));
}

TEST(MoveTest, TakingIsRefusedWhileAnotherMachineAnswers) {
  FakeHost host;
  host.prepared = kClaimed;
  EXPECT_EQ(take(host).error().code, Errc::kRefused);
  EXPECT_EQ(host.log, (Log{"prepare"}));
  host.held = {{"eth0", "192.0.2.10", 24}};
  EXPECT_EQ(take(host).error().code, Errc::kRefused) << "also while we hold it";
  EXPECT_EQ(host.held.size(), 1u);
}

TEST(MoveTest, TakingIsRefusedWhileItStandsOnAnotherInterface) {
  FakeHost host;
  host.held = {{"eth1", "192.0.2.10", 24}};
  EXPECT_EQ(take(host).error().text, "192.0.2.10 stands on eth1 instead of eth0");
  EXPECT_EQ(host.log, Log{});
}

TEST(MoveTest, WhatFailsAfterTheAddressWasAddedRemovesIt) {
  FakeHost unannounced;
  unannounced.announced = kClaimed;
  EXPECT_EQ(take(unannounced).error().text, kClaimed.text);
  EXPECT_EQ(unannounced.log, (Log{"prepare", kAdd, "announce", kDelete}));
  EXPECT_TRUE(unannounced.held.empty());

  FakeHost duplicate;
  duplicate.prepared = KernelCheck::kYes;
  duplicate.states = {AddressState::kTentative, AddressState::kDuplicate};
  EXPECT_EQ(take(duplicate).error().code, Errc::kRefused);
  EXPECT_EQ(duplicate.log, (Log{"prepare", kAdd, kDelete}));

  FakeHost stuck;
  stuck.states = {AddressState::kTentative};
  EXPECT_EQ(take(stuck).error().code, Errc::kUnreachable);
  EXPECT_TRUE(stuck.held.empty());

  FakeHost stubborn;
  stubborn.announced = kClaimed;
  stubborn.failing = "del";
  EXPECT_EQ(take(stubborn).error().text,
            kClaimed.text + "; it may be left behind: '" + kDelete + "' exited with 2");
}

TEST(MoveTest, AnAddressInVainIsPutUpAnew) {
  FakeHost host;
  host.held = {{"eth0", "192.0.2.10", 24, AddressState::kDuplicate}};
  EXPECT_TRUE(take(host));
  EXPECT_EQ(host.log, (Log{"prepare", kDelete, kAdd, "announce"}));
}

TEST(MoveTest, ACommandThatFailsOrDoesNothingIsAFailure) {
  FakeHost failing, idle;
  failing.failing = "add";
  idle.obeys = false;
  EXPECT_EQ(take(failing).error().text, "'" + kAdd + "' exited with 2");
  EXPECT_EQ(take(idle).error().text, "192.0.2.10 is not there after it was added");
  idle.held = {{"eth0", "192.0.2.10", 24}};
  EXPECT_EQ(drop_vip(kVip, idle).error().text, "192.0.2.10 is still there after it was removed");
}

TEST(MoveTest, DroppingRemovesItWhereverAndHoweverItStands) {
  FakeHost host;
  host.held = {{"eth0", "192.0.2.11", 24}, {"eth0", "192.0.2.10", 32}, {"eth1", "192.0.2.10", 24}};
  EXPECT_TRUE(drop_vip(kVip, host));
  EXPECT_EQ(host.log,
            (Log{"ip addr del 192.0.2.10/32 dev eth0", "ip addr del 192.0.2.10/24 dev eth1"}));
  EXPECT_EQ(host.held.size(), 1u);
  host.log.clear();
  EXPECT_TRUE(drop_vip(kVip, host)) << "once more";
  EXPECT_EQ(host.log, Log{});
}

// Another machine, by what commands printed there.
class FakeProcess : public Process {
 public:
  explicit FakeProcess(std::vector<std::pair<std::string, ProcessOutcome>> answers)
      : answers_(std::move(answers)) {}
  std::vector<std::string> log;

  Result<ProcessOutcome> run(const Command& command, const Deadline&) override {
    log.push_back(join(command.argv, " "));
    for (const auto& [fragment, outcome] : answers_)
      if (log.back().find(fragment) != std::string::npos) return outcome;
    return ProcessOutcome{};
  }

 private:
  std::vector<std::pair<std::string, ProcessOutcome>> answers_;
};

ProcessOutcome exited(int code, const std::string& output) {
  return {ProcessOutcome::End::kExited, code, output, 0};
}

const ProcessOutcome kLoopback = exited(0, "1: lo    inet 127.0.0.1/8 scope host lo\n");

// 198.51.100.2 belongs to documentation: nobody's address, so another machine's.
Result<Done> take_there(VipOptions vip, FakeProcess& process) {
  vip.remote_command = {"ssh", "{host}"};
  const Deadline deadline = deadline_in(1);
  SystemClock clock;
  return take_vip(vip, *open_vip_host(vip, "198.51.100.2", process, deadline), clock, deadline);
}

TEST(MoveTest, AnotherMachineIsAskedByArping) {
  const struct {
    ProcessOutcome arping;
    Errc want;
    const char* text;
  } cases[] = {
      {exited(1, "Unicast reply from x [..]\nReceived 1 response(s)\n"), Errc::kRefused,
       "192.0.2.10 is still answered by a machine near 198.51.100.2"},
      {exited(0, "ARPING 192.0.2.10\n!!\n"), Errc::kBadData,
       "cannot tell whether 192.0.2.10 is free: arping on 198.51.100.2 is not that of iputils"},
      {exited(127, "Warning: x\nsh: 1: arping: not found\n"), Errc::kInternal,
       "'ssh 198.51.100.2 arping -D -c 2 -w 2 -I eth0 192.0.2.10' exited with 127: sh: 1: arping: "
       "not found"},
      {{ProcessOutcome::End::kTimedOut, 0, "", 1},
       Errc::kUnreachable,
       "'ssh 198.51.100.2 arping -D -c 2 -w 2 -I eth0 192.0.2.10' did not end within 1s"},
  };
  for (const auto& c : cases) {
    FakeProcess process({{"arping", c.arping}, {"show", kLoopback}});
    const auto taken = take_there(kVip, process);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, c.want);
    EXPECT_EQ(taken.error().text, c.text);
    EXPECT_EQ(process.log.size(), 2u) << "nothing was changed";
  }
}

TEST(MoveTest, AnotherMachinesKernelLooksAndAnnouncesForIpv6) {
  FakeProcess process(
      {{"show", exited(0, "2: eth0 inet6 2001:db8::10/64 scope global dadfailed")}});
  const auto taken = take_there({"2001:db8::10", 64, "eth0"}, process);
  ASSERT_FALSE(taken);
  EXPECT_EQ(process.log[1], "ssh 198.51.100.2 sysctl -q -w net/ipv6/conf/eth0/ndisc_notify=1");
}

TEST(MoveTest, SilenceIsNoListOfAddresses) {
  VipOptions vip = kVip;
  vip.remote_command = {"ssh", "{host}"};
  // A command that is not run after all, and a list that was cut off.
  for (const std::string& output : {std::string(), std::string("Welcome!\n"),
                                    kLoopback.output + std::string(kMaxProcessOutput, 'x')}) {
    FakeProcess process({{"show", exited(0, output.substr(0, kMaxProcessOutput))}});
    const auto dropped =
        drop_vip(vip, *open_vip_host(vip, "198.51.100.2", process, deadline_in(1)));
    ASSERT_FALSE(dropped) << output.substr(0, 80);
    EXPECT_EQ(dropped.error().code, Errc::kBadData);
  }
}

TEST(MoveTest, AMachineThatIsNotReachedIsNotChanged) {
  FakeProcess process({{"show", exited(255, "ssh: connect to host: No route to host\n")}});
  EXPECT_EQ(take_there(kVip, process).error().text,
            "'ssh 198.51.100.2 ip -o addr show' exited with 255: ssh: connect to host: No route to "
            "host");
  EXPECT_EQ(process.log.size(), 1u);
}

}  // namespace
}  // namespace ha
