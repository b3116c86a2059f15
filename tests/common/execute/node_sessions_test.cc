// SPDX-License-Identifier: MIT
#include "common/execute/node_sessions.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

const Error kGone = {Errc::kUnreachable, "server has gone away", 2006};

class NodeSessionsTest : public testing::Test {
 protected:
  NodeSessionsTest() { sessions_.add("db1", first_); }

  const SqlSession* place(const Result<NodeSessions::Loan>& loan) { return &**loan; }

  NodeSessions::Session first_ = std::make_shared<FakeSession>("8.0.36");
  int connections_ = 0;
  NodeSessions sessions_{[this](const std::string& node) -> Result<NodeSessions::Session> {
    if (node == "dead") return kGone;
    ++connections_;
    return NodeSessions::Session(std::make_shared<FakeSession>("8.0.36"));
  }};
};

TEST_F(NodeSessionsTest, TheFirstOneStaysWhileItIsGivenBack) {
  for (int i = 0; i < 3; ++i) {
    const auto loan = sessions_.borrow("db1");
    ASSERT_TRUE(loan);
    EXPECT_EQ(place(loan), first_.get());
  }
  EXPECT_EQ(connections_, 0);
}

TEST_F(NodeSessionsTest, WhoNeedsItAtTheSameTimeGetsAnother) {
  {
    const auto loan = sessions_.borrow("db1"), second = sessions_.borrow("db1");
    EXPECT_EQ(place(loan), first_.get());
    EXPECT_NE(place(second), first_.get());
  }
  // That one was for once: the first holds the locks.
  EXPECT_EQ(place(sessions_.borrow("db1")), first_.get());
  EXPECT_EQ(connections_, 1);
}

TEST_F(NodeSessionsTest, AConnectionThatBrokeIsNotLentAgain) {
  {
    auto loan = sessions_.borrow("db1");
    loan->judge(Result<Done>(kGone));
    loan->judge(Result<Done>(Done{}));
  }
  const SqlSession* second = nullptr;
  {
    auto loan = sessions_.borrow("db1");
    second = place(loan);
    EXPECT_NE(second, first_.get());
    loan->judge(Result<Done>(Error{Errc::kRefused, "access denied", 1227}));
  }
  EXPECT_EQ(place(sessions_.borrow("db1")), second);
  EXPECT_EQ(connections_, 1);
}

TEST_F(NodeSessionsTest, ABrokenExtraSessionLeavesTheFirst) {
  {
    const auto loan = sessions_.borrow("db1");
    auto second = sessions_.borrow("db1");
    second->judge(Result<Done>(kGone));
  }
  EXPECT_EQ(place(sessions_.borrow("db1")), first_.get());
}

TEST_F(NodeSessionsTest, ANodeThatDoesNotAnswerLendsNothing) {
  const auto loan = sessions_.borrow("dead");
  ASSERT_FALSE(loan);
  EXPECT_EQ(loan.error().text, kGone.text);
}

}  // namespace
}  // namespace ha
