// SPDX-License-Identifier: MIT
#include "plugins/check_share_mount.h"

#include <gtest/gtest.h>

#include "common/report.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

ShareFacts answered(const std::string& path, double used_percent = 41.25) {
  ShareFacts facts{{path}, {Mount{36, 27, "/", path, "nfs4", "nas:" + path}, path}};
  TouchRecord record;
  record.finished = record.has_owner = record.has_usage = true;
  record.used_percent = used_percent;
  record.seconds = 0.003;
  facts.answer = ProbeAnswer{ProbeAnswer::End::kAnswered, record};
  return facts;
}

ShareFacts hung(const std::string& path) {
  ShareFacts facts = answered(path);
  facts.answer = ProbeAnswer{ProbeAnswer::End::kHangs, {}, 9.8};
  return facts;
}

std::string line(const ShareMountFacts& facts, const ShareLimits& limits = {}) {
  return render({"share_mount"}, evaluate(facts, limits)).output;
}

TEST(CheckShareMountTest, TheWholeLine) {
  ShareLimits limits;
  limits.latency = {Range{0, 1}, Range{0, 5}};
  limits.usage = {Range{0, 80}, Range{0, 90}};
  EXPECT_EQ(line({{answered("/srv/a")}}, limits),
            "SHARE MOUNT OK - /srv/a (nas:/srv/a, nfs4): answers, 41% used | "
            "'/srv/a_latency'=0.003s;1;5;0 '/srv/a_used'=41.25%;80;90;0;100\n");
}

TEST(CheckShareMountTest, SeveralWithTheWorstFirst) {
  EXPECT_EQ(line({{answered("/srv/a"), answered("/srv/b")}}),
            "SHARE MOUNT OK - 2 directories answer | '/srv/a_latency'=0.003s;;;0 "
            "'/srv/a_used'=41.25%;;;0;100 '/srv/b_latency'=0.003s;;;0 "
            "'/srv/b_used'=41.25%;;;0;100\n"
            "[OK] /srv/a (nas:/srv/a, nfs4): answers, 41% used\n"
            "[OK] /srv/b (nas:/srv/b, nfs4): answers, 41% used\n");
  const std::string text = line({{answered("/srv/a"), hung("/srv/b")}});
  EXPECT_TRUE(
      text.starts_with("SHARE MOUNT CRITICAL - /srv/b (nas:/srv/b, nfs4): hangs: no answer "
                       "within 9.8s | "))
      << text;
  EXPECT_NE(text.find("'/srv/b_latency'=U;;;0 '/srv/b_used'=U"), std::string::npos);
  EXPECT_LT(text.find("[CRITICAL] /srv/b"), text.find("[OK] /srv/a"));
}

TEST(CheckShareMountTest, MountsOfASandboxAreToldToBeItsOwn) {
  ShareMountFacts facts{{answered("/srv/a")}};
  EXPECT_EQ(evaluate(facts, {}).text.find("mounts of its own"), std::string::npos);
  facts.own_namespace = true;
  EXPECT_EQ(evaluate(facts, {}).state, State::kOk);
  EXPECT_EQ(evaluate(facts, {}).text,
            "/srv/a (nas:/srv/a, nfs4): answers, 41% used; this process sees mounts of its own and "
            "not the machine's, so both may differ (of a systemd unit: PrivateTmp, ProtectSystem "
            "and the like)");
  // It sees what is mounted outside, as systemd has it: then only a finding may be its own.
  facts.shares[0].location.mount->follows = true;
  EXPECT_EQ(evaluate(facts, {}).text, "/srv/a (nas:/srv/a, nfs4): answers, 41% used");
  ASSERT_EQ(evaluate(facts, {}).notes.size(), 1u);
  facts.shares[0].location.mount->read_only = true;
  EXPECT_NE(evaluate(facts, {}).text.find("mounts of its own"), std::string::npos);
}

