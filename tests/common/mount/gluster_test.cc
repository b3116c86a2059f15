// SPDX-License-Identifier: MIT
#include "common/mount/gluster.h"

#include <gtest/gtest.h>

#include "tests/common/mount/gluster_samples.h"

namespace ha {
namespace {

const std::string kFirst = "gluster1:/var/bricks/shared", kSecond = "gluster2:/var/bricks/shared";

// What the two servers of a replicated volume tell in good health, or in the answers named.
GlusterFacts told(const std::string& info = "info.xml", const std::string& status = "status.xml",
                  const std::string& peers = "peers.xml", const std::string& heal = "heal.xml") {
  return {"shared", parse_volume_info(gluster_sample(info)),
          parse_volume_status(gluster_sample(status)), parse_peer_status(gluster_sample(peers)),
          parse_heal_summary(gluster_sample(heal))};
}

// A volume of three bricks a, b and c.
GlusterFacts three(const GlusterVolume& kind, const BrickStates& bricks) {
  GlusterFacts facts = told();
  *facts.info = kind;
  facts.info->state = "Started";
  facts.info->bricks = {"a:/", "b:/", "c:/"};
  facts.bricks = bricks;
  return facts;
}

double metric(const Item& item, const std::string& label) {
  for (const Metric& each : item.metrics)
    if (each.label == label) return each.value.value_or(-1);
  return -2;
}

TEST(GlusterTest, AHealthyVolume) {
  const Item item = judge_gluster(told(), {});
  EXPECT_EQ(item.name, "shared");
  EXPECT_EQ(item.state, State::kOk);
  EXPECT_EQ(item.text, "volume shared: 2 of 2 bricks online; nothing to heal");
  EXPECT_EQ(metric(item, "bricks_online"), 2);
  EXPECT_EQ(metric(item, "bricks_total"), 2);
  EXPECT_EQ(metric(item, "peers_connected"), 1);
  EXPECT_EQ(metric(item, "heal_entries"), 0);
}

TEST(GlusterTest, WhatIsWrongIsSaid) {
  const struct {
    GlusterFacts facts;
    State want;
    const char* text;
  } cases[] = {
      {told("info.xml", "status-brick-down.xml", "peers.xml", "heal-backlog.xml"), State::kWarning,
       "1 of 2 bricks online, offline: gluster2:/var/bricks/shared; 6 entries to heal"},
      {told("info.xml", "status-peer-down.xml", "peers-down.xml"), State::kWarning,
       "1 of 2 bricks online, offline: gluster2:/var/bricks/shared (no answer); "
       "peer gluster2 is disconnected; nothing to heal"},
      {told("info.xml", "status.xml", "peers.xml", "heal-split.xml"), State::kCritical,
       "2 of 2 bricks online; 1 entry in split brain; 1 entry to heal"},
      {told("info-stopped.xml", "status-stopped.xml", "peers.xml", "heal-stopped.xml"),
       State::kCritical, "is stopped"},
      {told("info-nosuch.xml", "status-stopped.xml"), State::kCritical,
       "gluster says: Volume does not exist"},
      {told("info.xml", "status-busy.xml"), State::kCritical,
       "it is not known whether its bricks are online: gluster says: Another transaction is in "
       "progress "
       "for shared. Please try again after some time; nothing to heal"},
      {told("glusterd-down.txt", "glusterd-down.txt", "glusterd-down.txt", "glusterd-down.txt"),
       State::kCritical,
       "glusterd does not answer: Connection failed. Please check if gluster daemon is "
       "operational"},
      {told("info-fixed.xml", "status-brick-down.xml"), State::kCritical,
       "no write quorum, 1 of 2 bricks online, offline: gluster2:/var/bricks/shared; "
       "nothing to heal"},
  };
  for (const auto& c : cases) {
    const Item item = judge_gluster(c.facts, {});
    EXPECT_EQ(item.text, std::string("volume shared: ") + c.text);
    EXPECT_EQ(item.state, c.want) << item.text;
  }
}

TEST(GlusterTest, TheQuorumOfASetDecides) {
  GlusterVolume replica, ec, plain;
  replica.replicas = 3;
  ec.disperse = 3;
  ec.redundancy = 1;
  GlusterVolume none = replica, fixed = replica;
  none.quorum_type = "none";
  fixed.quorum_type = "fixed";
  fixed.quorum_count = 3;
  const BrickStates two = {{"a:/", true}, {"b:/", true}}, one = {{"a:/", true}, {"b:/", false}};
  const struct {
    GlusterVolume kind;
    BrickStates bricks;
    State want;
    const char* text;  // how it begins
  } cases[] = {
      {replica, two, State::kWarning, "2 of 3 bricks online, offline: c:/ (no answer)"},
      {replica, one, State::kCritical, "no write quorum, 1 of 3"},
      {replica, {}, State::kCritical, "0 of 3 bricks online"},
      {none, one, State::kWarning, "1 of 3 bricks online"},
      {fixed, two, State::kCritical, "no write quorum, 2 of 3"},
      {ec, two, State::kWarning, "2 of 3 bricks online"},
      {ec, one, State::kCritical, "some files are unavailable, 1 of 3"},
      {plain, two, State::kCritical, "some files are unavailable, 2 of 3"},
  };
  for (const auto& c : cases) {
    const Item item = judge_gluster(three(c.kind, c.bricks), {});
    EXPECT_EQ(item.state, c.want) << item.text;
    EXPECT_TRUE(item.text.starts_with(std::string("volume shared: ") + c.text)) << item.text;
    EXPECT_EQ(metric(item, "bricks_total"), 3);
  }
}

TEST(GlusterTest, TheFirstBrickBreaksTheTieOfTwo) {
  GlusterFacts facts = told();
  facts.info->quorum_type = "auto";
  facts.bricks = BrickStates{{kFirst, true}, {kSecond, false}};
  EXPECT_EQ(judge_gluster(facts, {}).state, State::kWarning);
  facts.bricks = BrickStates{{kFirst, false}, {kSecond, true}};
  EXPECT_EQ(judge_gluster(facts, {}).state, State::kCritical);
}

TEST(GlusterTest, OneSetInTroubleIsEnough) {
  GlusterFacts facts = told("info-distributed-replicate.xml");
  const std::vector<std::string>& bricks = facts.info->bricks;
  // One brick of each set: reduced.
  facts.bricks = BrickStates{{bricks[0], true}, {bricks[3], true}};
  EXPECT_EQ(judge_gluster(facts, {}).state, State::kWarning);
  // Both of one set: its files are gone.
  facts.bricks = BrickStates{{bricks[0], true}, {bricks[1], true}};
  const Item item = judge_gluster(facts, {});
  EXPECT_EQ(item.state, State::kCritical);
  EXPECT_EQ(metric(item, "bricks_online"), 2);
}

TEST(GlusterTest, ARejectedPeerIsNoPeer) {
  GlusterFacts facts = told();
  facts.peers = std::vector<GlusterPeer>{{"gluster2", true, false, "Peer Rejected"}};
  const Item item = judge_gluster(facts, {});
  EXPECT_EQ(item.state, State::kWarning);
  EXPECT_NE(item.text.find("peer gluster2: Peer Rejected"), std::string::npos) << item.text;
}

TEST(GlusterTest, TheBacklogIsJudgedWhenWanted) {
  GlusterFacts facts = told();
  facts.heal = HealState{{kFirst, {6, 0}}, {kSecond, {4, 0}}};
  const Item counted = judge_gluster(facts, {});
  EXPECT_EQ(counted.state, State::kOk);
  EXPECT_EQ(metric(counted, "heal_entries"), 6);
  EXPECT_EQ(judge_gluster(facts, {{Range{0, 0}, Range{0, 6}}}).state, State::kWarning);
  EXPECT_EQ(judge_gluster(facts, {{Range{0, 0}, Range{0, 5}}}).state, State::kCritical);

  facts.heal = Error{Errc::kTimedOut, "it did not end within 9s"};
  EXPECT_EQ(judge_gluster(facts, {}).state, State::kOk);
  const Item item = judge_gluster(facts, {{Range{0, 0}}});
  EXPECT_EQ(item.state, State::kUnknown);
  EXPECT_EQ(item.text,
            "volume shared: 2 of 2 bricks online; the entries to heal are unknown: it did not end "
            "within 9s");
  EXPECT_EQ(metric(item, "heal_entries"), -1);

  facts.heal = HealState();
  EXPECT_EQ(judge_gluster(facts, {{Range{0, 0}}}).state, State::kUnknown);
}

TEST(GlusterTest, ACommandThatHangsHasItsOwnState) {
  GlusterFacts facts = told();
  facts.bricks = Error{Errc::kTimedOut, "it did not end within 9s"};
  EXPECT_EQ(judge_gluster(facts, {}).state, State::kCritical);
  EXPECT_EQ(judge_gluster(facts, {{}, State::kWarning}).state, State::kWarning);
}

TEST(GlusterTest, WithoutCopiesThereIsNothingToHeal) {
  const Item item =
      judge_gluster(told("info-distribute.xml", "status.xml", "peers.xml", "heal-distribute.xml"),
                    {{Range{0, 0}}});
  EXPECT_EQ(item.text.find("heal"), std::string::npos) << item.text;
  EXPECT_EQ(metric(item, "heal_entries"), -1);
}

}  // namespace
}  // namespace ha
