// SPDX-License-Identifier: MIT
#include "common/execute/tool_login.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "common/posix_files.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/temp_directory.h"
#include "tests/topology_builders.h"

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

// A guard between the tool and a server.
class Relay : public LoginRelay {
 public:
  unsigned port() const override { return 4711; }
  std::string refusal() const override { return "the server offers no TLS"; }
};

constexpr char kPlugins[] = "/usr/lib/x86_64/libmariadb3/plugin/";

TEST(ToolLoginTest, GivesTheToolNoPluginThatGivesThePasswordAway) {
  using Names = std::set<std::string>;
  const struct {
    TlsMode mode;
    bool clear_text;
    Names plugins;
  } cases[] = {
      {TlsMode::kDisabled, true, {"client_ed25519.so", "mysql_native_password.so"}},
      {TlsMode::kRequired,
       true,
       {"caching_sha2_password.so", "client_ed25519.so", "mysql_native_password.so"}},
      {TlsMode::kVerifyIdentity,
       false,
       {"caching_sha2_password.so", "client_ed25519.so", "mysql_native_password.so"}},
      {TlsMode::kVerifyIdentity,
       true,
       {"caching_sha2_password.so", "client_ed25519.so", "mysql_clear_password.so",
        "mysql_native_password.so"}},
  };
  for (const auto& c : cases) {
    FakeWorld world;
    world.network.relay = [](LoginTls) { return std::make_unique<Relay>(); };
    for (const char* const name : {"caching_sha2_password.so", "client_ed25519.so", "dialog.so",
                                   "mysql_clear_password.so", "mysql_native_password.so", "README"})
      world.files.files[kPlugins + std::string(name)] = "plugin";
    MysqlOptions options;
    options.tls_mode = c.mode;
    options.clear_text = c.clear_text;
    const auto login = ToolLogin::prepare(world.env, writer(1), options, "/s/run1");
    ASSERT_TRUE(login);
    const auto linked = world.files.list("/s/run1.plugins");
    EXPECT_EQ(Names(linked->begin(), linked->end()), c.plugins) << static_cast<int>(c.mode);
  }
}

TEST(ToolLoginTest, LeavesNothingBehind) {
  FakeWorld world;
  std::vector<LoginTls> asked;
  world.network.relay = [&](LoginTls tls) {
    asked.push_back(tls);
    return std::make_unique<Relay>();
  };
  MysqlOptions options;
  options.password = "secret";
  options.tls_mode = TlsMode::kRequired;
  {
    const auto login = ToolLogin::prepare(world.env, writer(1), options, "/s/run1");
    ASSERT_TRUE(login);
    EXPECT_EQ((*login)->node().host, "127.0.0.1");
    EXPECT_EQ((*login)->node().port, 4711u);
    EXPECT_EQ(asked, std::vector<LoginTls>{LoginTls::kRequired});
    EXPECT_NE(world.files.files.at("/s/run1.cnf").find("secret"), std::string::npos);
    EXPECT_EQ((*login)->explain("lost connection"), "db1: the server offers no TLS");
    Command command{{"mysqldump"}};
    (*login)->add_to(command);
    EXPECT_EQ(command.argv.at(1), "--defaults-file=/s/run1.cnf");
  }
  EXPECT_EQ(world.files.files.size(), 0u);
}

TEST(ToolLoginTest, NeedsItsFilesAndARelay) {
  FakeWorld world;
  MysqlOptions options;
  options.tls_mode = TlsMode::kPreferred;
  EXPECT_FALSE(ToolLogin::prepare(world.env, writer(1), options, "/s/run1"));
  options.tls_mode = TlsMode::kVerifyIdentity;
  EXPECT_TRUE(ToolLogin::prepare(world.env, writer(1), options, "/s/run1"));
  world.files.full = true;
  EXPECT_FALSE(ToolLogin::prepare(world.env, writer(1), options, "/s/run1"));
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
