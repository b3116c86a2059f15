// SPDX-License-Identifier: MIT
#include "common/mysql/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "common/hard_stop.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/defaults_file.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

std::optional<int> parse(MysqlOptions& options, std::vector<std::string> args) {
  const SystemClock clock;
  Cli cli(clock, "check_probe", "Checks nothing.");
  add_mysql_options(cli, options);
  args.insert(args.begin(), "check_probe");
  const auto exit_code = cli.parse(args);
  clear_hard_stop();
  return exit_code;
}

TEST(MysqlOptionsTest, TakesTheLettersOfCheckMysql) {
  MysqlOptions options;
  ASSERT_EQ(parse(options, {"-H",  "db1", "-P",   "3307", "-s",  "/s", "-u", "me", "-p",
                            "pw",  "-f",  "/f",   "-g",   "mon", "-l", "-C", "ca", "-D",
                            "dir", "-a",  "cert", "-k",   "key", "-L", "AES"}),
            std::nullopt);
  EXPECT_EQ(options.host, "db1");
  EXPECT_EQ(options.port, 3307u);
  EXPECT_EQ(options.socket, "/s");
  EXPECT_EQ(options.user, "me");
  EXPECT_EQ(options.password, "pw");
  EXPECT_EQ(options.defaults_file, "/f");
  EXPECT_EQ(options.defaults_group, "mon");
  EXPECT_TRUE(options.tls);
  EXPECT_EQ(options.ca, "ca");
  EXPECT_EQ(options.ca_directory, "dir");
  EXPECT_EQ(options.certificate, "cert");
  EXPECT_EQ(options.key, "key");
  EXPECT_EQ(options.ciphers, "AES");
}

TEST(MysqlOptionsTest, AnEmptyPasswordIsNotAMissingOne) {
  MysqlOptions empty, missing;
  ASSERT_EQ(parse(empty, {"--password="}), std::nullopt);
  ASSERT_EQ(parse(missing, {}), std::nullopt);
  EXPECT_EQ(empty.password, "");
  EXPECT_EQ(missing.password, std::nullopt);
}

TEST(MysqlOptionsTest, TheTlsOptionsAmountToAMode) {
  const struct {
    std::vector<std::string> args;
    TlsMode want;
  } cases[] = {
      {{}, TlsMode::kPreferred},
      {{"-l"}, TlsMode::kRequired},
      {{"-a", "cert", "-k", "key"}, TlsMode::kRequired},
      {{"-C", "ca"}, TlsMode::kVerifyCa},
      {{"-l", "-D", "dir"}, TlsMode::kVerifyCa},
      {{"--ssl-mode", "disabled"}, TlsMode::kDisabled},
      {{"--ssl-mode", "preferred", "-C", "ca"}, TlsMode::kPreferred},
      {{"--ssl-mode=verify-ca"}, TlsMode::kVerifyCa},
      {{"--ssl-mode=verify-identity", "-C", "ca"}, TlsMode::kVerifyIdentity},
  };
  for (const auto& c : cases) {
    MysqlOptions options;
    ASSERT_EQ(parse(options, c.args), std::nullopt);
    EXPECT_EQ(effective_tls_mode(options), c.want) << testing::PrintToString(c.args);
  }
}

TEST(MysqlOptionsTest, MessagesNameTheServerShortly) {
  const struct {
    MysqlOptions options;
    const char* want;
  } cases[] = {
      {{}, "localhost"},
      {{.host = "db2"}, "db2"},
      {{.host = "db2", .port = 3306}, "db2"},
      {{.host = "db2", .port = 3307}, "db2:3307"},
      {{.host = "::1", .port = 3307}, "[::1]:3307"},
      {{.host = "/run/s.sock", .port = 3307}, "/run/s.sock"},
      {{.host = "localhost", .socket = "/run/s.sock"}, "/run/s.sock"},
      {{.socket = "/run/s.sock"}, "/run/s.sock"},
      // A port that was given means TCP.
      {{.host = "localhost", .port = 3306}, "localhost:3306"},
      {{.host = "localhost", .port = 3307}, "localhost:3307"},
      {{.port = 3307}, "localhost:3307"},
      {{.host = "localhost"}, "localhost"},
      {{.host = "db2", .socket = "/run/s.sock"}, "db2"},
  };
  for (const auto& c : cases) EXPECT_EQ(server_label(c.options), c.want);
}

TEST(MysqlOptionsTest, TheDefaultsFileTellsWhereTheServerIs) {
  const TempDirectory directory;
  const std::string path = directory.file("my.cnf",
                                          "# comment\n[client]\nhost = \"db5\"\nport=3310\n"
                                          "skip-ssl\n[mon]\nport=3311\n!include /x\n");
  const struct {
    const char* group;
    MysqlOptions options;
    const char* want;
  } cases[] = {
      {"client", {}, "db5:3310"},
      // The client libraries read [client] before the group that is asked for.
      {"mon", {}, "db5:3311"},
      {"other", {}, "db5:3310"},
      {"client", {.host = "db6"}, "db6:3310"},
      {"client", {.host = "db6", .port = 3306}, "db6"},
  };
  for (auto c : cases) {
    c.options.defaults_file = path;
    c.options.defaults_group = c.group;
    ASSERT_TRUE(complete_login(c.options));
    EXPECT_EQ(server_label(c.options), c.want) << c.group;
  }
}

