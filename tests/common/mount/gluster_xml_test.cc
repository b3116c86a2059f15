// SPDX-License-Identifier: MIT
#include "common/mount/gluster_xml.h"

#include <gtest/gtest.h>

#include "tests/common/mount/gluster_samples.h"

namespace ha {
namespace {

using Bricks = std::vector<std::string>;

// The whole answer around what stands below <cliOutput>.
std::string answer(const std::string& content) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\" "
         "standalone=\"yes\"?>\n<cliOutput><opRet>0</opRet>"
         "<opErrno>0</opErrno><opErrstr/>" +
         content + "</cliOutput>\n";
}

TEST(GlusterXmlTest, AReplicatedVolume) {
  const auto info = parse_volume_info(gluster_sample("info.xml"));
  ASSERT_TRUE(info) << info.error().text;
  EXPECT_EQ(info->state, "Started");
  EXPECT_EQ(info->type, "Replicate");
  EXPECT_EQ(info->bricks, (Bricks{"gluster1:/var/bricks/shared", "gluster2:/var/bricks/shared"}));
  EXPECT_EQ(info->set_size(), 2u);
  EXPECT_EQ(info->quorum_type, "");
}

TEST(GlusterXmlTest, TheOtherKindsOfVolumes) {
  const struct {
    const char* sample;
    const char* type;
    std::size_t bricks, set_size, redundancy;
  } cases[] = {
      {"info-arbiter.xml", "Replicate", 3, 3, 0},
      {"info-distributed-replicate.xml", "Distributed-Replicate", 4, 2, 0},
      {"info-disperse.xml", "Disperse", 3, 3, 1},
      {"info-distribute.xml", "Distribute", 2, 1, 0},
  };
  for (const auto& c : cases) {
    const auto info = parse_volume_info(gluster_sample(c.sample));
    ASSERT_TRUE(info) << info.error().text;
    EXPECT_EQ(info->type, c.type);
    EXPECT_EQ(info->bricks.size(), c.bricks);
    EXPECT_EQ(info->set_size(), c.set_size);
    EXPECT_EQ(info->redundancy, c.redundancy);
  }
}

TEST(GlusterXmlTest, TheQuorumThatWasSet) {
  const auto info = parse_volume_info(gluster_sample("info-fixed.xml"));
  ASSERT_TRUE(info) << info.error().text;
  EXPECT_EQ(info->quorum_type, "fixed");
  EXPECT_EQ(info->quorum_count, 2u);
}

TEST(GlusterXmlTest, BricksAreToldFromDaemons) {
  const auto bricks = parse_volume_status(gluster_sample("status-brick-down.xml"));
  ASSERT_TRUE(bricks) << bricks.error().text;
  EXPECT_EQ(*bricks, (BrickStates{{"gluster1:/var/bricks/shared", true},
                                  {"gluster2:/var/bricks/shared", false}}));
}

TEST(GlusterXmlTest, ThePeersBricksAreMissingWithThePeer) {
  const auto bricks = parse_volume_status(gluster_sample("status-peer-down.xml"));
  ASSERT_TRUE(bricks) << bricks.error().text;
  EXPECT_EQ(*bricks, (BrickStates{{"gluster1:/var/bricks/shared", true}}));

  const auto peers = parse_peer_status(gluster_sample("peers-down.xml"));
  ASSERT_TRUE(peers) << peers.error().text;
  ASSERT_EQ(peers->size(), 1u);
  EXPECT_EQ(peers->front().host, "gluster2");
  EXPECT_FALSE(peers->front().connected);
  EXPECT_TRUE(peers->front().in_cluster);
  EXPECT_EQ(peers->front().state, "Peer in Cluster");
}

TEST(GlusterXmlTest, ABrickThatIsDownHasNoCounts) {
  const auto heal = parse_heal_summary(gluster_sample("heal-backlog.xml"));
  ASSERT_TRUE(heal) << heal.error().text;
  ASSERT_EQ(heal->size(), 1u);
  EXPECT_EQ(heal->at("gluster1:/var/bricks/shared").entries, 6);
  EXPECT_EQ(heal->at("gluster1:/var/bricks/shared").split_brain, 0);
  // So newer versions print it.
  const auto dashes = parse_heal_summary(answer(
      "<healInfo><bricks><brick hostUuid=\"-\"><name>a:/b</name><status>Transport endpoint is not "
      "connected</status><totalNumberOfEntries>-</totalNumberOfEntries><numberOfEntriesInSplitBrain"
      ">-</numberOfEntriesInSplitBrain></brick></bricks></healInfo>"));
  ASSERT_TRUE(dashes) << dashes.error().text;
  EXPECT_TRUE(dashes->empty());
}

TEST(GlusterXmlTest, SplitBrain) {
  const auto heal = parse_heal_summary(gluster_sample("heal-split.xml"));
  ASSERT_TRUE(heal) << heal.error().text;
  ASSERT_EQ(heal->size(), 2u);
  for (const auto& [brick, counts] : *heal) {
    EXPECT_EQ(counts.entries, 1) << brick;
    EXPECT_EQ(counts.split_brain, 1) << brick;
  }
}

TEST(GlusterXmlTest, TheFormatOf33) {
  const auto info = parse_volume_info(answer(
      "<volInfo><volumes><volume><name>v</name><status>1</status><statusStr>Started</statusStr>"
      "<brickCount>2</brickCount><distCount>2</distCount><stripeCount>1</"
      "stripeCount><replicaCount>2"
      "</replicaCount><type>2</type><typeStr>Replicate</typeStr><bricks><brick>a:/b</"
      "brick><brick>\n"
      "c:/d </brick></bricks></volume></volumes></volInfo>"));
  ASSERT_TRUE(info) << info.error().text;
  EXPECT_EQ(info->bricks, (Bricks{"a:/b", "c:/d"}));
  const auto bricks = parse_volume_status(
      answer("<volStatus><volName>v</volName><nodeCount>1</nodeCount><node><hostname>a</hostname>"
             "<path>/b</path><status>1</status></node></volStatus>"));
  ASSERT_TRUE(bricks) << bricks.error().text;
  EXPECT_EQ(*bricks, (BrickStates{{"a:/b", true}}));
}

TEST(GlusterXmlTest, AFailureIsTakenFromTheAnswer) {
  const auto info = parse_volume_info(gluster_sample("info-nosuch.xml"));
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, Errc::kRefused);
  EXPECT_EQ(info.error().text, "gluster says: Volume does not exist");
  const auto heal = parse_heal_summary(gluster_sample("heal-distribute.xml"));
  ASSERT_FALSE(heal);
  EXPECT_EQ(heal.error().code, Errc::kRefused);

