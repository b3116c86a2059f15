// SPDX-License-Identifier: MIT
#include "common/engine/role_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "common/files.h"
#include "common/text.h"

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
  if (!json.is_object() || !json.contains("role") || !json.contains("changed") ||
      !json["changed"].is_array())
    return damaged;
  RoleRecord record;
  if (json["role"] != "active" && json["role"] != "standby") return damaged;
  record.role = json["role"] == "active" ? Role::kActive : Role::kStandby;
  for (const Json& name : json["changed"]) {
    const auto flag = name.is_string() ? parse_engine_flag(name.get<std::string>()) : std::nullopt;
    if (!flag) return damaged;
    record.changed.push_back(*flag);
  }
  if (json.contains("started") && json["started"].is_boolean()) record.started = json["started"];
  if (json.contains("commands_at") && json["commands_at"].is_number_integer())
    record.commands_at = json["commands_at"];
  return record;
}

std::string format_role_record(const RoleRecord& record) {
  Json names = Json::array();
  for (const EngineFlag flag : record.changed) names.push_back(words_of(flag).name);
  return Json{{"role", role_name(record.role)},
              {"changed", names},
              {"started", record.started},
              {"commands_at", record.commands_at}}
             .dump() +
         "\n";
}

Result<RoleStore> RoleStore::open(const std::string& directory, const std::string& engine,
                                  const Deadline& deadline) {
  if (const auto made = make_private_directory(directory); !made) return made.error();
  const std::string path = directory + "/" + file_name(engine);
  const std::string lock_path = path + ".lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0)
    return Error{Errc::kInternal,
                 fmt::format("cannot open {}: {}", lock_path, std::strerror(errno))};
  RoleStore store(path + ".json", lock);
  while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (deadline.passed())
      return Error{Errc::kRefused,
                   "another handler for this engine is still at work (it holds " + lock_path + ")"};
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return store;
}

RoleStore::RoleStore(RoleStore&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

RoleStore::~RoleStore() {
  if (lock_ >= 0) close(lock_);
}

Result<RoleRecord> RoleStore::load() const { return load_record(path_); }

Result<Done> RoleStore::save(const RoleRecord& record) const {
  return write_file_atomic(path_, format_role_record(record));
}

Result<RoleRecord> peek_role_record(const std::string& directory, const std::string& engine) {
  return load_record(directory + "/" + file_name(engine) + ".json");
}

}  // namespace ha
