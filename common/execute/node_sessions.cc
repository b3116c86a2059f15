// SPDX-License-Identifier: MIT
#include "common/execute/node_sessions.h"

namespace ha {

NodeSessions::Loan::~Loan() {
  if (!session_) return;
  if (broke_)
    owner_->drop(node_, session_);
  else
    owner_->give_back(node_, session_);
}

Result<NodeSessions::Loan> NodeSessions::borrow(const std::string& node) {
  {
    const std::lock_guard guard(mutex_);
    const auto found = sessions_.find(node);
    if (found != sessions_.end() && lent_.insert(node).second)
      return Loan(*this, node, found->second);
  }
  auto session = connect_(node);
  if (!session) return session.error();
  return Loan(*this, node, std::move(*session));
}

void NodeSessions::give_back(const std::string& node, const Session& session) {
  const std::lock_guard guard(mutex_);
  if (sessions_.try_emplace(node, session).first->second == session) lent_.erase(node);
}

void NodeSessions::drop(const std::string& node, const Session& session) {
  const std::lock_guard guard(mutex_);
  const auto found = sessions_.find(node);
  if (found == sessions_.end() || found->second != session) return;
  sessions_.erase(found);
  lent_.erase(node);
}

}  // namespace ha
