// SPDX-License-Identifier: MIT
// The sessions of a run, one for each node. A node's first session holds its locks, so it stays the
// one that steps get; a step that needs the node at the same time, or after one that hangs, gets a
// session for that once. All functions may be called from several threads.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

class NodeSessions {
 public:
  using Session = std::shared_ptr<SqlSession>;
  using Connect = std::function<Result<Session>(const std::string& node)>;

  // A session that is lent: it is given back when this ends.
  class Loan {
   public:
    Loan(NodeSessions& owner, std::string node, Session session)
        : owner_(&owner), node_(std::move(node)), session_(std::move(session)) {}
    Loan(Loan&& other) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan();

    SqlSession& operator*() const { return *session_; }

    // For work that may be abandoned, and outlive the loan.
    const Session& shared() const { return session_; }

    // It is not given back when its connection broke: it is of no use to later steps.
    template <typename T>
    void judge(const Result<T>& answer) {
      broke_ = broke_ || (!answer && is_no_answer(answer.error()));
    }

   private:
    NodeSessions* owner_;
    std::string node_;
    Session session_;  // null: moved from
    bool broke_ = false;
  };

  explicit NodeSessions(Connect connect) : connect_(std::move(connect)) {}

  // Gives a node its first session.
  void add(const std::string& node, Session session) { sessions_[node] = std::move(session); }

  // Borrows the session of a node, or connects. The loan must not outlive this.
  Result<Loan> borrow(const std::string& node);

 private:
  void give_back(const std::string& node, const Session& session);
  void drop(const std::string& node, const Session& session);

  const Connect connect_;
  std::mutex mutex_;  // of these two
  std::map<std::string, Session> sessions_;
  std::set<std::string> lent_;  // names of nodes
};

}  // namespace ha
