// SPDX-License-Identifier: MIT
#include "plugins/check_failover_ready.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/cli.h"
#include "common/context/posix_env.h"
#include "common/failover/plan.h"
#include "common/machine.h"
#include "common/mysql/classify.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/drain.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

class Judge {
 public:
  Judge(const ReadyFacts& facts, const Policy& policy, const ReadyLimits& limits)
      : facts_(facts),
        nodes_(facts.topology.nodes),
        policy_(policy),
        limits_(limits),
        plan_(plan_failover(facts.topology, policy, context_of(facts), "")),
        assessment_(classify(facts.topology, 1)) {
    judge_plan();
    judge_loss();
    judge_drain();
    judge_commands();
    judge_nodes();
    judge_restarts();
    add_all(judge_replicas(facts.topology, policy, plan_));
    add_all(judge_fencing(policy, plan_, facts.fence));
    judge_privileges();
    add_all(judge_votes(facts.topology, policy, plan_, facts.votes, facts.silent_voters));
    if (policy.lease_s > 0)
      add_all(judge_lease_keeping(
          std::vector<std::string>(plan_.primary.empty() ? 0 : 1, plan_.primary), facts.guards));
    add_all(judge_watchdog(policy, facts.watchdog));
    judge_surroundings();
    for (std::string& trouble : find_guard_troubles(facts.guard, policy.lease_s > 0))
      add(State::kWarning, std::move(trouble));
    blocked_ =
        !plan_.possible() || std::ranges::count(concerns_, State::kCritical, &Concern::state) > 0;
    judge_writer();
    std::ranges::stable_sort(concerns_, [](const Concern& a, const Concern& b) {
      return a.state != b.state && worst(a.state, b.state) == a.state;
    });
  }

  CheckResult result() const {
    CheckResult result{State::kOk, headline(), metrics(), "node"};
    std::vector<std::string> texts;
    for (const Concern& concern : concerns_) {
      result.state = worst(result.state, concern.state);
      texts.push_back(concern.text);
    }
    if (!texts.empty()) result.text += ": " + join(texts, "; ");
    for (std::size_t i = 0; i < nodes_.size(); ++i) result.items.push_back(describe_node(i));
    for (const std::string& note : {describe_unknown_restarts(), describe_protection(plan_),
                                    describe_votes(facts_.voters), describe_lease(facts_.guards)})
      if (!note.empty()) result.notes.push_back(note);
    if (facts_.fence.end == FenceTrial::End::kNotRun && !facts_.fence.text.empty())
      result.notes.push_back("the fence command was not tried: " + facts_.fence.text);
    return result;
  }

 private:
  void add(State state, std::string text, std::vector<std::size_t> nodes = {}) {
    if (text.find(kOwnWant) != text.npos) state = State::kUnknown;
    concerns_.push_back({state, std::move(text), std::move(nodes)});
  }

  std::optional<std::size_t> find(const std::string& name) const {
    return find_place(facts_.topology, name);
  }

  static bool is_not_asked(const Node& node) { return node.reach == Reach::kNotAsked; }

  // What a plan is worth that does not come about. It may lack only a node that was not asked
  // because of this machine.
  State state_of(Refusal refusal) const {
    const bool lacks_a_node = refusal == Refusal::kNoCandidate || refusal == Refusal::kUnreadNode ||
                              refusal == Refusal::kUnknownPrimary;
    return lacks_a_node && std::ranges::any_of(nodes_, is_not_asked) ? State::kUnknown
                                                                     : State::kCritical;
  }

  void judge_plan() {
    if (!plan_.possible()) object({plan_.refusal, plan_.reason});
    for (const Objection& one : plan_.further) object(one);
    for (const std::string& warning : plan_.warnings) add(State::kWarning, warning);
  }

  void judge_loss() {
    if (plan_.candidate.empty() || plan_.loss.transactions == 0u) return;
    const std::string& what = plan_.loss.text;
    const std::string why =
        !what.empty() ? what
        : plan_.loss.transactions
            ? plan_.candidate + " has not received all transactions"
            : fmt::format(
                  "{} has not received all transactions of {}, and their number is not known",
                  plan_.candidate, plan_.primary);
    add(State::kWarning, why + "; semi-sync replication avoids that", {*find(plan_.candidate)});
  }

