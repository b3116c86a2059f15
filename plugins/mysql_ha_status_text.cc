// SPDX-License-Identifier: MIT
// A Status for people and for programs.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "plugins/mysql_ha_status.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

std::string render_vip(const VipView& vip) {
  std::string text =
      fmt::format("virtual IP {}: {}", vip.address,
                  vip.nodes.empty() ? vip.trouble : "leads to " + join(vip.nodes, " or "));
  if (!vip.nodes.empty() && !vip.trouble.empty()) text += ", which accepts no writes";
  return printable(text) + (vip.held ? ", held here on " + vip.held->interface : "") + "\n";
}

template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const NodeView& row, const Topology& topology) {
  Json json = {{"name", sanitize(row.name)},
               {"role", row.role},
               {"state", state_name(row.state)},
               {"writes", row.writes},
               {"follows", Json::array()},
               {"lag_s", to_json(row.lag_s)},
               {"transactions_behind", to_json(row.transactions_behind)},
               {"errant_transactions", to_json(row.errant_transactions)},
               {"notes", Json::array()}};
  for (const std::string& note : row.notes) json["notes"].push_back(sanitize(note));
  if (!row.node) return json;
  const Node& node = topology.nodes[*row.node];
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    json["follows"].push_back(node.sources[c] ? topology.nodes[*node.sources[c]].name
                                              : sanitize(node.channels()[c].source()));
  json["host"] = node.host;
  json["port"] = node.port;
  json["error"] = sanitize(node.error);
  if (node.facts) json["version"] = sanitize(node.facts->version.text);
  if (node.facts) json["server_id"] = node.facts->server_id;
  return json;
}

Json to_json(const VoteView& votes) {
  Json voters = Json::array();
  const auto or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(sanitize(text));
  };
  for (const VoterView& voter : votes.voters)
    voters.push_back({{"name", sanitize(voter.name)},
                      {"answers", voter.trouble.empty()},
                      {"trouble", sanitize(voter.trouble)},
                      {"connection", or_null(voter.connection)},
                      {"host", or_null(voter.host)}});
  return {{"needed", votes.needed()},
          {"answering", votes.answering()},
          {"given", votes.given()},
          {"majority_host", or_null(votes.majority_host())},
          {"voters", voters}};
}

Json to_json(const LeaseSummary& lease, const std::vector<std::string>& troubles) {
  Json guards = Json::array();
  // One that no voter which answers knows may be connected to the others.
  for (const GuardSighting& guard : lease.guards)
    guards.push_back(
        {{"node", guard.node},
         {"connected",
          guard.voters > 0 || lease.answering == lease.voters ? Json(guard.voters > 0) : Json()},
         {"votes", guard.votes}});
  const std::string holder = lease.holder();
  return {{"holder", holder.empty() ? Json() : Json(holder)},
          {"known", lease.is_known()},
          {"left_s", to_json(lease.left_s)},
          {"voters", lease.voters},
          {"answering", lease.answering},
          {"guards", guards},
          {"troubles", troubles}};
}

}  // namespace

std::string render_text(const Status& status, Colours colours) {
  std::string text = render_topology(status.view, colours);
  if (status.vip) text += render_vip(*status.vip);
  if (const std::string votes = describe_votes(status.votes); !votes.empty())
    text += printable(votes) + "\n";
  if (const std::string lease = describe_lease(status.lease); !lease.empty())
    text += printable(lease) + "\n";
  for (const std::string& trouble : status.lease_troubles) text += printable(trouble) + "\n";
  for (const std::string& trouble : status.guard_troubles.value_or(std::vector<std::string>()))
    text += printable(trouble) + "\n";
  const bool all_read = std::ranges::all_of(
      status.topology.nodes, [](const Node& node) { return node.facts.has_value(); });
  if (!all_read && !status.known.trouble.empty()) text += sanitize(status.known.trouble) + "\n";
  return text;
}

std::string render_json(const Status& status) {
  Json nodes = Json::array(), findings = Json::array();
  for (const NodeView& row : status.view.rows) nodes.push_back(to_json(row, status.topology));
  for (const Finding& finding : status.view.findings) {
    Json names = Json::array();
    for (const std::size_t i : finding.nodes) names.push_back(status.topology.nodes[i].name);
    findings.push_back({{"verdict", verdict_name(finding.verdict)},
                        {"state", state_name(usual_state(finding.verdict))},
                        {"nodes", names},
                        {"text", sanitize(finding.text)}});
  }
  Json json = {{"state", state_name(status.state)},
               {"nodes", nodes},
               {"findings", findings},
               {"guard_troubles", to_json(status.guard_troubles)}};
  if (const auto& vip = status.vip)
    json["vip"] = {{"address", vip->address},
                   {"held_here", vip->held.has_value()},
                   {"leads_to", vip->nodes},
                   {"trouble", sanitize(vip->trouble)}};
  if (!status.votes.voters.empty()) json["votes"] = to_json(status.votes);
  if (status.lease.voters > 0) json["lease"] = to_json(status.lease, status.lease_troubles);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace ha
