// SPDX-License-Identifier: MIT
#include "plugins/check_vip.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "common/cli.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/connect.h"
#include "common/mysql/session.h"
#include "common/parallel.h"
#include "common/text.h"
#include "common/thresholds.h"
#include "common/vip/neighbours.h"

namespace ha {

namespace {

// `write` is asked of a server that takes writes, unless its table is empty.
Result<ServerIdentity> read_identity(const MysqlOptions& options, const WriteProbe& write,
                                     const Deadline& deadline) {
  auto connected = connect(options);
  if (!connected) return connected.error();
  const std::shared_ptr<SqlSession> session = std::move(*connected);
  auto server = read_server_identity(*session);
  if (!server || write.table.empty() || server->takes_writes() != true) return server;
  ThreadWorkers workers;
  const ProbeResult result =
      try_writes(workers, {{session, server->server_id}}, write.table, deadline)[0];
  if (!result.refused.empty()) server->obstacles.reasons.push_back(result.refused);
  server->obstacles.unread = result.unknown;
  return server;
}

// The interface in the network of the address: what is on lo or a tunnel belongs to that of
// another.
std::optional<std::string> find_interface(const VipOptions& vip, const Interfaces& ours) {
  if (const std::string device = vip.device(); !device.empty()) return device;
  const auto held = find_own(ours, vip.address);
  if (held && std::ranges::find(ours.ethernet, held->interface, &EthernetInterface::name) !=
                  ours.ethernet.end())
    return held->interface;
  return find_network(ours.addresses, vip.address);
}

// No neighbour gets an answer from this machine.
bool is_hidden(const LocalAddress& held, const VipOptions& vip, const Interfaces& ours) {
  return std::ranges::find(ours.ethernet, held.interface, &EthernetInterface::name) ==
             ours.ethernet.end() &&
         !answers_for_others(find_interface(vip, ours).value_or("all"), held.address);
}

Result<std::set<std::string>> ask_network(const VipOptions& vip, const Interfaces& ours,
                                          const Deadline& deadline) {
  const std::optional<std::string> interface = find_interface(vip, ours);
  if (!interface)
    return Error{Errc::kUsage, fmt::format("no interface of ours is in the network of {}: name one "
                                           "with --interface",
                                           vip.address)};
  return find_claimants(*interface, vip.address, deadline);
}

// One of the answers that are waited for at the same time.
struct Answer {
  Answer() = default;
  explicit Answer(Result<ServerIdentity> one) : server(std::move(one)) {}
  explicit Answer(Result<std::set<std::string>> one) : others(std::move(one)) {}
  explicit Answer(const Error& error) : server(error), others(error) {}

  std::optional<Result<ServerIdentity>> server = {};
  std::optional<Result<std::set<std::string>>> others = {};
};

}  // namespace

Result<VipFacts> gather(const VipQuestion& question, const Deadline& deadline) {
  const auto ours = read_interfaces();
  if (!ours) return ours.error();
  std::vector<NodeAddress> places = question.cluster.nodes;
  if (!places.empty()) places.push_back({"", question.vip.address, question.cluster.mysql.port});
  VipFacts facts{find_own(*ours, question.vip.address)};
  facts.hidden = facts.held && is_hidden(*facts.held, question.vip, *ours);
  // The answer to a question would correct it.
  if (const auto interface = find_interface(question.vip, *ours); interface && question.ask_network)
    facts.neighbour = known_neighbour(*interface, question.vip.address);
  // What is left is for the judging and printing, which the hard stop would cut off.
  const double left = deadline.remaining_s();
  const Deadline earlier = deadline.from_now(left - std::min(0.2, left / 10));
  const auto answers =
      run_each<Answer>(places.size() + (question.ask_network ? 1 : 0), earlier,
                       [places, question, ours = *ours, earlier](std::size_t i) {
                         if (i == places.size())
                           return Answer(ask_network(question.vip, ours, earlier));
                         // Through the address alone: that is where the clients write.
                         const bool by_address = !places.empty() && i + 1 == places.size();
                         return Answer(read_identity(
                             options_for(places[i], question.cluster.mysql, earlier.remaining_s()),
                             by_address ? question.write : WriteProbe{}, earlier));
                       });

  const Error late{Errc::kUnreachable, fmt::format("no answer within {}", format_duration(left))};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer answer = answers[i].value_or(Answer{});
    if (i == places.size())
      facts.others = answer.others.value_or(late);
    else if (i + 1 == places.size())
      facts.leads_to = answer.server.value_or(late);
    else
      facts.nodes.push_back({places[i], answer.server.value_or(late)});
  }
  return facts;
}