  const auto silent =
      parse_peer_status("<cliOutput><opRet>-1</opRet><opErrno>7</opErrno></cliOutput>");
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().text, "gluster failed with error 7");
}

TEST(GlusterXmlTest, OnlyATransactionInProgressPasses) {
  EXPECT_TRUE(is_busy(gluster_sample("status-busy.xml")));
  EXPECT_TRUE(is_busy(gluster_sample("status-locked.xml")));
  for (const char* other : {"status.xml", "status-stopped.xml", "glusterd-down.txt"})
    EXPECT_FALSE(is_busy(gluster_sample(other))) << other;
  EXPECT_FALSE(is_busy(""));
}

TEST(GlusterXmlTest, WithoutGlusterdThereIsNoXml) {
  const auto down = parse_peer_status(gluster_sample("glusterd-down.txt"));
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error().code, Errc::kUnreachable);
  EXPECT_EQ(down.error().text,
            "glusterd does not answer: Connection failed. Please check if gluster daemon is "
            "operational");
  EXPECT_EQ(parse_peer_status("Error : Request timed out\n").error().code, Errc::kUnreachable);
  const auto other = parse_peer_status("unrecognized option --xml\n");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::kBadData);
  EXPECT_EQ(other.error().text, "gluster's answer is no XML: 'unrecognized option --xml'");
  EXPECT_EQ(parse_peer_status("").error().code, Errc::kBadData);
}

TEST(GlusterXmlTest, WarningsBeforeTheAnswerDoNotMatter) {
  EXPECT_TRUE(parse_volume_info("W: something\n" + gluster_sample("info.xml")));
}

TEST(GlusterXmlTest, AnAnswerCutAnywhereIsAnError) {
  const std::string whole = gluster_sample("info.xml");
  for (std::size_t size = 0; size < whole.rfind("</cliOutput>") + 12; ++size)
    EXPECT_FALSE(parse_volume_info(whole.substr(0, size))) << size;
}

TEST(GlusterXmlTest, WhatIsNoNumberIsNamed) {
  const struct {
    const char *from, *to, *want;
  } cases[] = {
      {"<opRet>0", "<opRet>x", "opRet is 'x'"},
      {"statusStr>Started</statusStr>", "x/>", "statusStr is ''"},
      {"<brickCount>2", "<brickCount>3", "brickCount is '3'"},
      {"<brickCount>2", "<brickCount>two", "brickCount is 'two'"},
      {"<brickCount>2", "<brickCount>99999999999999999999", "brickCount is '99999999999999999999'"},
      {"<replicaCount>2", "<replicaCount>-2", "replicaCount is '-2'"},
      {"<replicaCount>2", "<replicaCount>0", "the number of copies is '0'"},
      {"<replicaCount>2", "<replicaCount>3", "the number of copies is '3'"},
      {"<redundancyCount>0", "<redundancyCount>2", "the number of copies is '2'"},
  };
  for (const auto& c : cases) {
    std::string text = gluster_sample("info.xml");
    text.replace(text.find(c.from), std::string(c.from).size(), c.to);
    const auto info = parse_volume_info(text);
    ASSERT_FALSE(info) << c.to;
    EXPECT_EQ(info.error().code, Errc::kBadData);
    EXPECT_EQ(info.error().text, std::string("gluster's answer is not understood: ") + c.want);
  }
  EXPECT_FALSE(parse_volume_status(answer("<volStatus/>")));
  EXPECT_FALSE(parse_volume_status(
      answer("<volStatus><volName>v</volName><node><hostname>a</hostname><path>/b</path><status>2"
             "</status></node></volStatus>")));
  EXPECT_FALSE(parse_peer_status(answer("<peerStatus><peer/></peerStatus>")));
  EXPECT_FALSE(parse_heal_summary(
      answer("<healInfo><bricks><brick><name>a:/b</name><status>Connected</status></brick></bricks>"
             "</healInfo>")));
}

TEST(GlusterXmlTest, HostileDocumentsEnd) {
  std::string deep = "<cliOutput><opRet>0</opRet>";
  for (int i = 0; i < 20000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_peer_status(deep));
  for (int i = 0; i < 20000; ++i) deep += "</a>";
  EXPECT_TRUE(parse_peer_status(deep + "</cliOutput>"));
  // Entities are not expanded.
  const auto bomb = parse_peer_status(
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]><cliOutput><opRet>1</opRet><opErrstr>&a;&a;"
      "</opErrstr></cliOutput>");
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().text, "gluster says: &a;&a;");
}

}  // namespace
}  // namespace ha
