// SPDX-License-Identifier: MIT
#include "common/execute/guard_sessions.h"

#include <algorithm>
#include <utility>

#include "common/mysql/variables.h"

namespace ha {

namespace {

// Shows life and role. Needs no privilege and touches no table.
constexpr char kQuestion[] = "SELECT @@GLOBAL.read_only";

NodeWord word_of(const Error& error, bool new_session) {
  if (is_no_answer(error)) return {NodeWord::Kind::kFails, {}, new_session, error.text};
  if (error.code == Errc::kInternal)
    return {NodeWord::Kind::kNotAsked, {}, new_session, error.text};
  return {NodeWord::Kind::kRefuses, {}, new_session, error.text};
}

unsigned whole_seconds(double seconds) {
  return std::max(1u, static_cast<unsigned>(seconds + 0.999));
}

}  // namespace

GuardSessions::GuardSessions(const ProbeEnv& env, const ClusterOptions& cluster, double answer_s)
    : env_(env), login_(cluster.mysql), answer_s_(answer_s) {
  for (const NodeAddress& node : cluster.nodes) places_.push_back({node});
}

GuardSessions::Answer GuardSessions::ask_node(const ProbeEnv& env,
                                              std::shared_ptr<SqlSession> session,
                                              const MysqlOptions& login) {
  if (session)
    if (const auto answer = query_value(*session, kQuestion))
      return {{NodeWord::Kind::kAnswers, is_on(*answer)}, std::move(session)};
  session.reset();
  auto fresh = env.connector.connect(login);
  if (!fresh) return {word_of(fresh.error(), true)};
  const auto answer = query_value(**fresh, kQuestion);
  if (!answer) return {word_of(answer.error(), true)};
  return {{NodeWord::Kind::kAnswers, is_on(*answer), true}, std::move(*fresh)};
}

std::vector<NodeWord> GuardSessions::ask(const Deadline& deadline) {
  for (Place& place : places_) {
    if (place.pending) continue;
    MysqlOptions login = options_for(place.node, login_, answer_s_);
    login.answer_timeout_s = whole_seconds(answer_s_);
    auto begun = Pending<Answer>::begin(
        env_.workers, [env = env_, session = std::exchange(place.session, nullptr), login] {
          return ask_node(env, session, login);
        });
    if (begun) place.pending = std::move(*begun);
  }
  std::vector<NodeWord> words;
  for (Place& place : places_) {
    NodeWord& word = words.emplace_back();
    if (!place.pending)
      word = {NodeWord::Kind::kNotAsked, {}, false, "no thread is left to ask " + place.node.name};
    else if (place.pending->wait(deadline)) {
      Answer answer = place.pending->result().value_or(
          Answer{{NodeWord::Kind::kNotAsked, {}, false, "no memory to ask " + place.node.name}});
      place.pending.reset();
      word = std::move(answer.word);
      place.session = std::move(answer.session);
    }
  }
  return words;
}

std::vector<int> GuardSessions::idle() const {
  std::vector<int> descriptors;
  for (const Place& place : places_)
    if (place.session && place.session->socket() >= 0)
      descriptors.push_back(place.session->socket());
  return descriptors;
}

}  // namespace ha
