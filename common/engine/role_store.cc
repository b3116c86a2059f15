// SPDX-License-Identifier: MIT
#include "common/engine/role_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "common/files.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

// "/var/lib/nagios4/rw/nagios.cmd" becomes "_var_lib_nagios4_rw_nagios.cmd".
std::string file_name(const std::string& engine) {
  std::string name = engine;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  // The end tells more than the beginning, and a name has at most 255 bytes.
  if (name.size() > 200) name.erase(0, name.size() - 200);
  return "engine" + name;
}

// Reads the list of flags of a member; false when it is damaged.
bool read_flags(const Json& names, std::vector<EngineFlag>& flags) {
  if (!names.is_array()) return false;
  for (const Json& name : names) {
    const auto flag = name.is_string() ? parse_engine_flag(name.get<std::string>()) : std::nullopt;
    if (!flag) return false;
    flags.push_back(*flag);
  }
  return true;
}

Json names_of(const std::vector<EngineFlag>& flags) {
  Json names = Json::array();
  for (const EngineFlag flag : flags) names.push_back(words_of(flag).name);
  return names;
}

Result<RoleRecord> load_record(const std::string& path) {
  const auto content = read_file(path);
  if (!content && content.error().code == Errc::kMissing) return RoleRecord{};
  if (!content) return content.error();
  auto record = parse_role_record(*content);
  if (!record) return Error{Errc::kBadData, path + ": " + record.error().text};
  return record;
}

}  // namespace

Result<RoleRecord> parse_role_record(std::string_view text) {
  const Error damaged{Errc::kBadData, "the record of the role is damaged"};
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("role") || !json["role"].is_string() ||
      !json.contains("changed"))
    return damaged;
  RoleRecord record;
  const auto role = parse_role(json["role"].get<std::string>());
  if (!role || !read_flags(json["changed"], record.changed)) return damaged;
  record.role = *role;
  if (json.contains("started") && json["started"].is_boolean()) record.started = json["started"];
  if (json.contains("commands_at") && json["commands_at"].is_number_integer())
    record.commands_at = json["commands_at"];
  if (json.contains("by_hand") && json["by_hand"].is_string()) record.by_hand = json["by_hand"];
  if (json.contains("sent")) {
    if (!read_flags(json["sent"], record.sent)) return damaged;
  } else if (record.open()) {
    // Written before it was kept which ones.
    record.sent = flags_of(EngineScope::kAll);
  }
  return record;
}

std::string format_role_record(const RoleRecord& record) {
  return Json{{"role", role_name(record.role)}, {"changed", names_of(record.changed)},
              {"started", record.started},      {"commands_at", record.commands_at},
              {"sent", names_of(record.sent)},  {"by_hand", record.by_hand}}
             .dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string path_of_engine(const std::string& directory, const std::string& engine) {
  return directory + "/" + file_name(engine);
}

Result<std::string> runtime_directory() {
  // The first is one file system for all units of systemd, the second has no room of its own there.
  // Which one it is must not depend on what other users do in them: handlers would not meet.
  const char* const parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
  const std::string path = fmt::format("{}/monitoring-plugins-ha-{}", parent, geteuid());
  if (const auto made = make_private_directory(path); made || made.error().code != Errc::kUsage)
    return made ? Result<std::string>(path) : made.error();
  return Error{Errc::kUsage, fmt::format("{0} is no private directory of user {1}; run as root: rm "
                                         "-r {0}, or give --state-dir",
                                         path, user_name(geteuid()))};
}

Result<RoleStore> RoleStore::open(const std::string& directory, const std::string& engine) {
  if (const auto made = make_private_directory(directory); !made) return made.error();
  return RoleStore(path_of_engine(directory, engine) + ".json");
}

Result<RoleRecord> RoleStore::load() const { return load_record(path_); }

Result<Done> RoleStore::save(const RoleRecord& record) const {
  return write_file_atomic(path_, format_role_record(record));
}

Result<RoleRecord> peek_role_record(const std::string& directory, const std::string& engine) {
  return load_record(path_of_engine(directory, engine) + ".json");
}

}  // namespace ha
