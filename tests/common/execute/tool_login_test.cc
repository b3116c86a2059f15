// SPDX-License-Identifier: MIT
#include "common/execute/tool_login.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "common/posix_files.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

TEST(ClientOptionsTest, QuotesWhatAnOptionFileWouldTakeApart) {
  MysqlOptions options;
  options.user = "ha";
  options.password = "a\"b\\c # d";
  options.ca = "/ca.pem";
  EXPECT_EQ(client_options(options, Flavour::kMysql, "/p"),
            "[client]\nuser=\"ha\"\npassword=\"a\\\"b\\\\c # d\"\nprotocol=\"tcp\"\n"
            "plugin-dir=\"/p\"\nssl-ca=\"/ca.pem\"\n"
            "ssl-mode=\"VERIFY_CA\"\n");
}

// Since 11.4 MariaDB's tools verify where nobody has asked for it.
TEST(ClientOptionsTest, TellMariadbsToolsNotToVerifyWhatWeDoNot) {
  const std::pair<TlsMode, std::string> cases[] = {
      {TlsMode::kDisabled, "[client]\nprotocol=\"tcp\"\nskip-ssl\n"},
      {TlsMode::kPreferred, "[client]\nprotocol=\"tcp\"\nskip-ssl-verify-server-cert\n"},
      {TlsMode::kRequired, "[client]\nprotocol=\"tcp\"\nssl\nskip-ssl-verify-server-cert\n"},
      {TlsMode::kVerifyCa, "[client]\nprotocol=\"tcp\"\nssl\nssl-verify-server-cert\n"},
      {TlsMode::kVerifyIdentity, "[client]\nprotocol=\"tcp\"\nssl\nssl-verify-server-cert\n"}};
  for (const auto& [mode, text] : cases) {
    MysqlOptions options;
    options.tls_mode = mode;
    EXPECT_EQ(client_options(options, Flavour::kMariadb, ""), text);
  }
  EXPECT_EQ(client_options({}, Flavour::kMariadb, ""),
            "[client]\nprotocol=\"tcp\"\nskip-ssl-verify-server-cert\n");
}

// With a CA of ours they check the chain; without one they check nothing but together with the
// name.
TEST(ClientOptionsTest, VerifyCaVerifiesWithoutACaToo) {
  MysqlOptions options;
  options.tls_mode = TlsMode::kVerifyCa;
  EXPECT_TRUE(client_options(options, Flavour::kMariadb, "").ends_with("ssl-verify-server-cert\n"));
  EXPECT_TRUE(client_options(options, Flavour::kMysql, "").ends_with("=\"VERIFY_IDENTITY\"\n"));
  for (const auto file : {&MysqlOptions::ca, &MysqlOptions::ca_directory}) {
    MysqlOptions with_ca = options;
    with_ca.*file = "/ca";
    EXPECT_TRUE(client_options(with_ca, Flavour::kMariadb, "").ends_with("\nssl\n"));
    EXPECT_TRUE(client_options(with_ca, Flavour::kMysql, "").ends_with("=\"VERIFY_CA\"\n"));
  }
}

TEST(ToolLoginTest, SaysWhatToDoAboutADialog) {
  PosixFiles files;
  const ToolLogin login(files);
  const std::string words =
      "mariadb-dump: Got error: 1045: \"Authentication plugin 'dialog' cannot be loaded\"";
  EXPECT_TRUE(login.explain(words).starts_with(words + "; the tools take no dialog"));
  EXPECT_EQ(login.explain("Access denied"), "Access denied");
}

TEST(LoginFilesTest, OnlyThoseOfRunsAreRemoved) {
  const TempDirectory directory;
  for (const char* const name : {"20260101T000000.000.cnf", "db2.20260101T000000.000.copy.cnf",
                                 "20260101T000000.000.cnf.Ab12Cd", "20260101T000000.000.journal",
                                 "db.cnf.copying", "lock", "db1.b.000001.4.rescued.sql"})
    directory.file(name, "[client]\n");
  std::filesystem::create_directory(directory.path("20260101T000000.000.plugins"));
  PosixFiles files;
  remove_login_files(files, directory.path(""));
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path("")))
    left.insert(entry.path().filename());
  EXPECT_EQ(left, (std::set<std::string>{"20260101T000000.000.journal", "db.cnf.copying", "lock",
                                         "db1.b.000001.4.rescued.sql"}));
}

}  // namespace
}  // namespace ha
