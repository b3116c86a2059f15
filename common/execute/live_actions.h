// SPDX-License-Identifier: MIT
// The steps of a plan done to real servers: SQL through one session for each node, commands of the
// operator's, the virtual IP, files.

#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/observation.h"
#include "common/context/votes.h"
#include "common/env.h"
#include "common/execute/executor.h"
#include "common/execute/node_sessions.h"
#include "common/execute/run_statements.h"
#include "common/failover/contradiction.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/process.h"

namespace ha {

class LiveActions : public Actions {
 public:
  // `run_id` names the run in the environment of commands; `directory` is for rescued events.
  // `votes` are those of this manager; nullopt: none are needed. `lease` is where those of a new
  // primary are kept.
  LiveActions(const Env& env, const FailoverOptions& options, const Observation& observation,
              Plan plan, std::string run_id, std::string directory,
              std::optional<std::weak_ptr<const Votes>> votes, std::weak_ptr<LeaseSlot> lease = {});

  Result<StepResult> perform(const Step& step, const RunFacts& known,
                             const Deadline& deadline) override;

 private:
  // Carries out a step without a session of its own, or with that of its node. A fence has both:
  // its program, or the node's closing.
  struct Handler {
    Result<StepResult> (LiveActions::*here)(const Step& step, const RunFacts& known,
                                            const Deadline& deadline) = nullptr;
    Result<StepResult> (LiveActions::*on_node)(const Step& step, SqlSession& session,
                                               const RunFacts& known,
                                               const Deadline& deadline) = nullptr;
  };
  static constinit const std::array<Handler, kActionCount> kHandlers;  // by Action

