// SPDX-License-Identifier: MIT
#include "common/mount/gluster_query.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "tests/common/mount/gluster_samples.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

TEST(GlusterOptionsTest, TheBacklogIsJudgedWhenThatIsAskedFor) {
  EXPECT_FALSE(GlusterOptions{}.judged().warning);
  const GlusterOptions plain{{}, true};
  EXPECT_EQ(plain.judged().warning, (Range{0, 0}));
  const GlusterOptions limited{{}, true, {{}, Range{0, 9}}};
  EXPECT_FALSE(limited.judged().warning);
  EXPECT_EQ(limited.judged().critical, (Range{0, 9}));
}

// Puts a shell script in the place of the gluster command.
class GlusterQueryTest : public testing::Test {
 protected:
  void SetUp() override { setenv("PATH", (directory_.path("") + ":/usr/bin:/bin").c_str(), 1); }
  void TearDown() override { setenv("PATH", path_.c_str(), 1); }

  void script(const std::string& body) const {
    std::ofstream(directory_.path("gluster")) << "#!/bin/sh\ncd " << directory_.path("") << "\n"
                                              << body;
    chmod((directory_.path("gluster")).c_str(), 0755);
  }

  static std::string cat(const std::string& sample) {
    return "cat " HA_TEST_DATA "/gluster/" + sample;
  }

  TempDirectory directory_;
  const std::string path_ = getenv("PATH");
};

TEST_F(GlusterQueryTest, EveryAnswerFindsItsPlace) {
  script(
      "echo \"$@\" >> asked\ncase \"$*\" in\n"
      "*' peer status') " +
      cat("peers.xml") +
      ";;\n"
      "*' volume info shared') " +
      cat("info.xml") +
      ";;\n"
      "*' volume status shared') " +
      cat("status.xml") +
      ";;\n"
      "*' volume heal shared info summary') " +
      cat("heal.xml") +
      ";;\n"
      "*) " +
      cat("info-nosuch.xml") + ";;\nesac\n");
  const auto facts = query_gluster({"other", "shared"}, deadline_in(20));
  ASSERT_EQ(facts.size(), 2u);
  EXPECT_EQ(judge_gluster(facts[0], {}).text, "volume other: gluster says: Volume does not exist");
  EXPECT_EQ(judge_gluster(facts[1], {}).text,
            "volume shared: 2 of 2 bricks online; nothing to heal");
  const auto asked = read_file(directory_.path("asked"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(std::ranges::count(*asked, '\n'), 7);
  EXPECT_NE(asked->find("--mode=script --xml --timeout=20 peer status\n"), std::string::npos)
      << *asked;
}

TEST_F(GlusterQueryTest, ATransactionInProgressIsWaitedFor) {
  script("case \"$*\" in *status\\ shared) ;; *) " + cat("info.xml") +
         "; exit;; esac\n"
         "echo >> asked\n"
         "[ $(wc -l < asked) -gt 2 ] && " +
         cat("status.xml") + " || " + cat("status-busy.xml") + "\n");
  const auto facts = query_gluster({"shared"}, deadline_in(20));
  ASSERT_TRUE(facts[0].bricks) << facts[0].bricks.error().text;
  EXPECT_EQ(facts[0].bricks->size(), 2u);
}

TEST_F(GlusterQueryTest, ATransactionWithoutEndIsAnError) {
  script(cat("status-busy.xml") + "\n");
  const auto facts = query_gluster({"shared"}, deadline_in(1));
  ASSERT_FALSE(facts[0].bricks);
  EXPECT_EQ(facts[0].bricks.error().code, Errc::kRefused);
}

TEST_F(GlusterQueryTest, ACommandThatHangsIsGivenUp) {
  script("case \"$*\" in *status\\ shared) sleep 60;; *info) " + cat("info.xml") + ";; esac\n");
  const Deadline deadline = deadline_in(1);
  const auto facts = query_gluster({"shared"}, deadline);
  EXPECT_FALSE(deadline.passed());
  ASSERT_FALSE(facts[0].bricks);
  EXPECT_EQ(facts[0].bricks.error().code, Errc::kTimedOut);
  EXPECT_EQ(facts[0].bricks.error().text, "'gluster volume status shared' did not end within 0.9s");
}

TEST_F(GlusterQueryTest, WithoutTheCommandNothingIsKnown) {
  const auto facts = query_gluster({"shared"}, deadline_in(20));
  ASSERT_FALSE(facts[0].info);
  EXPECT_EQ(judge_gluster(facts[0], {}).state, State::kUnknown);
}

TEST_F(GlusterQueryTest, AnEndlessAnswerIsRefused) {
  script("yes '<cliOutput>' | head -c 100000\n");
  const auto facts = query_gluster({"shared"}, deadline_in(20));
  ASSERT_FALSE(facts[0].info);
  EXPECT_EQ(facts[0].info.error().text, "'gluster volume info shared' prints more than 64 KiB");
}

}  // namespace
}  // namespace ha