TEST(MysqlOptionsTest, APortMeansTcp) {
  const TempDirectory directory;
  const struct {
    const char* content;
    MysqlOptions options;
    const char* want;
  } cases[] = {
      {"host=localhost\nport=3307\n", {}, "localhost:3307"},
      {"host=localhost\nport=3306\n", {}, "localhost"},  // as many a file has it, for nothing
      {"host=localhost\nport=3306\nprotocol=TCP\n", {}, "localhost:3306"},
      {"protocol=tcp\nsocket=/s\n", {}, "localhost:3306"},
      {"port=3307\nsocket=/s\n", {}, "/s"},
      {"socket=/s\n", {.port = 3307}, "localhost:3307"},
      {"socket=/s\n", {.host = "localhost", .port = 3306}, "localhost:3306"},
      {"socket=/s\nport=3308\n", {.host = "db1"}, "db1:3308"},
      {"host=[::1]\nport=3308\n", {}, "[::1]:3308"},
  };
  for (auto c : cases) {
    c.options.defaults_file = directory.file("my.cnf", std::string("[client]\n") + c.content);
    ASSERT_TRUE(complete_login(c.options));
    EXPECT_EQ(server_label(c.options), c.want) << c.content;
  }
}

TEST(MysqlOptionsTest, AHostMayStandInBrackets) {
  MysqlOptions options;
  ASSERT_EQ(parse(options, {"-H", "[::1]", "-P", "3307"}), std::nullopt);
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(server_label(options), "[::1]:3307");
  EXPECT_EQ(parse(options, {"-H", "[::1"}), 3);
  EXPECT_EQ(parse(options, {"-H", "[::1]:3307"}), 3);
}

TEST(MysqlOptionsTest, ABrokenDefaultsFileIsRefusedWithItsLine) {
  const TempDirectory directory;
  const struct {
    const char* content;
    const char* want;
  } cases[] = {
      {"[client]\nsecret word=1\n", " line 2: expected option or option=value"},
      {"[client\n", " line 1: a group must end with ']'"},
      {"\nuser=me\n", " line 2: option before the first [group]"},
      {"[client]\n=x\n", " line 2: expected option or option=value"},
  };
  for (const auto& c : cases) {
    const std::string path = directory.file("my.cnf", c.content);
    const auto file = read_defaults_file(path, "client");
    ASSERT_FALSE(file) << c.content;
    EXPECT_EQ(file.error().code, Errc::kUsage);
    EXPECT_EQ(file.error().text, "--defaults-file: " + path + c.want);
  }
  EXPECT_EQ(read_defaults_file("/nonexistent", "client").error().text,
            "--defaults-file: cannot read /nonexistent: No such file or directory");
}

TEST(MysqlOptionsTest, WarnsOfADefaultsFileThatEverybodyMayRead) {
  const TempDirectory directory;
  const auto notes = [](const std::string& file) {
    MysqlOptions options{.defaults_file = file};
    EXPECT_TRUE(complete_login(options));
    return option_notes(options);
  };
  EXPECT_TRUE(notes("").empty());
  const std::string file = directory.file("my.cnf", "[client]\npassword=x\n");
  std::filesystem::permissions(file, std::filesystem::perms(0640));
  EXPECT_TRUE(notes(file).empty());
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  EXPECT_EQ(notes(file),
            std::vector<std::string>{"WARN: " + file + " is readable by every user (chmod 640)"});
}

// A shell's <(command).
TEST(MysqlOptionsTest, ADefaultsFileThatIsAPipeIsReadOnce) {
  int ends[2] = {};
  ASSERT_EQ(pipe(ends), 0);
  constexpr std::string_view kText = "[client]\nssl-mode=REQUIRED\n[mon]\nuser=me\n";
  ASSERT_EQ(write(ends[1], kText.data(), kText.size()), static_cast<ssize_t>(kText.size()));
  close(ends[1]);
  MysqlOptions first{.defaults_file = "/dev/fd/" + std::to_string(ends[0])}, second = first;
  second.defaults_group = "mon";
  DefaultsFiles files;
  ASSERT_TRUE(complete_login(first, files));
  ASSERT_TRUE(complete_login(first));
  EXPECT_EQ(effective_tls_mode(first), TlsMode::kRequired);
  EXPECT_EQ(first.user, "");
  ASSERT_TRUE(complete_login(second, files));
  EXPECT_EQ(effective_tls_mode(second), TlsMode::kRequired);
  EXPECT_EQ(second.user, "me");
  close(ends[0]);
}

}  // namespace
}  // namespace ha
