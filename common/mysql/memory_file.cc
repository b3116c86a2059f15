// SPDX-License-Identifier: MIT
#include "common/mysql/memory_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/address.h"
#include "common/json_reader.h"
#include "common/json_writer.h"
#include "common/mysql/topology.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr char kFormat[] = "monitoring-plugins-ha memory 1";
// A clock that shows seconds is not written more often.
constexpr double kPrecision_s = 5;

// Getters that take whatever is no such value for an absent one.
std::string text_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  return found != nullptr && found->IsString() ? json_text(*found) : "";
}

std::optional<double> number_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  return found != nullptr && found->IsNumber() ? std::optional(found->GetDouble()) : std::nullopt;
}

template <class Integer>
std::optional<Integer> integer_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  return found != nullptr ? json_integer<Integer>(*found) : std::nullopt;
}

std::optional<bool> flag_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  return found != nullptr && found->IsBool() ? std::optional(found->IsTrue()) : std::nullopt;
}

std::span<const JsonValue> list_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  if (found == nullptr || !found->IsArray()) return {};
  return {found->Begin(), found->Size()};
}

// Returns an object, or null.
const JsonValue* object_of(const JsonValue& json, const char* name) {
  const JsonValue* const found = find_member(json, name);
  return found != nullptr && found->IsObject() ? found : nullptr;
}

void write(JsonWriter& json, const SemiSync& semi_sync) {
  json.begin_object();
  json.field("source_variable", semi_sync.source_variable);
  json.field("source_enabled", semi_sync.source_enabled);
  json.field("replica_enabled", semi_sync.replica_enabled);
  json.field("source_active", semi_sync.source_active);
  json.field("clients", semi_sync.clients);
  json.field("replica_variable", semi_sync.replica_variable);
  json.field("timeout_ms", semi_sync.timeout_ms);
  json.field("after_sync", semi_sync.after_sync);
  json.field("wait_no_replica", semi_sync.wait_no_replica);
  json.field("wait_count", semi_sync.wait_count);
  json.field("replica_active", semi_sync.replica_active);
  json.end_object();
}

SemiSync semi_sync_of(const JsonValue& json) {
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
  semi_sync.replica_active = flag_of(json, "replica_active");
  return semi_sync;
}

constexpr std::pair<ThreadState, const char*> kThreadStates[] = {
    {ThreadState::kRunning, "running"},
    {ThreadState::kConnecting, "connecting"},
    {ThreadState::kStopped, "stopped"}};

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

void write(JsonWriter& json, const SeenChannel& channel) {
  json.begin_object();
  json.field("name", channel.name);
  json.field("source", channel.source);
  json.field("address", channel.address);
  json.field("io", word_of(kThreadStates, channel.io.state));
  json.field("io_error_number", channel.io.error_number);
  json.field("io_error", channel.io.error);
  json.field("io_since_s", channel.io_since_s);
  json.field("read_file", channel.read.file);
  json.field("read_offset", channel.read.offset);
  json.field("uses_gtid", channel.uses_gtid);
  json.end_object();
}

SeenChannel channel_of(const JsonValue& json) {
  return {text_of(json, "name"),
          text_of(json, "source"),
          text_of(json, "address"),
          {value_of(kThreadStates, text_of(json, "io"), ThreadState::kStopped),
           integer_of<unsigned>(json, "io_error_number").value_or(0), text_of(json, "io_error")},
          number_of(json, "io_since_s"),
          {text_of(json, "read_file"), integer_of<std::uint64_t>(json, "read_offset").value_or(0)},
          flag_of(json, "uses_gtid").value_or(false)};
}

void write(JsonWriter& json, const BinlogScope& scope) {
  json.begin_object();
  json.field("do_db", scope.do_db);
  json.field("ignore_db", scope.ignore_db);
  json.field("format", scope.format);
  json.end_object();
}

void write(JsonWriter& json, const SeenNode& node) {
  json.begin_object();
  json.field("seen_s", node.seen_s);
  json.field("address", node.address);
  json.field("version", node.version.text);
  json.field("server_id", node.server_id);
  json.field("server_uuid", node.server_uuid);
  json.field("read_only", node.read_only);
  json.key("semi_sync");
  write(json, node.semi_sync);
  json.field("semi_sync_s", node.semi_sync_s);
  json.key("binlog_scope");
  if (node.binlog_scope)
    write(json, *node.binlog_scope);
  else
    json.null();
  json.field("addresses", node.addresses);
  json.key("channels");
  json.begin_array();
  for (const SeenChannel& channel : node.channels) write(json, channel);
  json.end_array();
  json.end_object();
}

SeenNode node_of(const JsonValue& json) {
  SeenNode node;
  node.seen_s = number_of(json, "seen_s").value_or(0);
  node.address = text_of(json, "address");
  node.version = parse_version(text_of(json, "version"));
  node.server_id = integer_of<std::uint32_t>(json, "server_id").value_or(0);
  node.server_uuid = text_of(json, "server_uuid");
  node.read_only = flag_of(json, "read_only");
  if (const JsonValue* const semi_sync = object_of(json, "semi_sync"))
    node.semi_sync = semi_sync_of(*semi_sync);
  node.semi_sync_s = number_of(json, "semi_sync_s").value_or(0);
  if (const JsonValue* const scope = object_of(json, "binlog_scope"))
    node.binlog_scope = BinlogScope{text_of(*scope, "do_db"), text_of(*scope, "ignore_db"),
                                    text_of(*scope, "format")};
  for (const JsonValue& address : list_of(json, "addresses"))
    if (address.IsString()) node.addresses.push_back(json_text(address));
  for (const JsonValue& channel : list_of(json, "channels"))
    if (channel.IsObject()) node.channels.push_back(channel_of(channel));
  return node;
}

// What a memory says apart from when it was seen.
std::string without_times(Memory memory) {
  memory.seen_s = 0;
  for (auto& [name, node] : memory.nodes) {
    node.seen_s = node.semi_sync_s = 0;
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
  JsonWriter json;
  json.begin_object();
  json.field("format", kFormat);
  json.field("primary", memory.primary);
  json.field("seen_s", memory.seen_s);
  json.key("nodes");
  json.begin_object();
  for (const auto& [name, node] : memory.nodes) {
    json.key(name);
    write(json, node);
  }
  json.end_object();
  json.end_object();
  return json.take() + "\n";
}

Result<Memory> parse_memory(const std::string& text) {
  const JsonText json(text);
  const JsonValue* const object = json.object();
  if (object == nullptr || text_of(*object, "format") != kFormat)
    return Error{Errc::kBadData, "it is damaged or no memory of a cluster"};
  Memory memory{text_of(*object, "primary"), number_of(*object, "seen_s").value_or(0)};
  const JsonValue* const nodes = object_of(*object, "nodes");
  if (nodes == nullptr) return Error{Errc::kBadData, "it names no nodes"};
  for (const auto& [name, node] : nodes->GetObject())
    if (node.IsObject()) memory.nodes[json_text(name)] = node_of(node);
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
