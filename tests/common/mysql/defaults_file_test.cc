// SPDX-License-Identifier: MIT
#include "common/mysql/defaults_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

Result<MysqlOptions> merge(const TempDirectory& directory, const std::string& content,
                           MysqlOptions options = {}) {
  options.defaults_file = directory.file("my.cnf", "[client]\n" + content);
  DefaultsFiles files;
  return with_defaults_file(options, files);
}

TEST(DefaultsFileTest, TlsIsTakenAsBothFlavoursClientsWriteIt) {
  const TempDirectory directory;
  const struct {
    const char* content;
    TlsMode want;
  } cases[] = {
      {"", TlsMode::kPreferred},
      {"ssl-mode=DISABLED", TlsMode::kDisabled},
      {"ssl-mode=preferred", TlsMode::kPreferred},
      {"ssl_mode = \"REQUIRED\"", TlsMode::kRequired},
      {"ssl-mode=VERIFY_CA", TlsMode::kVerifyCa},
      {"loose-ssl-mode=VERIFY_IDENTITY", TlsMode::kVerifyIdentity},
      {"loose_ssl_mode=verify-identity", TlsMode::kVerifyIdentity},
      {"ssl", TlsMode::kRequired},
      {"ssl=1", TlsMode::kRequired},
      {"enable-ssl", TlsMode::kRequired},
      {"loose-ssl=ON", TlsMode::kRequired},
      {"ssl=0", TlsMode::kDisabled},
      {"skip-ssl", TlsMode::kDisabled},
      {"skip_ssl", TlsMode::kDisabled},
      {"disable-ssl", TlsMode::kDisabled},
      {"loose-skip-ssl", TlsMode::kDisabled},
      {"skip-ssl\nssl", TlsMode::kRequired},
      {"ssl-verify-server-cert", TlsMode::kVerifyIdentity},
      {"ssl\nssl_verify_server_cert=1", TlsMode::kVerifyIdentity},
      {"skip-ssl-verify-server-cert", TlsMode::kPreferred},
      {"ssl\nssl-verify-server-cert=0", TlsMode::kRequired},
      {"ssl-ca=/ca.pem", TlsMode::kVerifyCa},
      {"ssl_capath=/cas", TlsMode::kVerifyCa},
      {"ssl-ca=/ca.pem\nssl-mode=PREFERRED", TlsMode::kPreferred},
      {"ssl-cert=/c.pem\nssl-key=/k.pem", TlsMode::kRequired},
      {"[client-mariadb]\nssl-verify-server-cert", TlsMode::kVerifyIdentity},
      {"[mysqld]\nssl-verify-server-cert", TlsMode::kPreferred},
      {"loose-ssl-fp=AB", TlsMode::kPreferred},
  };
  for (const auto& c : cases) {
    const auto options = merge(directory, c.content);
    ASSERT_TRUE(options) << c.content << ": " << options.error().text;
    EXPECT_EQ(effective_tls_mode(*options), c.want) << c.content;
  }
}

TEST(DefaultsFileTest, WhatCannotBeHonouredIsRefused) {
  const TempDirectory directory;
  const std::pair<const char*, const char*> cases[] = {
      {"ssl-mode=SOMETIMES",
       "ssl-mode: expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"},
      {"ssl-mode",
       "ssl-mode: expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or "
       "VERIFY_IDENTITY"},
      {"ssl=maybe", "ssl: expected 0 or 1"},
      {"ssl-verify-server-cert=2", "ssl-verify-server-cert: expected 0 or 1"},
      {"ssl_fp=AB", "ssl-fp cannot be honoured (remove it, or write loose-ssl-fp)"},
      {"ssl-passphrase=secret-word",
       "ssl-passphrase cannot be honoured (remove it, or write loose-ssl-passphrase)"},
      {"tls-ciphersuites=X",
       "tls-ciphersuites cannot be honoured (remove it, or write loose-tls-ciphersuites)"},
      {"port=x", "port: expected a number up to 65535"},
  };
  for (const auto& [content, want] : cases) {
    const auto options = merge(directory, content);
    ASSERT_FALSE(options) << content;
    EXPECT_EQ(options.error().code, Errc::kUsage);
    EXPECT_EQ(options.error().text,
              "--defaults-file: " + directory.path("my.cnf") + " line 2: " + want);
  }
}

