// SPDX-License-Identifier: MIT
#include "plugins/check_share_mount.h"

#include <gtest/gtest.h>

#include "common/report.h"
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

TEST(CheckShareMountTest, GathersWhatIsThere) {
  const TempDirectory directory;
  ShareMountOptions options;
  options.mounts = {{directory.path("none")}, {"/proc"}};
  options.state_directory = directory.path("state");
  const auto facts = gather(options, Deadline::after(10));
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
  const auto facts = gather(options, Deadline::after(10));
  ASSERT_TRUE(facts);
  ASSERT_EQ(facts->notes.size(), 1u);
  EXPECT_TRUE(facts->notes[0].starts_with("--state-dir /proc/none is not used: "));
  EXPECT_EQ(facts->shares[0].answer->end, ProbeAnswer::End::kAnswered);
}

TEST(CheckShareMountTest, NothingToCheckIsAnError) {
  EXPECT_FALSE(gather({}, Deadline::after(10)));
}

}  // namespace
}  // namespace ha
