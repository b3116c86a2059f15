// SPDX-License-Identifier: MIT
// Decides a failover, a switchover or a return: a topology and a policy in, a plan or a refusal
// out. Pure and deterministic. The plan is data: numbered steps with the exact SQL or argv and what
// rolls each back, the rejected candidates with reasons, the expected loss, and a hash of all this
// and of the facts it rests on. Whenever the view is ambiguous the answer is a refusal: a wrong
// failover is worse than none.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/evidence.h"
#include "common/failover/policy.h"
#include "common/failover/refusal.h"
#include "common/failover/step.h"
#include "common/mysql/topology.h"

namespace ha {

struct Rejection {
  std::string node, reason;

  bool operator==(const Rejection&) const = default;
};

struct LossForecast {
  std::optional<std::uint64_t> transactions = {};  // that are known to exist; nullopt: no telling
  bool at_least = true;                            // the dead primary may have had more
  std::optional<double> seconds = {};              // of the candidate behind the primary
  std::string text = {};
};

// What a plan does. The words of journals and outputs are those of command_name().
enum class PlanCommand {
  kNothing,  // of a run that was killed before it wrote its plan
  kFailover,
  kSwitchover,
  kRejoin,
  kResync,
  kClose,
  kReopen,
};

// Returns the command's word, as in kSwitchover: "switchover".
std::string_view command_name(PlanCommand command);

// The other way round; nullopt for a word that names none.
std::optional<PlanCommand> parse_command(std::string_view name);

struct Plan {
  PlanCommand command = PlanCommand::kFailover;
  Refusal refusal = Refusal::kNone;
  std::string reason = {};              // of the refusal, with names
  std::vector<Objection> further = {};  // what stands in the way beside the refusal
  std::string primary = {}, candidate = {};
  std::vector<Step> steps = {};
  std::size_t candidates = 0;  // that may be promoted, the best of which is the candidate
  std::vector<Rejection> rejected = {};
  std::vector<std::string> warnings = {};     // it can be done, but
  std::vector<std::string> need_resync = {};  // nodes that no step lets follow the new primary
  LossForecast loss = {};
  std::string spare = {};  // another candidate that has received as much; empty: there is none
  // How the candidate followed the primary, for the latter's return.
  bool by_gtid = false;
  std::string channel = {};
  ChannelTls tls = {};
  ChannelRetry retry = {};
  // The primary waited for semi-sync replicas, so the node that replaces it is to wait as well.
  bool semi_sync = false;
  // The primary hangs and its replicas still receive heartbeats: only a fence makes it dead.
  bool hung = false;
  // The primary is read-only because its guard has closed it, and not because of a restart.
  bool closed_by_guard = false;
  // What proves, when it is carried out, that the old primary takes no writes; and in words.
  Evidence evidence = Evidence::kNone;
  std::string evidence_text = {};
  std::string hash = {};  // 16 hexadecimal digits
  // The run that was interrupted and whose plan this is; empty: it is a new one.
  std::string interrupted_run = {};
  std::string roll_back_reason = {};  // why that run is rolled back; empty: it is resumed

  bool possible() const { return refusal == Refusal::kNone; }
  // True when another node is to be the primary.
  bool changes_primary() const {
    return command == PlanCommand::kFailover || command == PlanCommand::kSwitchover;
  }
};

// Plans what to do now that `primary` is dead; empty: the plan finds out which node that is. With
// context.assume_dead it is a forecast, by the view that would be left without the primary:
// the same words, before and after it dies. Empty is the only writer then.
// Without it the primary may prove not to be dead, but replaced or restarted: see plan_roles.h.
Plan plan_failover(const Topology& topology, const Policy& policy, const Context& context,
                   std::string_view primary);

// Plans to promote `to` in place of the living primary; empty: the best replica.
Plan plan_switchover(const Topology& topology, const Policy& policy, const Context& context,
                     std::string_view to);

// What the journal tells of the change after which a node is to return.
struct CrashRecord {
  std::string candidate = {};  // the node that replaced it
  bool by_gtid = false;
  std::string channel = {};  // that the candidate had to it
  ChannelTls tls = {};
  ChannelRetry retry = {};
  BinlogPosition applied = {};  // how far the candidate had the node's binlog
  BinlogPosition binlog = {};   // where the candidate's own ended then
  // How many transactions the node's binlog has after `applied`; nullopt when it does not tell.
  std::optional<std::uint64_t> transactions_beyond = {};
  bool semi_sync = false;  // the node waited for semi-sync replicas when it was the primary
  bool lost = false;       // the node's binlog ends before `applied`: it lacks what it wrote itself
};

// Plans the return of `node` as a replica of the node that accepts writes: plan.candidate is the
// node, plan.primary its new source. A node that has transactions of its own is refused
// (kDiverged), and the steps of that plan close it and save them. So do the steps of every other
// refusal, where the node accepts writes beside the primary.
Plan plan_rejoin(const Topology& topology, const Policy& policy, const Context& context,
                 std::string_view node, const std::optional<CrashRecord>& record);

// Whether the extra transactions of a node are kept when its data are replaced.
enum class ExtraTransactions { kSave, kDiscard };

// Plans what comes before the data of `node` are replaced by a copy of another node's: it is
// closed, and what the primary may lack is saved. plan.candidate is the node, plan.primary its
// source later, and the plan tells how it will follow it.
Plan plan_resync(const Topology& topology, const Policy& policy, const Context& context,
                 std::string_view node, const std::optional<CrashRecord>& record,
                 ExtraTransactions extra_transactions);

// Returns the place of the node that is to be copied for a possible plan_resync(): `from`, or, when
// it is empty, a sound replica, so that the primary is spared, else the primary. Fails with kUsage
// and the reason.
Result<std::size_t> choose_donor(const Topology& topology, const Plan& plan, std::string_view from);

// Returns all that stands in the way of a plan that is not possible, for people:
// "db1 answers (primary-alive); ...".
std::string describe_refusal(const Plan& plan);

// Returns what to type after the refusal of this plan, "to ..., run: mysql_ha ...".
std::string next_command(const Plan& plan);

// Lets the words of a refusal end with what to type, unless they tell it themselves.
void add_next_command(Plan& plan);

// Returns what a plan changes, for people: "promoting db2 to replace db1".
std::string describe_change(const Plan& plan);

// Returns the line that names the evidence which the plan relies on, "evidence that db1 takes no
// writes: ..."; empty: there is none.
std::string describe_evidence(const Plan& plan);

// Prints what is lost, for people: "12 transactions, not received: ...".
std::string render(const LossForecast& loss);

// Prints a step for people, with what it runs.
std::string render(const Step& step);

// Prints a plan for people; the last line is "plan hash: HEX". A refusal is printed with its
// reason and the rejected candidates, without a hash.
std::string render(const Plan& plan);

}  // namespace ha