TEST(CheckShareMountTest, PandorasRulesAreFindingsOfTheWhole) {
  ShareMountFacts facts{{answered("/spool/data_in/conf")}};
  facts.pandora = PandoraSpool{"/spool/data_in", facts.shares[0].location};
  facts.pandora->location.path = facts.pandora->location.mount->point = "/spool/data_in";
  const CheckResult result = evaluate(facts, {});
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_TRUE(result.text.starts_with("/spool/data_in itself is shared")) << result.text;
  EXPECT_EQ(result.items.size(), 1u);
  facts.pandora->location.mount->type = "ext4";
  EXPECT_EQ(evaluate(facts, {}).state, State::kOk);
}

TEST(CheckShareMountTest, VolumesStandBesideTheDirectories) {
  GlusterFacts volume{"shared", GlusterVolume{"Started", "Replicate", {"a:/b", "c:/d"}, 2},
                      BrickStates{{"a:/b", true}, {"c:/d", true}}, std::vector<GlusterPeer>(),
                      HealState{{"a:/b", {2, 0}}}};
  ShareMountFacts facts{{answered("/srv/a")}};
  facts.volumes = {volume};
  EXPECT_EQ(render({"share_mount"}, evaluate(facts, {}, {{Range{0, 5}}})).output,
            "SHARE MOUNT OK - /srv/a (nas:/srv/a, nfs4): answers, 41% used; volume shared: 2 of 2 "
            "bricks online; 2 entries to heal | '/srv/a_latency'=0.003s;;;0 "
            "'/srv/a_used'=41.25%;;;0;100 'shared_bricks_online'=2;;;0;2 "
            "'shared_bricks_total'=2;;;0 'shared_peers_connected'=0;;;0;0 "
            "'shared_heal_entries'=2;5;;0\n"
            "[OK] /srv/a (nas:/srv/a, nfs4): answers, 41% used\n"
            "[OK] volume shared: 2 of 2 bricks online; 2 entries to heal\n");
  facts.shares.clear();
  facts.volumes[0].bricks->at("c:/d") = false;
  EXPECT_TRUE(line(facts).starts_with(
      "SHARE MOUNT WARNING - volume shared: 1 of 2 bricks online, offline: c:/d; 2 entries to heal "
      "| 'shared_bricks_online'=1;;;0;2 "))
      << line(facts);
}

TEST(CheckShareMountTest, GathersWhatIsThere) {
  const TempDirectory directory;
  ShareMountOptions options;
  options.mounts = {{directory.path("none")}, {"/proc"}};
  options.state_directory = directory.path("state");
  const auto facts = gather(options, deadline_in(10));
  ASSERT_TRUE(facts);
  ASSERT_EQ(facts->shares.size(), 2u);
  EXPECT_FALSE(facts->shares[0].location.mounted());
  EXPECT_EQ(facts->shares[0].answer->record.error, ENOENT);
  EXPECT_EQ(facts->shares[1].location.mount->type, "proc");
  EXPECT_EQ(facts->shares[1].answer->record.error, 0);
  EXPECT_TRUE(facts->notes.empty());
}

TEST(CheckShareMountTest, AStateDirectoryThatCannotBeUsedIsANote) {
  const TempDirectory directory;
  ShareMountOptions options;
  options.mounts = {{"/proc"}};
  options.state_directory = "/proc/none";
  const auto facts = gather(options, deadline_in(10));
  ASSERT_TRUE(facts);
  ASSERT_EQ(facts->notes.size(), 1u);
  EXPECT_TRUE(facts->notes[0].starts_with("--state-dir /proc/none is not used: "));
  EXPECT_EQ(facts->shares[0].answer->end, ProbeAnswer::End::kAnswered);
}

TEST(CheckShareMountTest, NothingToCheckIsAnError) {
  EXPECT_FALSE(gather({}, deadline_in(10)));
  ShareMountOptions options;
  options.gluster.volumes = {"nosuch"};
  options.state_directory = "/proc/none";
  const auto facts = gather(options, deadline_in(10));
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->volumes.at(0).info);
  EXPECT_TRUE(facts->notes.empty()) << "without a mount nothing is remembered";
}

}  // namespace
}  // namespace ha