  // Waits while the guard of the old primary may count on its lease. Fails when there is no time
  // for that.
  Result<Done> await_end_of_lease(const Deadline& deadline) const;
  // Fails when this manager may not change the cluster any more.
  Result<Done> confirm_votes() const;
  // Fails when the plan opens a node with the lease, and the lease is not ours.
  Result<Done> confirm_lease() const;
  // Fails when a step may not be carried out for want of votes, or not be rolled back.
  Result<Done> expect_votes(const Step& step, const RunFacts& known) const;
  // Runs the step's statements and no more.
  Result<StepResult> run_all(const Step& step, SqlSession& session, const RunFacts& known,
                             const Deadline& deadline);
  Result<StepResult> lock(const Step& step, SqlSession& session, const RunFacts& known,
                          const Deadline& deadline);
  Result<Done> take_lock(SqlSession& session) const;
  Result<Done> lock_returned(const std::string& node);
  // Fails when a node is not as the plan took it to be.
  Result<StepResult> compare_view(const Step& step, SqlSession& session) const;
  Result<StepResult> confirm_dead(const Step& step, const RunFacts& known,
                                  const Deadline& deadline);
  Result<StepResult> recheck(const Step& step, const RunFacts& known, const Deadline& deadline);
  // Fails when a lock is lost, or a server contradicts the plan.
  Result<StepResult> ask_again(const Step& step, const RunFacts& known, const Deadline& deadline);
  // True when the silence of the old primary is all that is known of it; and for how long it and
  // the others that were silent are asked.
  bool doubts_death(const RunFacts& known) const;
  double asking_s(const RunFacts& known) const;
  // Fails when the old primary is alive, or another node contradicts the plan.
  Result<StepResult> compare_with_now(const Step& step, const RunFacts& known);
  // Fails when a replica has received more than the primary, which was restarted, has in its
  // binlog.
  Result<Done> compare_binlogs(const std::string& primary, const Topology& now);
  // Fails when a primary that its guard has closed is not as the guard has left it.
  Result<Done> compare_closing(SqlSession& session) const;
  // Fails when the primary of a switchover, which was closed, accepts writes.
  Result<Done> expect_closed(const Deadline& deadline);
  // Asks nodes at the same time, each by its own session.
  template <class T>
  std::vector<Result<T>> ask_each(const std::vector<std::string>& nodes, const Deadline& deadline,
                                  std::function<Result<T>(std::size_t, SqlSession&)> ask);
  // Fails when another run may have a lock by now, or a server does not tell before the deadline.
  Result<Done> expect_locks(const std::vector<std::string>& nodes, const Deadline& deadline);
  // The nodes whose locks a run still has before it opens one.
  std::vector<std::string> locked_nodes() const;
  // The nodes beside the old primary that have given no facts, and for how long one is asked again.
  std::vector<Node> silent_nodes() const;
  double glance_s() const;
  // Returns the view with these nodes as they are now.
  Topology probe_again(const std::vector<Node>& nodes, double seconds) const;
  void link(Topology& topology) const;
  // Reads nodes once more into a view.
  Result<Done> read_into(Topology& now, const std::vector<std::string>& nodes);
  // Fails when a node that was silent answers and contradicts the plan.
  Result<StepResult> judge_returned(Topology now, const RunFacts& known);
  // The other replicas of the old primary: all, or those whose receivers the plan does not stop.
  enum class Siblings { kAll, kReceiving };
  std::vector<std::string> siblings(Siblings which) const;
  // Fails when one has received more than the candidate since the plan was made.
  Result<Done> compare_siblings(const Topology& now, const RunFacts& known) const;
  Result<Done> compare_receiving(Topology now, const RunFacts& known);
  Result<StepResult> run_command(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> run_fence(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> close_writers(const Step& step, SqlSession& session, const RunFacts& known,
                                   const Deadline& deadline);
  // Closes a server whose clients wait for replicas in their commits and hold up the closing.
  Result<Done> close_behind_commits(const Step& step, SqlSession& session, const RunFacts& known,
                                    const Deadline& deadline);
  Result<StepResult> drain(const Step& step, SqlSession& session, const RunFacts& known,
                           const Deadline& deadline);
  Result<StepResult> revoke(const Step& step, SqlSession& session, const RunFacts& known,
                            const Deadline& deadline);
  // Fails when a receiver that was stopped so that the old primary gets no acknowledgement receives
  // from it again.
  Result<Done> confirm_revoked(Topology now);
  Result<StepResult> move_events(const Step& step, SqlSession& session, const RunFacts& known,
                                 const Deadline& deadline);
  Result<StepResult> set_delay(const Step& step, SqlSession& session, const RunFacts& known,
                               const Deadline& deadline);
  bool has_substitute(const Step& step) const;
  Result<StepResult> wait_for_node(const Step& step, SqlSession& session, const RunFacts& known,
                                   const Deadline& deadline);
  Result<StepResult> record(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> rescue(const Step& step, SqlSession& session, const RunFacts& known,
                            const Deadline& deadline);
  Result<StepResult> save_extra(const Step& step, SqlSession& session, const RunFacts& known,
                                const Deadline& deadline);
  Result<StepResult> promote(const Step& step, SqlSession& session, const RunFacts& known,
                             const Deadline& deadline);
  Result<StepResult> restore(const Step& step, SqlSession& session, const RunFacts& known,
                             const Deadline& deadline);
  // Fails when a candidate that forgot its source has lost a part of what it had received.
  Result<Done> expect_binlog_kept(const Step& step, SqlSession& session,
                                  const RunFacts& known) const;
  // Fails when the receiver of the step's channel must not be started.
  Result<Done> expect_relay_log_kept(const Step& step, SqlSession& session) const;
  Result<StepResult> follow_source(const Step& step, SqlSession& session, const RunFacts& known,
                                   const Deadline& deadline);
  // Ends the connection that a returning node had to its source before, if it is still there.
  void end_former_connection(const Step& step);
  Result<Done> free_applier(const Step& step, const ChannelStatus* channel, SqlSession& session,
                            const RunFacts& known, const Deadline& deadline) const;
  Result<Done> wait_for_threads(const Step& step, SqlSession& session,
                                const Deadline& deadline) const;
  Result<StepResult> switch_semi_sync(const Step& step, SqlSession& session, const RunFacts& known,
                                      const Deadline& deadline);
  Result<StepResult> block_writers(const Step& step, SqlSession& session, const RunFacts& known,
                                   const Deadline& deadline);
  Result<StepResult> unblock(const Step& step, SqlSession& session, const RunFacts& known,
                             const Deadline& deadline);
  // Fails when the old primary of a planned change has taken writes after it was closed.
  Result<Done> compare_with_closing(const Step& step, SqlSession& session,
                                    const RunFacts& known) const;
  // Fails when a node that is to return has gone on after the plan was made.
  Result<Done> compare_with_plan(const Step& step, SqlSession& session, bool by_position);
  // Waits until `source` counts a replica that acknowledges, if it waits for any.
  Result<StepResult> wait_for_acknowledger(const std::string& source, SqlSession& session,
                                           const Deadline& deadline);
  // Fails when a node that has transactions to apply applies nothing, with what it waits for.
  Result<Done> expect_progress(const Step& step, SqlSession& session, const ServerFacts& wanted,
                               const Deadline& deadline) const;
  // The same, once the step's node follows its source.
  Result<StepResult> confirm_following(const Step& step, SqlSession& session,
                                       const ServerFacts& wanted, const Deadline& deadline);
  Result<StepResult> open(const Step& step, SqlSession& session, const RunFacts& known,
                          const Deadline& deadline);
  bool may_be_open(const Step& step);
  Result<StepResult> run_mha_script(const Step& step, const RunFacts& known,
                                    const Deadline& deadline);
  Result<StepResult> move_vip(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> lease(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> hand_lease(const Step& step, const RunFacts& known, const Deadline& deadline);
  Result<StepResult> write_file(const Step& step, const RunFacts& known, const Deadline& deadline);
  // Inserts an event for Pandora's console. That the account may not, or that there is no such
  // table, is told and is no failure.
  Result<StepResult> tell_console(const Step& step, const RunFacts& known,
                                  const Deadline& deadline);

  // Runs statements, with what `known` has for their placeholders. Fails before one that opens a
  // server, or lets it follow another one, when the votes are lost.
  Result<Done> run_sql(const Statements& statements, SqlSession& session, const RunFacts& known,
                       const Deadline& deadline) const;
  PlaceholderValues values_of(const RunFacts& known) const;
  Command command_of(const std::vector<std::string>& argv, const RunFacts& known) const;
  // Runs the program of a step, with what of its words is known only now.
  Result<ProcessOutcome> run_step(const Step& step, Command command,
                                  const Deadline& deadline) const;
  Result<ProcessOutcome> run_program(const std::vector<std::string>& argv, const RunFacts& known,
                                     const Deadline& deadline);
  // Runs a program that prints as mysqlbinlog does. There is no file unless its text is whole.
  Result<Done> print_events(Command command, const Deadline& deadline, const std::string& path);
  Deadline hook_deadline(const Deadline& deadline) const;
  Result<NodeSessions::Session> connect_to(const std::string& name) const;
  Result<ServerFacts> read_again(const std::string& node, SqlSession& session) const;
  Result<ServerFacts> read_received(const std::string& node, SqlSession& session) const;
  Result<ServerFacts> read_other(const std::string& node);
  const Node* find(const std::string& node) const;
  PlanAtWork at_work(const RunFacts& known) const {
    return {plan_, known, options_.policy, context_};
  }
  std::string rescued_file(const BinlogPosition& begin) const;

  const Env env_;
  const FailoverOptions options_;
  const Topology topology_;
  const Context context_;
  const Plan plan_;
  const std::string run_id_, directory_;
  // The workflow's own: what is abandoned keeps no votes.
  const std::optional<std::weak_ptr<const Votes>> votes_;
  const std::weak_ptr<LeaseSlot> lease_;
  NodeSessions sessions_{[this](const std::string& node) { return connect_to(node); }};
};

}  // namespace ha
