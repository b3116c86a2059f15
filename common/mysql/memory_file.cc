// SPDX-License-Identifier: MIT
#include "common/mysql/memory_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/address.h"
#include "common/mysql/topology.h"
#include "common/text.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "monitoring-plugins-ha memory 1";
// A clock that shows seconds is not written more often.
constexpr double kPrecision_s = 5;

// Getters that take whatever is no such value for an absent one.
std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<double> number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

template <class Integer>
std::optional<Integer> integer_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<Integer>();
}

std::optional<bool> flag_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

Json list_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_array() ? *found : Json::array();
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const SemiSync& semi_sync) {
  return {{"source_variable", semi_sync.source_variable},
          {"source_enabled", or_null(semi_sync.source_enabled)},
          {"replica_enabled", or_null(semi_sync.replica_enabled)},
          {"source_active", or_null(semi_sync.source_active)},
          {"clients", or_null(semi_sync.clients)},
          {"replica_variable", semi_sync.replica_variable},
          {"timeout_ms", or_null(semi_sync.timeout_ms)},
          {"after_sync", or_null(semi_sync.after_sync)},
          {"wait_no_replica", or_null(semi_sync.wait_no_replica)},
          {"wait_count", or_null(semi_sync.wait_count)}};
}

SemiSync semi_sync_of(const Json& json) {
  SemiSync semi_sync;
  semi_sync.source_variable = text_of(json, "source_variable");
  semi_sync.source_enabled = flag_of(json, "source_enabled");
  semi_sync.replica_enabled = flag_of(json, "replica_enabled");
  semi_sync.source_active = flag_of(json, "source_active");
  semi_sync.clients = integer_of<std::int64_t>(json, "clients");
  semi_sync.replica_variable = text_of(json, "replica_variable");
  semi_sync.timeout_ms = integer_of<std::int64_t>(json, "timeout_ms");
  semi_sync.after_sync = flag_of(json, "after_sync");
  semi_sync.wait_no_replica = flag_of(json, "wait_no_replica");
  semi_sync.wait_count = integer_of<std::int64_t>(json, "wait_count");
  return semi_sync;
}

constexpr std::pair<ThreadState, const char*> kThreadStates[] = {
    {ThreadState::kRunning, "running"},
    {ThreadState::kConnecting, "connecting"},
    {ThreadState::kStopped, "stopped"}};
constexpr std::pair<ReadOnlyOrigin, const char*> kOrigins[] = {
    {ReadOnlyOrigin::kUnknown, "unknown"},
    {ReadOnlyOrigin::kDefault, "default"},
    {ReadOnlyOrigin::kOptionFile, "option-file"},
    {ReadOnlyOrigin::kPersisted, "persisted"},
    {ReadOnlyOrigin::kSql, "sql"}};

template <class Words, class Value>
const char* word_of(const Words& words, Value value) {
  for (const auto& [one, word] : words)
    if (one == value) return word;
  return "";
}

template <class Words, class Value>
Value value_of(const Words& words, const std::string& text, Value otherwise) {
  for (const auto& [value, word] : words)
    if (text == word) return value;
  return otherwise;
}

Json to_json(const SeenChannel& channel) {
  return {{"name", channel.name},
          {"source", channel.source},
          {"address", channel.address},
          {"io", word_of(kThreadStates, channel.io.state)},
          {"io_error_number", channel.io.error_number},
          {"io_error", channel.io.error},
          {"io_since_s", or_null(channel.io_since_s)},
          {"read_file", channel.read.file},
          {"read_offset", channel.read.offset},
          {"uses_gtid", channel.uses_gtid}};
}

SeenChannel channel_of(const Json& json) {
  return {text_of(json, "name"),
          text_of(json, "source"),
          text_of(json, "address"),
          {value_of(kThreadStates, text_of(json, "io"), ThreadState::kStopped),
           integer_of<unsigned>(json, "io_error_number").value_or(0), text_of(json, "io_error")},
          number_of(json, "io_since_s"),
          {text_of(json, "read_file"), integer_of<std::uint64_t>(json, "read_offset").value_or(0)},
          flag_of(json, "uses_gtid").value_or(false)};
}

Json to_json(const BinlogScope& scope) {
  return {{"do_db", scope.do_db}, {"ignore_db", scope.ignore_db}, {"format", scope.format}};
}

Json to_json(const SeenNode& node) {
  Json channels = Json::array();
  for (const SeenChannel& channel : node.channels) channels.push_back(to_json(channel));
  return {{"seen_s", node.seen_s},
          {"address", node.address},
          {"version", node.version.text},
          {"server_id", node.server_id},
          {"server_uuid", node.server_uuid},
          {"read_only", or_null(node.read_only)},
          {"read_only_origin", word_of(kOrigins, node.read_only_origin)},
          {"semi_sync", to_json(node.semi_sync)},
          {"binlog_scope", node.binlog_scope ? to_json(*node.binlog_scope) : Json()},
          {"addresses", node.addresses},
          {"channels", channels}};
}

