// SPDX-License-Identifier: MIT
#include "common/mount/nfs_stats.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

constexpr char kText[] =
    "device proc mounted on /proc with fstype proc\n"
    "device nas:/export mounted on /srv/my\\040share with fstype nfs4 statvers=1.1\n"
    "\topts:\trw,vers=4.2,rsize=1048576,hard,proto=tcp,timeo=600,retrans=2\n"
    "\tage:\t7200\n"
    "\tcaps:\tcaps=0xfffbc0b7,wtmult=512,dtsize=1048576,bsize=0,namlen=255\n"
    "\tsec:\tflavor=1,pseudoflavor=1\n"
    "\tevents:\t1 2 3 4\n"
    "\tbytes:\t0 0 0 0 0 0 0 0 \n"
    "\tRPC iostats version: 1.1  p/v: 100003/4 (nfs)\n"
    "\txprt:\ttcp 0 0 2 0 38 180 178 0 180 0 2 0 0\n"
    "\txprt:\ttcp 0 0 2 0 38 20 19 0 180 0 2 0 0\n"
    "\tper-op statistics\n"
    "\t        NULL: 1 1 0 44 24 0 0 0 0\n"
    "\t        READ: 99 102 4 44 24 0 150 0 0\n"
    "device tmpfs mounted on /run with fstype tmpfs\n"
    "device old:/x mounted on /x with fstype nfs statvers=1.1\n"
    "\txprt:\tudp 0 0 10 7 0 0 0\n"
    "\tper-op statistics\n";

TEST(NfsStatsTest, ReadsEveryNfsMount) {
  const auto all = parse_mountstats(kText);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].point, "/srv/my share");
  EXPECT_EQ(all[0].age_s, 7200u);
  EXPECT_EQ(all[0].operations, 100u);
  EXPECT_EQ(all[0].retransmissions, 3u);
  EXPECT_EQ(all[0].timeouts, 4u);
  EXPECT_EQ(all[0].round_trip_ms, 150u);
  EXPECT_EQ(all[0].unanswered, 3u);
  EXPECT_EQ(all[1].point, "/x");
  EXPECT_EQ(all[1].unanswered, 3u);
}

TEST(NfsStatsTest, ALineForPeople) {
  EXPECT_EQ(
      describe(parse_mountstats(kText).at(0)),
      "/srv/my share: NFS in 2h 00m: 100 operations of 1.5ms each, 3 sent again, 4 timed out, "
      "3 requests without an answer");
  EXPECT_NE(describe(NfsStats{"/x"}).find("0 operations of 0.0ms"), std::string::npos);
}

TEST(NfsStatsTest, TornTextIsNoHarm) {
  const std::string text = kText;
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_LE(parse_mountstats(text.substr(0, size)).size(), 2u);
  EXPECT_EQ(parse_mountstats("READ: 1 2\nage: 3\n").size(), 0u);
}

TEST(NfsStatsTest, NumbersThatNoCounterHoldsAreNoHarm) {
  const std::string line =
      "READ: -5 9000000000000000000 9000000000000000000 0 0 0 "
      "9000000000000000000\n";
  const auto all = parse_mountstats(
      "device a:/x mounted on /x with fstype nfs\nper-op statistics\n" + line + line);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].operations, 0u);
  EXPECT_EQ(all[0].timeouts, 18000000000000000000u);
}

}  // namespace
}  // namespace ha
