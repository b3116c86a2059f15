// SPDX-License-Identifier: MIT
// The command line of handle_engine_failover: what is refused before anything is touched.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/cli.h"

namespace ha {
namespace {

struct Outcome {
  int code;
  std::string output;
};

Outcome run(std::vector<std::string> args) {
  args.insert(args.begin(), "handle_engine_failover");
  testing::internal::CaptureStdout();
  static SystemClock clock;  // what is abandoned still asks it
  const int code = plugin_main(clock, args);
  return {code, testing::internal::GetCapturedStdout()};
}

const std::vector<std::string> kEvent = {"--state", "CRITICAL", "--state-type", "HARD"};
const std::vector<std::string> kNagios = {"--engine", "nagios", "--command-file",
                                          "/nonexistent/nagios.cmd"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(HandleEngineFailoverTest, MistakesAreNamedAndExitWith3) {
  const struct {
    std::vector<std::string> args;
    std::string text;
  } cases[] = {
      {kEvent, "--engine is missing"},
      {kEvent + std::vector<std::string>{"--engine", "cacti"}, "'cacti' is not one of: nagios"},
      {kEvent + std::vector<std::string>{"--engine", "nagios"}, "--command-file is missing"},
      {kEvent + std::vector<std::string>{"--engine", "icinga2"}, "--api is missing"},
      {kEvent + std::vector<std::string>{"--engine", "icinga2", "--command-file", "/p"},
       "has no command pipe"},
      {kEvent + kNagios + std::vector<std::string>{"--api", "https://x"}, "--api belongs to"},
      {kEvent + kNagios + std::vector<std::string>{"--query-handler", "/q"}, "belongs to --engine"},
      {kEvent + kNagios + std::vector<std::string>{"--scope", "some"}, "'some' is not one of"},
      {kEvent + kNagios + std::vector<std::string>{"--status-file", ""}, "its value is empty"},
      {kEvent + kNagios + std::vector<std::string>{"--verify-timeout", "0"}, "not a duration"},
      {kEvent + kNagios + std::vector<std::string>{"--soft-attempt", "2"}, "--attempt is missing"},
      {kEvent + kNagios + std::vector<std::string>{"--start-command", "'a"}, "is not closed"},
      {kEvent + kNagios + std::vector<std::string>{"--notify-mail", "a b@c"}, "not a mail address"},
      {kEvent + kNagios + std::vector<std::string>{"--notify-webhook", "ftp://x"}, "must start"},
      {kNagios, "--state is missing"},
      {kNagios + std::vector<std::string>{"--reassert"}, "--reassert needs --state-dir"},
      {kNagios + std::vector<std::string>{"--activate"}, "--activate needs --state-dir"},
      {kNagios + std::vector<std::string>{"--deactivate"}, "--deactivate needs --state-dir"},
      {kNagios + std::vector<std::string>{"--activate", "--deactivate", "--state-dir", "/x"},
       "--activate and --deactivate: give one of them"},
      {kEvent + kNagios + std::vector<std::string>{"--activate", "--state-dir", "/x"},
       "--activate and --state: give one of them"},
      {kNagios + std::vector<std::string>{"--state", "CRITICAL\n", "--state-type", "HARD"},
       "control byte"},
      {kNagios + std::vector<std::string>{"--state", "$HOSTSTATE$", "--state-type", "HARD"},
       "did not expand"},
      {kEvent + std::vector<std::string>{"--engine", "icinga2", "--api", "http://x",
                                         "--api-credentials", "/c"},
       "must start with https://"},
      {kEvent + std::vector<std::string>{"--engine", "icinga2", "--api", "https://x"},
       "belong together"},
      {kEvent + std::vector<std::string>{"--engine", "icinga2", "--api", "https://x",
                                         "--api-credentials", "/nonexistent"},
       "cannot read /nonexistent"},
  };
  for (const auto& c : cases) {
    const Outcome done = run(c.args);
    EXPECT_EQ(done.code, 3) << done.output;
    EXPECT_NE(done.output.find(c.text), std::string::npos) << done.output << " wanted " << c.text;
    EXPECT_TRUE(done.output.starts_with("handle_engine_failover: ")) << done.output;
  }
}

TEST(HandleEngineFailoverTest, AnEventWithoutMeaningDoesNothing) {
  const Outcome done =
      run(kNagios + std::vector<std::string>{"--state", "WARNING", "--state-type", "HARD"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.output, "handle_engine_failover: nothing to do on WARNING HARD\n");
}

TEST(HandleEngineFailoverTest, ADryRunPrintsTheStepsAndTouchesNothing) {
  std::string directory = testing::TempDir() + "dry.XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const Outcome done = run(
      kEvent + std::vector<std::string>{"--engine", "nagios", "--start-command", "touch 'the file'",
                                        "--state-dir", directory + "/state", "--dry-run"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.output,
            "handle_engine_failover: dry run: activation on CRITICAL HARD would do this:\n"
            "touch 'the file'\n");
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ha
