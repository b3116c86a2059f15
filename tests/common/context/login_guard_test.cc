// SPDX-License-Identifier: MIT
#include "common/context/login_guard.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

constexpr unsigned kTls = 0x800, kUsual = 0x8000 | 0x80000;

std::string packet(unsigned number, const std::string& payload) {
  std::string header = {static_cast<char>(payload.size()), static_cast<char>(payload.size() >> 8),
                        0, static_cast<char>(number)};
  return header + payload;
}

std::string halves(unsigned value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
          static_cast<char>(value >> 24)};
}

std::string greeting(unsigned can, const std::string& plugin = "mysql_native_password") {
  const std::string text = halves(can);
  const std::string zero(1, '\0');
  return packet(0,
                "\x0a"
                "10.11.6-MariaDB" +
                    zero + "\x07" + std::string(3, '\0') + "AAAAAAAA" + zero + text.substr(0, 2) +
                    "!" + "\x02" + zero + text.substr(2) + "\x15" + std::string(10, '\0') +
                    "BBBBBBBBBBBB" + zero + plugin + zero);
}

std::string answer(unsigned can, const std::string& rest) {
  return packet(1, halves(can) + std::string(28, '\0') + rest);
}

const std::string kLogin = answer(kUsual, "root"), kWish = answer(kUsual | kTls, ""),
                  kHello = "\x16\x03\x01";

TEST(LoginGuardTest, PassesTlsAsSoonAsItBegins) {
  for (const LoginTls tls : {LoginTls::kAsOffered, LoginTls::kRequired}) {
    LoginGuard guard(tls);
    const std::string hello = greeting(kUsual | kTls, "dialog");  // will be asked for inside
    EXPECT_EQ(guard.from_server(hello.substr(0, 9)), "");
    EXPECT_EQ(guard.from_server(hello.substr(9)), hello);
    EXPECT_EQ(guard.from_client(kWish), "");
    EXPECT_EQ(guard.from_client(kHello), kWish + kHello);
    EXPECT_EQ(guard.from_server("anything"), "anything");
    EXPECT_EQ(guard.from_client("anything"), "anything");
    EXPECT_EQ(guard.refusal(), "");
  }
}

TEST(LoginGuardTest, NothingOfTheToolsPassesWithoutTheTlsThatIsRequired) {
  for (const std::string& first : {kLogin, answer(kUsual, std::string(200, 'x')),
                                   // A wish for TLS that no handshake follows.
                                   kWish + kLogin, kWish + "\x15"}) {
    LoginGuard guard(LoginTls::kRequired);
    guard.from_server(greeting(kUsual));
    EXPECT_EQ(guard.from_client(first), "");
    EXPECT_NE(guard.refusal(), "");
    EXPECT_EQ(guard.from_client(kLogin), "");
    EXPECT_EQ(guard.from_server("x"), "");
  }
}

TEST(LoginGuardTest, WithoutTlsNothingPassesThatAsksForThePassword) {
  const struct {
    std::string greeting, then;
    bool passes;
  } cases[] = {
      {greeting(kUsual), packet(2, std::string(7, '\0')), true},
      {greeting(kUsual),
       packet(2,
              "\xff"
              "denied"),
       true},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "client_ed25519\0salt",
                             20)),
       true},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "mysql_native_password\0salt",
                             27)),
       true},
      {greeting(kUsual, "caching_sha2_password"), packet(2, "\x01\x03"), true},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "mysql_clear_password\0",
                             22)),
       false},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "dialog\0\x02Say it",
                             15)),
       false},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "mysql_old_password\0salt",
                             24)),
       false},
      {greeting(kUsual),
       packet(2, std::string("\xfe"
                             "sha256_password\0salt",
                             21)),
       false},
      {greeting(kUsual), packet(2, "\xfe"), false},  // pre-4.1
  };
  for (const auto& c : cases) {
    LoginGuard guard(LoginTls::kAsOffered);
    EXPECT_EQ(guard.from_server(c.greeting), c.greeting);
    EXPECT_EQ(guard.from_client(kLogin), kLogin);
    EXPECT_EQ(guard.from_server(c.then), c.passes ? c.then : "") << c.then;
    EXPECT_EQ(guard.refusal().empty(), c.passes) << c.then;
  }
}

TEST(LoginGuardTest, WithoutTlsAGreetingMayNotAskForThePasswordEither) {
  for (const std::string& hello :
       {greeting(kUsual, "dialog"), greeting(kUsual, "mysql_old_password"), greeting(kUsual, ""),
        greeting(0x80000), greeting(0x8000)}) {
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(hello);
    EXPECT_EQ(guard.from_client(kLogin), "");
    EXPECT_NE(guard.refusal(), "");
  }
}

const std::string kOldScramble = packet(4, "\xfe");

