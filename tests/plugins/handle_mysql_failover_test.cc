// SPDX-License-Identifier: MIT
// The command line of handle_mysql_failover: what is refused before anything is contacted, and what
// an event without meaning does.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/cli.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

using Words = std::vector<std::string>;

struct Outcome {
  int code;
  std::string output;
};

Outcome run(Words args) {
  args.insert(args.begin(), "handle_mysql_failover");
  testing::internal::CaptureStdout();
  static SystemClock clock;  // what is abandoned still asks it
  const int code = plugin_main(clock, args);
  return {code, testing::internal::GetCapturedStdout()};
}

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Words event(const std::string& state, const std::string& type = "HARD") {
  return {"--state", state, "--state-type", type};
}

// Nobody listens there.
const Words kNodes = {"--node", "db1=127.0.0.1:1", "--node", "db2=127.0.0.1:2"};
const Words kProblem = event("CRITICAL") + kNodes;

void expect_usage_error(const Words& args, const std::string& text) {
  const Outcome done = run(args);
  EXPECT_EQ(done.code, 3) << done.output;
  EXPECT_NE(done.output.find(text), std::string::npos) << done.output << " wanted " << text;
  EXPECT_TRUE(done.output.starts_with("handle_mysql_failover: ")) << done.output;
  EXPECT_EQ(done.output.find('\n'), done.output.size() - 1) << done.output;
}

TEST(HandleMysqlFailoverTest, MistakesAreNamedAndExitWith3) {
  const std::pair<Words, const char*> cases[] = {
      {event("CRITICAL"), "no node given"},
      {kNodes, "--state is missing"},
      {kNodes + Words{"--state", "CRITICAL"}, "--state-type is missing"},
      {kNodes + event("$SERVICESTATE$"), "did not expand"},
      {kNodes + event("CRITICAL\n"), "control byte"},
      {kProblem + Words{"--soft-attempt", "2"}, "--attempt is missing"},
      {kProblem + Words{"--cluster", "/nonexistent"}, "cannot read /nonexistent"},
      {kProblem + Words{"--node", "db1=127.0.0.1:3"}, "'db1' is given twice"},
      {kProblem + Words{"--fence", "perhaps"}, "'perhaps' is not one of: required"},
      {kProblem + Words{"--fence-command", "'a"}, "is not closed"},
      {kProblem + Words{"--max-lost-transactions", "-1"}, "not a number of transactions"},
      {kProblem + Words{"--max-lag", "soon"}, "--max-lag"},
      {kProblem + Words{"--prefer", "db9"}, "--prefer: no node is called 'db9'"},
      {kProblem + Words{"--never", "db9"}, "--never: no node is called 'db9'"},
      {kProblem + Words{"--witness", "a b"}, "--witness"},
      {kProblem + Words{"--vote", "a b"}, "--vote"},
      {kProblem + Words{"--vote", "127.0.0.1:1"}, "--vote: 127.0.0.1:1 has a vote already"},
      {kProblem + Words{"--lease", "1"}, "--lease: '1' is no whole number of seconds from 2 to"},
      {kProblem + Words{"--lease", "2.5"}, "--lease: '2.5' is no whole number"},
      {kProblem + Words{"--lease", "3", "--lease-margin", "3"}, "--lease-margin: 3s is not"},
      {kProblem + Words{"--lease", "3", "--pid-file", "mysqld.pid"}, "no absolute path"},
      {kProblem + Words{"--watchdog", "/dev/watchdog"},
       "--watchdog: has no effect without --lease"},
      {kProblem + Words{"--retries", "0"}, "--retries"},
      {kProblem + Words{"--autofix", "--table", "x"}, "--table: 'x' is not DB.TABLE"},
      {kProblem + Words{"--autofix", "--preset", "nagios"}, "'nagios' is not one of: pandora"},
      {kProblem + Words{"--vip", "192.0.2.10"}, "--interface"},
      {kProblem + Words{"--cluster-name", "../other"}, "--cluster-name"},
      {kProblem + Words{"--repl-defaults-file", "/nonexistent"}, "--repl-defaults-file"},
      {kProblem + Words{"--notify-webhook", "ftp://x"}, "must start"},
      {kProblem + Words{"--to", "db2"}, "--to"},
  };
  for (const auto& [args, text] : cases) expect_usage_error(args, text);
}

TEST(HandleMysqlFailoverTest, NoSecretOfABrokenFileIsShown) {
  const TempDirectory directory;
  for (const char* const line :
       {"password hunter2", "password = hunter2\nretries = none", "pasword = hunter2",
        "repl-password = hunter2\nnode = a b", "notify-webhook = ftp://hunter2"}) {
    const std::string path = directory.file("cluster.conf", fmt::format("node = db1\n{}\n", line));
    const Outcome done = run(event("CRITICAL") + Words{"--cluster", path, "--fence", "perhaps"});
    EXPECT_EQ(done.code, 3) << done.output;
    EXPECT_EQ(done.output.find("hunter2"), std::string::npos) << done.output;
  }
}

TEST(HandleMysqlFailoverTest, AnEventWithoutMeaningContactsNobodyAndWritesNothing) {
  const TempDirectory directory;
  const std::string state = directory.path("state");
  for (const auto& [word, type] :
       {std::pair("OK", "HARD"), std::pair("WARNING", "HARD"), std::pair("UNKNOWN", "HARD"),
        std::pair("UP", "SOFT"), std::pair("CRITICAL", "SOFT")}) {
    const Outcome done = run(event(word, type) + kNodes + Words{"--state-dir", state});
    EXPECT_EQ(done.code, 0);
    EXPECT_EQ(done.output,
              fmt::format("handle_mysql_failover: nothing to do on {} {}\n", word, type));
  }
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST(HandleMysqlFailoverTest, AHandlerThatCannotSeeTheClusterRefusesAndBeginsNothing) {
  const TempDirectory directory;
  const Words options = kProblem + Words{"--state-dir", directory.path("state")};
  const std::string reason = "no replica shows which node is the primary",
                    next =
                        "; to see all nodes, run: mysql_ha status --node db1=127.0.0.1:1 --node "
                        "db2=127.0.0.1:2 --state-dir " +
                        directory.path("state") + "\n";
  for (const auto& [args, text] :
       {std::pair(options, "handle_mysql_failover: failover refused: " + reason +
                               " (unknown-primary)" + next),
        std::pair(options + Words{"--dry-run"}, "no failover (unknown-primary): " + reason + next),
        std::pair(event("CRITICAL", "SOFT") + kNodes +
                      Words{"--state-dir", directory.path("state"), "--attempt", "2",
                            "--soft-attempt", "2", "--dry-run"},
                  "no failover (unknown-primary): " + reason + next)}) {
    const Outcome done = run(args);
    EXPECT_EQ(done.code, 2);
    EXPECT_EQ(done.output, text);
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory.path("state/mysql")))
    EXPECT_EQ(entry.path().filename(), "lock");
}

}  // namespace
}  // namespace ha
