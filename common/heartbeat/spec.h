// SPDX-License-Identifier: MIT
// Which heartbeat to read and how to reach it: the presets and the options that they take, for the
// command line of check_heartbeat and the --engine values of check_engine_pair.

#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/cli.h"
#include "common/mysql/heartbeat_table.h"
#include "common/mysql/options.h"
#include "common/result.h"

namespace ha {

class DefaultsFiles;

enum class StampUnit { kDatetime, kEpoch, kEpochMs };

struct Preset;

struct HeartbeatSpec {
  const Preset* preset = nullptr;
  MysqlOptions mysql = {};
  std::string database = {}, prefix = {};  // finish() fills in the preset's
  std::string instance = {};
  std::optional<std::string> node_name = {};  // '' is Zabbix's standalone server
  HeartbeatTable heartbeat = {};              // pt-heartbeat
  std::string query = {};                     // sql: this, or the next four
  std::string table = {}, column = {}, where = {};
  StampUnit unit = StampUnit::kDatetime;
  std::string api = {}, api_credentials = {}, api_server_name = {};
  std::string file = {};
  std::string environment = {};      // icingadb: 40 hexadecimal digits, or its name
  std::string state_directory = {};  // where runs remember what they have seen; empty: nowhere
  Thresholds limits = {};            // finish() fills in the preset's
  std::set<std::string> given = {};  // names of the options that were given, of heartbeat_options()
};

// One kind of heartbeat.
struct Preset {
  std::string_view name;
  enum class Kind { kSql, kFile, kApi } kind;
  double warning_s, critical_s;  // 0: the operator must say
  std::string_view database, prefix;
  std::string_view required;  // options, separated by blanks
  std::string_view optional;
  // The writer replaces its row by deleting and inserting it, so that a reader may find none.
  bool row_may_vanish = false;
};

// All presets, in the order in which help and errors list them.
const std::vector<Preset>& presets();

// One option: its long name without dashes, and how a value is taken over.
struct HeartbeatOption {
  std::string name, metavar;
  Cli::Accept accept;
  std::string help;
};

// Returns the options of all presets, the preset itself left out; `spec` must outlive them.
std::vector<HeartbeatOption> heartbeat_options(HeartbeatSpec& spec);

// Returns the names of all presets, ", " between them.
std::string preset_names();

// Finds a preset by its name; fails with those there are.
Result<const Preset*> find_preset(std::string_view name);

// Checks that what the preset needs was given and nothing that it does not take, and fills in its
// defaults. Fails with kUsage.
Result<Done> finish(HeartbeatSpec& spec);

// Completes the account of a preset that reads a database, as complete_login() of
// common/mysql/options.h does. To the others a defaults file says nothing, but must be sound.
Result<Done> complete_login(HeartbeatSpec& spec, DefaultsFiles& files);

}  // namespace ha
