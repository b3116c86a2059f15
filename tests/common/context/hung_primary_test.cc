// SPDX-License-Identifier: MIT
#include "common/context/hung_primary.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/posix_files.h"
#include "tests/fakes/temp_directory.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

Moment at(double uptime_s, const char* boot = "a") { return {1000 + uptime_s, uptime_s, boot}; }

// A replica of db1 that has received so much.
Node received(int number, std::uint64_t offset, int source = 1) {
  Node node = replica(number, source);
  node.facts->channels->front().read = {"binlog.1", offset};
  return node;
}

Topology hanging(Node second, Node third) {
  return linked({lost(1, Reach::kHung), std::move(second), std::move(third)});
}

double seconds_after(const Topology& first, const Topology& next, const Moment& when = at(100)) {
  return observe_hung(observe_hung(std::nullopt, "db1", first, at(10)), "db1", next, when)
      .seconds();
}

TEST(HungPrimary, GoesOnForAsLongAsNothingIsReceived) {
  const Topology before = hanging(received(2, 4), received(3, 4));
  struct {
    const char* name;
    Topology next;
    Moment when;
    double want;
  } const cases[] = {
      {"nothing was received", before, at(100), 90},
      {"an event was", hanging(received(2, 5), received(3, 4)), at(100), 0},
      {"a node that cannot be read tells nothing",
       hanging(received(2, 4), lost(3, Reach::kUnreadable)), at(100), 90},
      {"nor does what comes from others", hanging(received(2, 4), received(3, 9, 2)), at(100), 90},
      {"the looks are too far apart", before, at(611), 0},
      {"the machine was restarted", before, at(100, "b"), 0},
      {"the clock of the wall was set", before, {5, 100, "a"}, 90},
  };
  for (const auto& c : cases) EXPECT_EQ(seconds_after(before, c.next, c.when), c.want) << c.name;
}

TEST(HungPrimary, WhatANodeHadReceivedIsRememberedWhileItCannotBeRead) {
  const Topology all = hanging(received(2, 4), received(3, 4));
  const Topology one = hanging(received(2, 4), lost(3));
  const auto two_looks = [&](const Topology& last) {
    const auto first = observe_hung(std::nullopt, "db1", all, at(10));
    return observe_hung(observe_hung(first, "db1", one, at(20)), "db1", last, at(30)).seconds();
  };
  EXPECT_EQ(two_looks(all), 20);
  EXPECT_EQ(two_looks(hanging(received(2, 4), received(3, 5))), 0);
}

TEST(HungPrimary, ANodeThatWasNeverReadBeginsTheTimeAnew) {
  EXPECT_EQ(
      seconds_after(hanging(received(2, 4), lost(3)), hanging(received(2, 4), received(3, 4))), 0);
}

TEST(HungPrimary, AnotherPrimaryBeginsTheTimeAnew) {
  const Topology topology = hanging(received(2, 4), received(3, 4));
  const auto first = observe_hung(std::nullopt, "db1", topology, at(10));
  EXPECT_EQ(observe_hung(first, "db2", topology, at(20)).seconds(), 0);
}

TEST(HungPrimary, IsKeptForTheNextRun) {
  const TempDirectory directory;
  PosixFiles files;
  const Topology topology = hanging(received(2, 4), received(3, 4));
  const std::string path = directory.path("hung-primary.json");
  ASSERT_TRUE(
      write_hung(files, directory.path(""), observe_hung(std::nullopt, "db1", topology, at(10))));
  struct stat file = {};
  ASSERT_EQ(stat(path.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777u, 0600u);
  const auto read = read_hung(files, directory.path(""));
  ASSERT_TRUE(read);
  EXPECT_EQ(observe_hung(read, "db1", topology, at(40)).seconds(), 30);
  EXPECT_TRUE(forget_hung(files, directory.path("")));
  EXPECT_TRUE(forget_hung(files, directory.path("")));
  EXPECT_FALSE(read_hung(files, directory.path("")));
}

TEST(HungPrimary, WithoutABootNothingIsTakenFromAnEarlierRun) {
  const TempDirectory directory;
  PosixFiles files;
  const Topology topology = hanging(received(2, 4), received(3, 4));
  ASSERT_TRUE(write_hung(files, directory.path(""),
                         observe_hung(std::nullopt, "db1", topology, at(10, ""))));
  EXPECT_FALSE(read_hung(files, directory.path("")));
}

TEST(HungPrimary, ADamagedFileTellsNothing) {
  for (const char* content :
       {"", "{", "[]", "null", R"({"format":"monitoring-plugins-ha hung primary 1"})",
        R"({"format":"monitoring-plugins-ha hung primary 1","name":7})"})
    EXPECT_FALSE(parse_hung(content)) << content;
}

}  // namespace
}  // namespace ha