SeenNode node_of(const Json& json) {
  SeenNode node;
  node.seen_s = number_of(json, "seen_s").value_or(0);
  node.address = text_of(json, "address");
  node.version = parse_version(text_of(json, "version"));
  node.server_id = integer_of<std::uint32_t>(json, "server_id").value_or(0);
  node.server_uuid = text_of(json, "server_uuid");
  node.read_only = flag_of(json, "read_only");
  node.read_only_origin =
      value_of(kOrigins, text_of(json, "read_only_origin"), ReadOnlyOrigin::kUnknown);
  if (const auto semi_sync = json.find("semi_sync");
      semi_sync != json.end() && semi_sync->is_object())
    node.semi_sync = semi_sync_of(*semi_sync);
  if (const auto scope = json.find("binlog_scope"); scope != json.end() && scope->is_object())
    node.binlog_scope = BinlogScope{text_of(*scope, "do_db"), text_of(*scope, "ignore_db"),
                                    text_of(*scope, "format")};
  for (const Json& address : list_of(json, "addresses"))
    if (address.is_string()) node.addresses.push_back(address.get<std::string>());
  for (const Json& channel : list_of(json, "channels"))
    if (channel.is_object()) node.channels.push_back(channel_of(channel));
  return node;
}

// What a memory says apart from when it was seen.
std::string without_times(Memory memory) {
  memory.seen_s = 0;
  for (auto& [name, node] : memory.nodes) {
    node.seen_s = 0;
    // It moves with every transaction; what counts is where it stood when the node was last seen.
    for (SeenChannel& channel : node.channels) channel.read = {};
  }
  return memory_to_json(memory);
}

bool is_worth_writing(const Memory& before, const Memory& after) {
  double newest_s = 0, written_s = 0;
  for (const auto& [name, node] : after.nodes) newest_s = std::max(newest_s, node.seen_s);
  for (const auto& [name, node] : before.nodes) written_s = std::max(written_s, node.seen_s);
  // A clock that was ahead for a while must not keep the file from being written.
  return newest_s - written_s >= kPrecision_s || newest_s < written_s ||
         without_times(before) != without_times(after);
}

void keep_only(const std::vector<NodeAddress>& nodes, Memory& memory) {
  std::set<std::string> forgotten;
  for (const auto& seen : memory.nodes)
    if (std::ranges::none_of(nodes, [&](const NodeAddress& node) {
          return node.name == seen.first &&
                 format_host_port({node.host, node.port}) == seen.second.address;
        }))
      forgotten.insert(seen.first);
  std::erase_if(memory.nodes, [&](const auto& one) { return forgotten.contains(one.first); });
  // What has the name now is not the server that they followed.
  for (auto& [name, seen] : memory.nodes)
    for (SeenChannel& channel : seen.channels)
      if (forgotten.contains(channel.source)) channel.source.clear();
  if (memory.find(memory.primary) == nullptr) memory.primary.clear();
}

}  // namespace

std::string memory_to_json(const Memory& memory) {
  Json nodes = Json::object();
  for (const auto& [name, node] : memory.nodes) nodes[name] = to_json(node);
  const Json json = {{"format", kFormat},
                     {"primary", memory.primary},
                     {"seen_s", memory.seen_s},
                     {"nodes", nodes}};
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Result<Memory> parse_memory(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || text_of(json, "format") != kFormat)
    return Error{Errc::kBadData, "it is damaged or no memory of a cluster"};
  Memory memory{text_of(json, "primary"), number_of(json, "seen_s").value_or(0)};
  const auto nodes = json.find("nodes");
  if (nodes == json.end() || !nodes->is_object()) return Error{Errc::kBadData, "it names no nodes"};
  for (const auto& [name, node] : nodes->items())
    if (node.is_object()) memory.nodes[name] = node_of(node);
  return memory;
}

MemoryFile::MemoryFile(Files& files, const std::string& directory, const std::string& cluster)
    : files_(files), directory_(directory + "/" + cluster), path_(directory_ + "/memory.json") {}

Recollection MemoryFile::read(const std::vector<NodeAddress>& nodes) const {
  Recollection known;
  const auto nothing = [&](const std::string& why) {
    known.trouble = "nothing is remembered of the cluster: " + why;
    return known;
  };
  const FileInfo::Kind kind = files_.info(path_).kind;
  if (kind == FileInfo::Kind::kMissing) return nothing("there is no " + path_ + " yet");
  if (kind != FileInfo::Kind::kRegular) return nothing(path_ + " is no file");
  if (const auto ours = files_.check_private_directory(directory_); !ours)
    return nothing(ours.error().text);
  const auto content = files_.read(path_);
  if (!content) return nothing(content.error().text);
  auto memory = parse_memory(*content);
  if (!memory) return nothing(path_ + ": " + memory.error().text);
  known.memory = std::move(*memory);
  keep_only(nodes, known.memory);
  return known;
}

void MemoryFile::update(Recollection& known, const Topology& topology, double now_s) const {
  if (topology.writers().empty()) return;
  Memory memory = remember(known.memory, topology, now_s);
  if (is_worth_writing(known.memory, memory)) write(known, std::move(memory));
}

void MemoryFile::record_primary(Recollection& known, const Node& primary, double now_s) const {
  write(known, with_primary(known.memory, primary, now_s));
}

void MemoryFile::write(Recollection& known, Memory memory) const {
  const auto kept = [&]() -> Result<Done> {
    const std::string parent = directory_.substr(0, directory_.rfind('/'));
    if (const auto ours = files_.check_private_directory(parent); !ours) return ours;
    if (const auto made = files_.make_private_directory(directory_); !made) return made;
    return files_.write_atomic(path_, memory_to_json(memory));
  }();
  if (!kept) {
    known.trouble = "what was seen of the cluster is not remembered: " + kept.error().text;
    return;
  }
  known = {std::move(memory), ""};
}

}  // namespace ha