TEST(LoginGuardTest, TheLoginEndsWhenTheToolSaysSo) {
  for (const std::string& lie :
       {packet(2, std::string(7, '\0')), packet(2, std::string(1, '\0')),
        packet(2, "\xff\xff\xff a report on progress"), packet(2, "\xff\x10\x04 denied")}) {
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(greeting(kUsual, "caching_sha2_password"));
    guard.from_client(kLogin);
    EXPECT_EQ(guard.from_server(lie), lie);
    EXPECT_EQ(guard.from_client(packet(3, "answer")), packet(3, "answer"));
    EXPECT_EQ(guard.from_server(kOldScramble), "");
    EXPECT_NE(guard.refusal(), "");
  }
}

TEST(LoginGuardTest, ACommandOpens) {
  const std::string done = packet(2, std::string(7, '\0')), command = packet(0, "\x03SELECT 1"),
                    rows = packet(1, std::string(300, '\xfe'));
  for (const std::size_t piece : {1, 3, 7, 1000}) {
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(greeting(kUsual));
    std::string passed;
    const std::string said = kLogin + command;
    for (std::size_t i = 0; i < said.size(); i += piece)
      passed += guard.from_client(said.substr(i, piece));
    EXPECT_EQ(passed, said);
    EXPECT_EQ(guard.from_server(done + rows + "\xff\xff\xff\x02"),
              done + rows + "\xff\xff\xff\x02");
    EXPECT_EQ(guard.refusal(), "");
  }
}

TEST(LoginGuardTest, APartOfAPacketPassesWhenTheLoginIsOver) {
  LoginGuard guard(LoginTls::kAsOffered);
  guard.from_server(greeting(kUsual));
  guard.from_client(kLogin);
  const std::string rows = packet(1, "rows");
  EXPECT_EQ(guard.from_server(rows.substr(0, 5)), "");
  guard.from_client(packet(0, "\x03"));
  EXPECT_EQ(guard.from_server(rows.substr(5)), rows);
}

TEST(LoginGuardTest, NoAnswerPassesForACommand) {
  LoginGuard guard(LoginTls::kAsOffered);
  guard.from_server(greeting(kUsual));
  guard.from_client(kLogin);
  EXPECT_EQ(guard.from_server(packet(255, "\x01\x03")), "");
  EXPECT_NE(guard.refusal(), "");
  LoginGuard first(LoginTls::kAsOffered);
  first.from_server(greeting(kUsual));
  EXPECT_EQ(first.from_client(packet(0, std::string(40, 'x'))), "");
  EXPECT_NE(first.refusal(), "");
}

// Connector/C looks for the plugin's name after as many bytes as the challenge is said to have.
TEST(LoginGuardTest, WithoutTlsTheChallengeIsOfTheUsualLength) {
  for (const char length : {'\0', '\x08', '\x14', '\x16', '\x30', '\xff'}) {
    std::string hello = greeting(kUsual, std::string("mysql_native_password\0dialog", 28));
    hello[hello.find('\x15', 8)] = length;
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(hello);
    EXPECT_EQ(guard.from_client(kLogin), "");
    EXPECT_NE(guard.refusal(), "");
  }
}

TEST(LoginGuardTest, ADialogsRefusalSaysWhatToDo) {
  LoginGuard greeted(LoginTls::kAsOffered), switched(LoginTls::kAsOffered);
  greeted.from_server(greeting(kUsual, "dialog"));
  greeted.from_client(kLogin);
  switched.from_server(greeting(kUsual));
  switched.from_client(kLogin);
  switched.from_server(packet(2, std::string("\xfe"
                                             "dialog\0\x05Password: ",
                                             19)));
  for (const auto* const guard : {&greeted, &switched})
    EXPECT_NE(guard->refusal().find("pam_use_cleartext_plugin"), std::string::npos);
}

TEST(LoginGuardTest, NothingIsAnsweredToNoGreeting) {
  for (const std::string& said : {std::string(), packet(0, "\xff\x10\x04Too many")}) {
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(said);
    EXPECT_EQ(guard.from_client(kLogin), "");
    EXPECT_NE(guard.refusal(), "");
  }
}

TEST(LoginGuardTest, WhatIsNoGreetingDoesNotPass) {
  for (const std::string& bytes : {std::string("SSH-2.0-OpenSSH_9.2\r\n"),
                                   packet(0,
                                          "\x09"
                                          "3.21"),
                                   packet(0, ""), greeting(kUsual) + greeting(kUsual)}) {
    LoginGuard guard(LoginTls::kAsOffered);
    guard.from_server(bytes);
    EXPECT_NE(guard.refusal(), "") << bytes;
  }
  LoginGuard guard(LoginTls::kAsOffered);
  const std::string full = packet(0, "\xff\x10\x04Too many connections");
  EXPECT_EQ(guard.from_server(full), full);
}

}  // namespace
}  // namespace ha