namespace {

bool is_held(const VipFacts& facts) {
  return facts.held && facts.held->state == AddressState::kUsable;
}

bool is_held_for_the_network(const VipFacts& facts) { return is_held(facts) && !facts.hidden; }

// Does this machine have the address as it should?
Item judge_local(const VipFacts& facts, const VipQuestion& question) {
  const std::string wanted = question.vip.device();
  Item item{"", State::kOk, "not held here"};
  bool right = is_held(facts);
  if (facts.held) {
    constexpr const char* kStates[] = {"", " but not in use yet: duplicate address detection runs",
                                       " but not in use: another machine has it"};
    item.text = fmt::format("held here on {}{}", facts.held->interface,
                            kStates[static_cast<std::size_t>(facts.held->state)]);
    if (facts.hidden) item.text += " where it answers no other machine that asks for it";
    if (!wanted.empty() && facts.held->interface != wanted) {
      item.text += " instead of " + wanted;
      right = false;
    }
  }
  if (facts.held && facts.held->state == AddressState::kDuplicate) item.state = State::kWarning;
  if (question.expect == Expect::kHeld && !right) item.state = State::kCritical;
  if (question.expect == Expect::kAbsent && facts.held) item.state = State::kCritical;
  if (item.state == State::kCritical)
    item.text +=
        question.expect == Expect::kHeld ? ", where it is expected" : ", where it is not expected";
  return item;
}

// True when a server is there, even one that refuses us.
bool answers(const Result<ServerIdentity>& server) {
  return server || (server.error().code != Errc::kUnreachable &&
                    server.error().code != Errc::kUsage && server.error().code != Errc::kInternal);
}

// The nodes that are the server which the address leads to; several when they look alike.
std::vector<std::string> led_to(const VipFacts& facts) {
  std::vector<std::string> names;
  if (!facts.leads_to || !*facts.leads_to) return names;
  for (const VipNode& node : facts.nodes)
    if (node.server && node.server->id == (*facts.leads_to)->id) names.push_back(node.address.name);
  return names;
}

// Which node does the address lead to?
Item name_server(const VipFacts& facts) {
  const std::vector<std::string> names = led_to(facts);
  if (!names.empty()) return {"", State::kOk, "leads to " + join(names, " or ")};
  std::vector<std::string> silent;
  for (const VipNode& node : facts.nodes)
    if (!node.server) silent.push_back(node.address.name);
  if (silent.empty()) return {"", State::kCritical, "leads to a server that is none of the nodes"};
  return {"", State::kUnknown, "leads to what may be " + join(silent, " or ")};
}

// And may one write there?
Item judge_lead(const VipFacts& facts) {
  const Result<ServerIdentity>& server = *facts.leads_to;
  if (!server) {
    const State state = from_error(server.error()).state;
    const char* const what = state != State::kCritical ? "it is not known where the address leads"
                             : answers(server)         ? "leads to a server that refuses"
                                                       : "leads to no server";
    return {"", state, fmt::format("{}: {}", what, server.error().text)};
  }
  Item item = name_server(facts);
  if (server->read_only == true) {
    item.state = State::kCritical;
    item.text += ", which is read-only";
  } else if (server->obstacles.any()) {
    item.state = State::kCritical;
    item.text += ", which takes no writes: " + server->obstacles.text();
  } else if (!server->takes_writes()) {
    item.state = worst(item.state, State::kUnknown);
    item.text += ", which does not tell whether it accepts writes";
    if (!server->obstacles.unread.empty()) item.text += ": " + server->obstacles.unread;
  } else {
    item.text += ", which accepts writes";
  }
  return item;
}

// A server was reached by the address, and not on this machine alone.
bool leads_out(const VipFacts& facts) {
  return facts.leads_to && answers(*facts.leads_to) && !(is_held(facts) && facts.hidden);
}

// How many hold the address, as far as it is known; nullopt when it is not.
std::optional<double> count_holders(const VipFacts& facts) {
  const std::size_t here = is_held_for_the_network(facts) ? 1 : 0;
  if (facts.others && *facts.others) return static_cast<double>((*facts.others)->size() + here);
  if (here == 1 || leads_out(facts)) return 1;
  return std::nullopt;
}

Item judge_network(const VipFacts& facts) {
  const Result<std::set<std::string>>& others = *facts.others;
  if (!others) return {"", State::kUnknown, "holders are not known: " + others.error().text};
  std::vector<std::string> holders(others->begin(), others->end());
  if (is_held_for_the_network(facts)) holders.insert(holders.begin(), "this machine");
  if (holders.size() > 1)
    return {"", State::kCritical,
            fmt::format("held by {} machines: {}", holders.size(), join(holders, ", "))};
  if (holders.size() == 1) return {"", State::kOk, "held by " + holders[0] + " alone"};
  // A server was reached all the same: the address belongs to another network than the one asked.
  if (leads_out(facts))
    return {"", State::kUnknown,
            "no machine in this network answers for it: its holders are not known"};
  return {"", State::kCritical, "held by no machine"};
}

// What this machine sent to the address went elsewhere, until it asked.
std::optional<Item> judge_neighbour(const VipFacts& facts) {
  if (!facts.neighbour || facts.held || !facts.others || !*facts.others) return std::nullopt;
  const std::set<std::string>& holders = **facts.others;
  if (holders.empty() || holders.contains(*facts.neighbour)) return std::nullopt;
  return Item{"", State::kCritical,
              fmt::format("until this check asked, this machine sent packets for the address to "
                          "{}, which does not hold it: other machines may still do so",
                          *facts.neighbour)};
}

Item judge_node(const VipNode& node, const VipFacts& facts) {
  Item item{node.address.name};
  const bool is_led_to = std::ranges::count(led_to(facts), node.address.name) > 0;
  item.identity = {{"host", node.address.host}, {"port", std::to_string(node.address.port)}};
  item.facts = {{"reachable", node.server.has_value()}, {"led_to", is_led_to}};
  if (!node.server) {
    // A node that is down is not what this check is about.
    const State state = from_error(node.server.error()).state;
    item.state = state == State::kCritical ? State::kOk : state;
    item.text = fmt::format("{}: {}", node.address.name, node.server.error().text);
    return item;
  }
  const std::optional<bool>& read_only = node.server->read_only;
  item.facts.emplace_back("server", node.server->id);
  item.facts.emplace_back("read_only", read_only ? FactValue(*read_only) : FactValue());
  const WriteObstacles& obstacles = node.server->obstacles;
  item.text = fmt::format("{}: {}{}", node.address.name,
                          !read_only        ? "read_only unknown"
                          : *read_only      ? "read-only"
                          : obstacles.any() ? "takes no writes (" + obstacles.text() + ")"
                                            : "writable",
                          is_led_to ? ", the address leads here" : "");
  return item;
}

}  // namespace

