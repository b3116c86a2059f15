// SPDX-License-Identifier: MIT
#include "common/heartbeat/stamp_memory.h"

#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/text.h"

namespace ha {

Result<StampMemory> StampMemory::load(const std::string& directory, const std::string& name) {
  if (const auto made = make_private_directory(directory); !made) return made.error();
  StampMemory memory;
  memory.path_ = directory + "/stamps-" + to_file_name(name) + ".json";
  const auto content = read_file(memory.path_);
  if (!content) return memory;
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (!json.is_array()) return memory;
  for (const auto& entry : json) {
    const bool sound = entry.is_array() && entry.size() == 4 && entry[0].is_string() &&
                       entry[1].is_string() && (entry[2].is_null() || entry[2].is_number()) &&
                       entry[3].is_number();
    if (!sound) continue;
    SeenStamp& seen = memory.known_[entry[0]];
    seen = {entry[1], {}, entry[3]};
    if (entry[2].is_number()) seen.written_s = entry[2].get<double>();
  }
  return memory;
}

StampAge StampMemory::age_of(const std::string& row, const LocalStamp& stamp) {
  const auto before = known_.find(row);
  const StampAge age = ha::age_of(stamp, before == known_.end() ? nullptr : &before->second);
  if (stamp.later_s) seen_[row] = remember(stamp, age);
  return age;
}

Result<Done> StampMemory::save() const {
  if (path_.empty() || seen_.empty()) return Done{};
  nlohmann::json json = nlohmann::json::array();
  for (const auto& [row, seen] : seen_)
    json.push_back({row, seen.text,
                    seen.written_s ? nlohmann::json(*seen.written_s) : nlohmann::json(nullptr),
                    seen.seen_s});
  // Names come from a server and need not be UTF-8.
  const auto replace = nlohmann::json::error_handler_t::replace;
  return write_file_atomic(path_, json.dump(-1, ' ', false, replace));
}

}  // namespace ha