TEST(DefaultsFileTest, TheCommandLineWins) {
  const TempDirectory directory;
  const struct {
    const char* content;
    MysqlOptions options;
    TlsMode want;
  } cases[] = {
      {"ssl-mode=VERIFY_IDENTITY", {.tls_mode = TlsMode::kPreferred}, TlsMode::kPreferred},
      {"ssl-ca=/ca.pem", {.tls_mode = TlsMode::kDisabled}, TlsMode::kDisabled},
      // -l and -C ask for more than nothing, not for less than the file.
      {"ssl-mode=VERIFY_IDENTITY", {.tls = true}, TlsMode::kVerifyIdentity},
      {"ssl-mode=VERIFY_IDENTITY", {.ca = "/ca.pem"}, TlsMode::kVerifyIdentity},
      {"skip-ssl", {.tls = true}, TlsMode::kRequired},
      {"ssl-mode=REQUIRED", {.ca = "/ca.pem"}, TlsMode::kVerifyCa},
  };
  for (const auto& c : cases)
    EXPECT_EQ(effective_tls_mode(*merge(directory, c.content, c.options)), c.want) << c.content;
  const auto options =
      merge(directory, "user=a\npassword=b\nssl-ca=/a\nssl-cipher=X\n", {.user = "me", .ca = "/b"});
  EXPECT_EQ(options->user, "me");
  EXPECT_EQ(options->password, "b");
  EXPECT_EQ(options->ca, "/b");
  EXPECT_EQ(options->ciphers, "X");
}

TEST(DefaultsFileTest, TakesFilesAndVersionsOfTls) {
  const TempDirectory directory;
  const auto options = merge(directory,
                             "ssl-cert=/c\nssl_key=/k\nssl-cipher=X\nssl-crl=/l\nssl-crlpath=/p\n"
                             "tls_version=TLSv1.3\n");
  EXPECT_EQ(options->certificate, "/c");
  EXPECT_EQ(options->key, "/k");
  EXPECT_EQ(options->ciphers, "X");
  EXPECT_EQ(options->crl, "/l");
  EXPECT_EQ(options->crl_directory, "/p");
  EXPECT_EQ(options->tls_versions, "TLSv1.3");
}

TEST(DefaultsFileTest, ReadsAValueAsTheLibrariesDo) {
  const TempDirectory directory;
  const std::pair<const char*, const char*> cases[] = {{"password=plain", "plain"},
                                                       {"password = \"a b\" ", "a b"},
                                                       {"password='a\"b'", "a\"b"},
                                                       {"password=a\\\\b\\sc", "a\\b c"},
                                                       {"password=\"a\\\"b\"", "a\"b"},
                                                       {"password=a\\qb", "a\\qb"},
                                                       {"password=a#b", "a#b"},
                                                       {"password=", ""},
                                                       {"password=one\npassword=two", "two"}};
  for (const auto& [content, want] : cases)
    EXPECT_EQ(merge(directory, content)->password, want) << content;
  EXPECT_EQ(merge(directory, "password")->password, std::nullopt);
}

TEST(DefaultsFileTest, ReadsWhatItIncludes) {
  const TempDirectory directory;
  const std::string other = directory.file("other", "[client]\nssl-mode=REQUIRED\n");
  const std::string bad = directory.file("bad.cnf", "[client]\nssl-mode=X\n");
  EXPECT_EQ(effective_tls_mode(*merge(directory, "!include " + other)), TlsMode::kRequired);
  EXPECT_EQ(merge(directory, "user=me\n!include /nonexistent\nport=7")->port, 7u);
  EXPECT_TRUE(merge(directory, "!include " + directory.path("my.cnf")));
  const auto refused = merge(directory, "!include " + bad);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find(bad + " line 2: ssl-mode"), std::string::npos);
  const auto refused_too = merge(directory, "!includedir " + directory.path(""));
  ASSERT_FALSE(refused_too);
  EXPECT_NE(refused_too.error().text.find("bad.cnf line 2"), std::string::npos);
}

TEST(DefaultsFileTest, PassesOverWhatIsOfNoUseOrNotToBeRead) {
  const TempDirectory directory;
  for (const char* line :
       {"skip-name-resolve  # no DNS", "two words=1", "=x", "ssl-mode=SOMETIMES"})
    EXPECT_EQ(merge(directory, std::string("user=me\n[mysqld]\n") + line)->user, "me") << line;
  std::filesystem::create_directories(directory.path("conf.d/directory.cnf"));
  EXPECT_EQ(merge(directory, "user=me\n!includedir " + directory.path("conf.d"))->user, "me");
  EXPECT_EQ(merge(directory, "user=me\n!include " + directory.path("conf.d"))->user, "me");
  EXPECT_EQ(merge(directory, "user=me\n!includedir /nonexistent")->user, "me");
}

}  // namespace
}  // namespace ha