  void judge_drain() {
    const auto seconds = drain_seconds();
    if (!seconds) return;
    const State state = judge(limits_.drain, *seconds);
    const bool too_long = *seconds > limits_.deadline_s / 2;
    if (state == State::kOk && !too_long) return;
    add(worst(state, too_long ? State::kWarning : State::kOk),
        fmt::format("{} would need {} to apply what it has received{}", plan_.candidate,
                    format_duration(*seconds),
                    too_long ? fmt::format(", and a failover has only {} in all",
                                           format_duration(limits_.deadline_s))
                             : ""),
        {*find(plan_.candidate)});
  }

  void add_all(std::vector<Concern> concerns) {
    std::ranges::move(concerns, std::back_inserter(concerns_));
  }

  void object(const Objection& one) {
    const State state = state_of(one.refusal);
    add(state, one.reason);
    if (one.refusal == Refusal::kNoCandidate)
      for (const Rejection& node : plan_.rejected)
        add(state, fmt::format("not {}: {}", node.node, node.reason), {*find(node.node)});
  }

  void judge_commands() {
    const bool fenced = policy_.fence == Fence::kRequired;
    const State fence = fenced ? State::kCritical : State::kWarning;
    if (policy_.fence != Fence::kNone)
      for (const auto& argv : {policy_.fence_command, policy_.mha.shutdown})
        judge_program(fence, Action::kFence, argv);
    judge_program(State::kCritical, Action::kHook, policy_.mha.secondary_check);
    judge_program(State::kCritical, Action::kMhaScript, policy_.mha.address);
    for (const auto& argv : {policy_.mha.planned_address, policy_.mha.report})
      judge_program(State::kWarning, Action::kMhaScript, argv);
    for (const std::string& one : policy_.unheeded) add(State::kWarning, one);
    for (const auto& argv : policy_.pre_failover)
      judge_program(State::kCritical, Action::kHook, argv);
    judge_program(State::kWarning, Action::kRescue, policy_.rescue_command);
    for (const auto& argv : policy_.start_services)
      judge_program(State::kWarning, Action::kStartService, argv);
    for (const auto& argv : policy_.post_failover)
      judge_program(State::kWarning, Action::kHook, argv);
    for (const auto& [node, trouble] : facts_.vip_hosts)
      if (node == plan_.primary || node == plan_.candidate)
        add(node == plan_.candidate ? State::kCritical : State::kWarning,
            fmt::format("{}: the virtual IP cannot be moved: {}", node, trouble));
    for (const auto& [path, trouble] : facts_.files) add(State::kWarning, trouble);
  }

  void judge_program(State state, Action action, const std::vector<std::string>& argv) {
    const auto trouble = argv.empty() ? facts_.programs.end() : facts_.programs.find(argv[0]);
    if (trouble != facts_.programs.end())
      add(state, fmt::format("{}: {}", action_name(action), trouble->second));
  }

