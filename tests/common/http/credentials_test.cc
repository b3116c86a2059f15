// SPDX-License-Identifier: MIT
#include "common/http/credentials.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(CredentialsTest, ValuesAreTakenRawToTheEndOfTheLine) {
  const auto read =
      parse_credentials("# of the api\n\nusername=root \npassword= a=b#c;\"d\" \n", "f");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->username, "root ");
  EXPECT_EQ(read->password, " a=b#c;\"d\" ");
}

TEST(CredentialsTest, LinesOfWindowsAndAMissingLastNewlineAreFine) {
  const auto read = parse_credentials("password=p\r\nusername=u\r", "f");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->username, "u");
  EXPECT_EQ(read->password, "p");
}

TEST(CredentialsTest, WhatIsWrongIsNamedWithoutItsText) {
  const struct {
    std::string_view text, error;
  } cases[] = {
      {"", "f: there is no line username=..."},
      {"username=u\n", "f: there is no line password=..."},
      {"username=\npassword=p\n", "f: there is no line username=..."},
      {"username=u\npasswrd=secret\n", "f line 2: expected username=... or password=..."},
      {"secret\n", "f line 1: expected username=... or password=..."},
  };
  for (const auto& c : cases) {
    const auto read = parse_credentials(c.text, "f");
    ASSERT_FALSE(read) << c.text;
    EXPECT_EQ(read.error().text, c.error);
    EXPECT_EQ(read.error().code, Errc::kUsage);
  }
}

}  // namespace
}  // namespace ha
