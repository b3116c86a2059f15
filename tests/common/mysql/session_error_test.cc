// SPDX-License-Identifier: MIT
#include "common/mysql/session_error.h"

#include <gtest/gtest.h>

#include "common/machine.h"
#include "common/mysql/session.h"

namespace ha {
namespace {

// A Unix socket: no address is tried to find out whose fault it is.
const Peer kPeer{"db2"};

TEST(SessionErrorTest, ANumberDecidesWhoseFaultItIs) {
  const struct {
    unsigned number;
    const char* text;
    Errc code;
    const char* want;
  } cases[] = {
      {1040, "Too many connections", Errc::kRefused, "db2: Too many connections"},
      {1047, "WSREP has not yet prepared node", Errc::kRefused,
       "db2: WSREP has not yet prepared node"},
      {1045, "Access denied for user 'u'", Errc::kAccessDenied, "db2: access denied for user 'u'"},
      {4151, "Zugriff verweigert", Errc::kAccessDenied, "db2: access denied: Zugriff verweigert"},
      {1142, "SELECT command denied", Errc::kPrivilege, "db2: SELECT command denied"},
      {1146, "Table 'a.b' doesn't exist", Errc::kMissing, "db2: Table 'a.b' doesn't exist"},
      {1053, "Server shutdown in progress", Errc::kUnreachable, "db2: Server shutdown in progress"},
      {2014, "Commands out of sync", Errc::kInternal, "db2: Commands out of sync"},
      {1064, "You have an error", Errc::kBadData, "db2: You have an error"},
      {2013, "Lost connection (104)", Errc::kUnreachable, "db2: Lost connection (104)"},
      // The library's own EINPROGRESS.
      {2002, "Can't connect to server on 'db2' (115)", Errc::kUnreachable,
       "db2: Can't connect to server on 'db2' (refused or unreachable)"},
  };
  for (const auto& c : cases) {
    const Error error = describe_failure(kPeer, {c.number, c.text, "SHOW STATUS"});
    EXPECT_EQ(error.code, c.code) << c.number;
    EXPECT_EQ(error.text, c.want);
    EXPECT_EQ(error.server_errno, c.number);
  }
}

TEST(SessionErrorTest, AWantOfThisMachineIsNoFactOfTheServer) {
  for (const char* const text : {"Can't create socket (24)", "Can't connect (13)", "(1)"}) {
    const Error error = describe_failure(kPeer, {2002, text});
    EXPECT_EQ(error.code, Errc::kInternal) << text;
    EXPECT_EQ(error.text, std::string("db2: ") + text + kOwnWant);
  }
  EXPECT_EQ(describe_failure(kPeer, {2008, "out of memory"}).code, Errc::kInternal);
}

TEST(SessionErrorTest, AnErrorBeforeTlsIsTheOneInside) {
  const std::string wrapped =
      "Received error packet before completion of TLS handshake. The authenticity of the following "
      "error cannot be verified: 1040 - Too many connections";
  const Error error = describe_failure(kPeer, {2026, wrapped});
  EXPECT_EQ(error.code, Errc::kRefused);
  EXPECT_EQ(error.text, "db2: Too many connections");
  EXPECT_EQ(error.server_errno, 1040u);
  EXPECT_EQ(describe_failure(kPeer, {2026, wrapped.substr(0, 60)}).server_errno, 2026u);
}

TEST(SessionErrorTest, WordsOfTheServerAreNotRepeated) {
  EXPECT_EQ(describe_failure(kPeer, {5010, "OK - fine", "", true}).text,
            "db2: access denied: the server names a way to log in that is not allowed");
  EXPECT_EQ(describe_failure(kPeer, {5010, "OK - fine", "", false}).text,
            "db2: the answer is not that of a MySQL server");
  EXPECT_EQ(describe_failure(kPeer, {1064, "\x1b[31m"}).text.find('\x1b'), std::string::npos);
}

TEST(SessionErrorTest, AnErrorWithoutTextNamesTheStatementUpToItsFirstValue) {
  EXPECT_EQ(describe_failure(kPeer, {1064, " ", "SET PASSWORD = 'secret'"}).text,
            "db2: error 1064 without a text, in answer to 'SET PASSWORD ='");
  EXPECT_EQ(describe_failure(kPeer, {1064, ""}).text,
            "db2: error 1064 without a text, in answer to the login");
}

TEST(SessionErrorTest, ARefusalSaysWhatToChange) {
  const std::pair<LoginRefusal, const char*> cases[] = {
      {LoginRefusal::kNoTls, "over TLS only, also from a Unix socket"},
      {LoginRefusal::kUnprotected, "over TLS or a Unix socket only"},
      {LoginRefusal::kClearText, "--enable-cleartext-plugin"}};
  for (const auto& [refusal, words] : cases) {
    const Error error = describe_refusal("db2", refusal);
    EXPECT_EQ(error.code, Errc::kAccessDenied);
    EXPECT_NE(error.text.find(words), std::string::npos) << error.text;
  }
}

TEST(SessionErrorTest, OnlySilenceIsNoAnswer) {
  for (const unsigned number : {2002u, 2003u, 2005u, 2006u, 2013u, 2055u, 1053u})
    EXPECT_TRUE(is_no_answer({Errc::kUnreachable, "", number})) << number;
  // A TLS error, an authentication plugin, a login that needs TLS, no TLS where it is required.
  for (const unsigned number : {2026u, 2059u, 2061u, 0u})
    EXPECT_FALSE(is_no_answer({Errc::kUnreachable, "", number})) << number;
  EXPECT_TRUE(is_no_answer({Errc::kUnreachable, "TLS/SSL error: Connection reset (104)", 2026}));
  EXPECT_FALSE(is_no_answer({Errc::kUnreachable, "TLS/SSL error: certificate has expired", 2026}));
  EXPECT_FALSE(is_no_answer({Errc::kRefused, "too many connections", 1040}));
}

TEST(SessionErrorTest, AServerThatStartsAgainIsSilentOrTakesNoConnection) {
  for (const unsigned number : {1040u, 2003u, 2013u, 1053u, 3032u})
    EXPECT_TRUE(may_be_restarting(describe_failure(kPeer, {number, "words"}))) << number;
  for (const unsigned number : {1045u, 2061u, 1146u})
    EXPECT_FALSE(may_be_restarting(describe_failure(kPeer, {number, "words"}))) << number;
}

}  // namespace
}  // namespace ha