CheckResult evaluate(const VipFacts& facts, const VipQuestion& question) {
  const std::optional<double> holders = count_holders(facts);
  CheckResult result{State::kOk, "", {}, "node"};
  std::vector<Item> findings;
  if (facts.leads_to) findings.push_back(judge_lead(facts));
  if (facts.others) findings.push_back(judge_network(facts));
  if (auto stale = judge_neighbour(facts)) findings.push_back(std::move(*stale));
  findings.push_back(judge_local(facts, question));
  if (holders)
    result.state = judge(question.holders, *holders);
  else if (question.holders.warning || question.holders.critical)
    findings.push_back({"", State::kUnknown, "it is not known how many machines hold it"});
  for (const VipNode& node : facts.nodes) {
    result.items.push_back(judge_node(node, facts));
    if (result.items.back().state != State::kOk) findings.push_back(result.items.back());
  }
  std::ranges::stable_sort(findings, [](const Item& a, const Item& b) {
    return a.state != b.state && worst(a.state, b.state) == a.state;
  });
  std::vector<std::string> sentences;
  for (const Item& finding : findings) {
    result.state = worst(result.state, finding.state);
    sentences.push_back(finding.text);
  }
  result.text = fmt::format("{}: {}", question.vip.address, join(sentences, "; "));
  result.metrics = {{"held", is_held(facts) ? 1.0 : 0.0, "", {}, 0},
                    {"holders", holders, "", question.holders, 0}};
  return result;
}

namespace {

void add_options(Cli& cli, VipQuestion& question) {
  add_vip_address(cli, question.vip);
  cli.choice<Expect>("--expect",
                     {{"held", Expect::kHeld}, {"absent", Expect::kAbsent}, {"any", Expect::kAny}},
                     question.expect,
                     "whether this machine has to hold the address: held, absent or any (default)");
  cli.flag(
      "--arping", question.ask_network,
      "ask the network which machines answer for the address, by ARP or neighbour discovery (needs "
      "CAP_NET_RAW)");
  cli.thresholds(question.holders, "the number of machines that hold the address is");
  add_write_probe_option(cli, question.write);
  add_node_options(cli, question.cluster);
}

// What parse() could not know. The port of the address is that of the nodes.
Result<Done> complete(const Cli& cli, VipQuestion& question) {
  ClusterOptions& cluster = question.cluster;
  if (question.vip.address.empty()) return Error{Errc::kUsage, "--vip: missing (ADDRESS[/PREFIX])"};
  if (cluster.nodes.empty() && cluster.mysql.host.empty() && cluster.mysql.socket.empty())
    return Done{};
  if (const auto completed = complete_nodes(cli, cluster); !completed) return completed;
  if (cluster.mysql.port != 0) return Done{};
  cluster.mysql.port = cluster.nodes[0].port;
  for (const NodeAddress& node : cluster.nodes)
    if (node.port != cluster.mysql.port)
      return Error{Errc::kUsage,
                   "--port: missing; the nodes' ports differ, so that of the address "
                   "is not known"};
  return Done{};
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  VipQuestion question;
  Cli cli(clock, "check_vip",
          "Checks that one machine holds a virtual IP and that it leads to the writer.");
  add_options(cli, question);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const auto completed = complete(cli, question); !completed)
    return cli.usage_error(completed.error().text);

  cli.waiting_for(
      fmt::format("{} and {} nodes", question.vip.address, question.cluster.nodes.size()));
  const auto facts = gather(question, cli.deadline());
  CheckResult result = facts ? evaluate(*facts, question) : from_error(facts.error());
  result.notes.insert(result.notes.end(), question.cluster.notes.begin(),
                      question.cluster.notes.end());
  return cli.report(result);
}

}  // namespace ha