  void judge_nodes() {
    for (const Finding& finding : assessment_.findings) judge_finding(finding);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].facts) continue;
      if (const auto found = facts_.accounts.find(nodes_[i].name); found != facts_.accounts.end())
        add(State::kWarning,
            fmt::format("{}: the replication account cannot be used: {}", found->first,
                        found->second),
            {i});
      if (const auto found = facts_.answers.find(nodes_[i].name);
          found != facts_.answers.end() && !found->second)
        add(State::kWarning,
            fmt::format("{}: neither its lock nor the privileges of our account are known: {}",
                        found->first, found->second.error().text),
            {i});
    }
    if (!facts_.account_trouble.empty()) add(State::kWarning, facts_.account_trouble);
    const auto candidate = find(plan_.candidate), primary = find(plan_.primary);
    if (candidate && primary && runs_events(*primary) && !runs_events(*candidate))
      add(State::kWarning,
          fmt::format("{}: its event scheduler is off, that of {} is on", plan_.candidate,
                      plan_.primary),
          {*candidate});
  }

  // When another node has replaced it, nothing else keeps a node from taking writes that comes
  // back.
  void judge_restarts() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i].facts && nodes_[i].facts->writable_after_restart() == true)
        add(State::kWarning,
            fmt::format("{} would accept writes after a restart, even when another node has "
                        "replaced it: put read_only=1 into its option file",
                        nodes_[i].name),
            {i});
  }

  // Once read_only was set by SQL, no server shows any more what its option file sets.
  std::string describe_unknown_restarts() const {
    std::vector<std::string> names;
    for (const Node& node : nodes_)
      if (node.facts && !node.facts->writable_after_restart()) names.push_back(node.name);
    return names.empty() ? ""
                         : fmt::format(
                               "it is not known whether {} would accept writes after a restart: "
                               "make sure that read_only=1 is in the option file",
                               join(names, ", "));
  }

  // Of several writers the plan speaks, of none and of one that has lost what it wrote
  // judge_writer().
  void judge_finding(const Finding& finding) {
    switch (finding.verdict) {
      case Verdict::kNoNodeReachable:
      case Verdict::kNoWriter:
      case Verdict::kWriterUnknown:
      case Verdict::kSeveralWriters:
      case Verdict::kRingOfWriters:
      case Verdict::kRing:
      case Verdict::kUnproven:
      case Verdict::kPrimaryLost:
        return;
      default:
        return add(std::ranges::any_of(finding.nodes,
                                       [this](std::size_t i) { return is_not_asked(nodes_[i]); })
                       ? State::kUnknown
                       : State::kWarning,
                   finding.text, finding.nodes);
    }
  }

  // What is out now, whether or not a failover would end it.
  void judge_writer() {
    for (const Finding& finding : assessment_.findings)
      if (finding.verdict == Verdict::kPrimaryLost)
        add(State::kCritical, finding.text, finding.nodes);
    if (!facts_.topology.active_writers().empty()) return;
    std::vector<std::string> unread;
    State state = State::kUnknown;
    for (const Node& node : nodes_) {
      if (node.facts || node.silent()) continue;
      unread.push_back(node.name);
      if (!is_not_asked(node)) state = State::kWarning;
    }
    if (!unread.empty())
      return add(state, fmt::format("no server is known to take writes, {} cannot be read",
                                    join(unread, ", ")));
    const std::vector<std::size_t> open = facts_.topology.writers();
    for (const std::size_t i : open)
      add(State::kCritical,
          fmt::format("no server takes writes: {} is not read-only and takes none: {}",
                      nodes_[i].name, nodes_[i].facts->obstacles.text()),
          {i});
    if (!open.empty()) return;
    const auto primary = find(plan_.primary);
    const bool closed = primary && nodes_[*primary].facts;
    add(State::kCritical,
        closed ? fmt::format("no server takes writes: {} answers and is read-only; to open it: "
                             "mysql_ha failover",
                             plan_.primary)
               : "no server takes writes");
  }

  bool runs_events(std::size_t i) const {
    return nodes_[i].facts && nodes_[i].facts->event_scheduler == true;
  }

  // Mostly the account is the same everywhere and lacks the same.
  void judge_privileges() {
    std::map<std::string, std::vector<std::string>> nodes;
    for (const auto& [node, answers] : facts_.answers)
      if (answers && !answers->grant.empty()) nodes[answers->grant].push_back(node);
    for (const auto& [grant, names] : nodes)
      add(limits_.unprivileged, fmt::format("our account cannot carry it out on {}; run: {}",
                                            join(names, ", "), sanitize(grant)));
  }

  void judge_surroundings() {
    if (!facts_.state.trouble.empty())
      add(State::kCritical, "--state-dir: " + facts_.state.trouble);
    if (!facts_.state.absence.empty()) add(State::kWarning, "--state-dir: " + facts_.state.absence);
    if (facts_.state.interrupted)
      add(State::kWarning,
          fmt::format(
              "run {} was interrupted: it is resumed or rolled back first; see: mysql_ha plan",
              facts_.state.interrupted->id));
    if (facts_.witnesses != Witnesses::kReached) return;  // none: the plan has it
    for (const std::string& witness : facts_.silent_witnesses)
      add(State::kWarning, fmt::format("witness {} cannot be reached", witness));
  }

  std::optional<double> drain_seconds() const {
    const auto candidate = find(plan_.candidate), primary = find(plan_.primary);
    if (!candidate || !primary) return std::nullopt;
    const Node& node = nodes_[*candidate];
    const ChannelStatus* const channel = channel_to(node, *primary);
    if (channel == nullptr) return std::nullopt;
    return is_drained(node.facts->history, *channel) ? 0 : channel->seconds_behind;
  }

  std::string headline() const {
    if (plan_.candidate.empty()) return "no failover is possible";
    const auto& lost = plan_.loss.transactions;
    const std::string loss = !lost        ? "an unknown number of transactions"
                             : *lost == 0 ? plan_.loss.at_least ? "no known transaction" : "nothing"
                                          : in_words(Extra{*lost, plan_.loss.at_least});
    if (blocked_) return fmt::format("{} could not replace {}", plan_.candidate, plan_.primary);
    return fmt::format("{} would replace {}, {} would be lost", plan_.candidate, plan_.primary,
                       loss);
  }

  std::vector<Metric> metrics() const {
    const auto& lost = plan_.loss.transactions;
    return {{"candidates", static_cast<double>(plan_.candidates), "", {}, 0},
            {"lost_transactions",
             lost ? std::optional(static_cast<double>(*lost)) : std::nullopt,
             "",
             {},
             0},
            {"drain_time", drain_seconds(), "s", limits_.drain, 0}};
  }

  Item describe_node(std::size_t i) const {
    const Node& node = nodes_[i];
    const auto rejected = std::ranges::find(plan_.rejected, node.name, &Rejection::node);
    const bool primary = node.name == plan_.primary, candidate = node.name == plan_.candidate;
    Item item{node.name};
    const std::string what = primary                            ? "the primary"
                             : candidate                        ? "would be promoted"
                             : rejected != plan_.rejected.end() ? rejected->reason
                                                                : "not considered";
    item.text = fmt::format("{}: {}", node.name, what);
    for (const Concern& concern : concerns_) {
      if (std::ranges::find(concern.nodes, i) == concern.nodes.end()) continue;
      item.state = worst(item.state, concern.state);
      if (!concern.text.ends_with(what)) item.text += "; " + concern.text;
    }
    item.identity = {{"host", node.host}, {"port", std::to_string(node.port)}};
    item.facts = {{"role", primary     ? "primary"
                           : candidate ? "candidate"
                                       : "other"},
                  {"reachable", node.alive()}};
    if (primary) item.facts.emplace_back("evidence", std::string(evidence_name(plan_.evidence)));
    if (rejected != plan_.rejected.end()) item.facts.emplace_back("rejected", rejected->reason);
    return item;
  }

  const ReadyFacts& facts_;
  const std::vector<Node>& nodes_;
  const Policy& policy_;
  const ReadyLimits& limits_;
  const Plan plan_;
  const Assessment assessment_;
  std::vector<Concern> concerns_;
  bool blocked_ = false;  // something keeps a failover from being carried out
};

}  // namespace

CheckResult evaluate(const ReadyFacts& facts, const Policy& policy, const ReadyLimits& limits) {
  return Judge(facts, policy, limits).result();
}

int plugin_main(Clock& clock, const Arguments& arguments) {
  FailoverOptions options;
  ReadyLimits limits;
  Cli cli(clock, "check_failover_ready",
          "Checks what a failover would do if the primary died now, and what would block it.");
  cli.thresholds(limits.drain,
                 "the seconds that the new primary would need to drain its relay log are");
  cli.state("--unprivileged", limits.unprivileged,
            "state when our account could not carry out a failover (default: ok, but said)");
  WriteProbe write;
  add_write_probe_option(cli, write);
  add_failover_options(cli, options);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const auto complete = complete_failover_options(cli, options); !complete)
    return cli.usage_error(complete.error().text);

  limits.deadline_s = options.deadline_s;
  cli.waiting_for(fmt::format("the answers of {} nodes", options.cluster.nodes.size()));
  CheckResult result =
      evaluate(gather(posix_env(clock), options, write, cli.deadline()), options.policy, limits);
  result.notes.insert(result.notes.end(), options.cluster.notes.begin(),
                      options.cluster.notes.end());
  return cli.report(result);
}

}  // namespace ha
