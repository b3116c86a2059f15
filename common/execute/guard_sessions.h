// SPDX-License-Identifier: MIT
// The sessions of a guard, one to each node, which stay open. A round asks each node one question;
// an answer that is late is waited for in the next rounds, and its node is not asked again
// meanwhile, so a server that hangs holds one session and one worker.

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/guard_watch.h"
#include "common/mysql/session.h"
#include "common/parallel.h"

namespace ha {

class GuardSessions {
 public:
  // `answer_s`: a session that has not answered for so long is ended.
  GuardSessions(const ProbeEnv& env, const ClusterOptions& cluster, double answer_s);

  // Asks every node, logging in where there is no session, and returns what each has said by the
  // deadline, in their order.
  std::vector<NodeWord> ask(const Deadline& deadline);

  // The descriptors of the sessions that wait for nothing: one that can be read has ended.
  std::vector<int> idle() const;

 private:
  struct Answer {
    NodeWord word = {};
    std::shared_ptr<SqlSession> session = {};  // for the next question; null: there is none
  };
  struct Place {
    NodeAddress node;
    std::shared_ptr<SqlSession> session = {};  // null: none, or it is in use
    std::optional<Pending<Answer>> pending = {};
  };
  static Answer ask_node(const ProbeEnv& env, std::shared_ptr<SqlSession> session,
                         const MysqlOptions& login);

  const ProbeEnv env_;
  const MysqlOptions login_;
  const double answer_s_;
  std::vector<Place> places_;
};

}  // namespace ha
