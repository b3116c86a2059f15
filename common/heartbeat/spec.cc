// SPDX-License-Identifier: MIT
#include "common/heartbeat/spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mysql/cli_options.h"
#include "common/text.h"

namespace ha {

const std::vector<Preset>& presets() {
  using Kind = Preset::Kind;
  static const std::vector<Preset> all = {
      {"nagios1", Kind::kSql, 150, 300, "nagios", "", "", "database prefix", true},
      {"ndo", Kind::kSql, 30, 60, "nagios", "nagios_", "", "database prefix instance", true},
      {"ido", Kind::kSql, 30, 60, "icinga", "icinga_", "", "database prefix instance node-name",
       true},
      {"icingadb", Kind::kSql, 30, 65, "icingadb", "", "", "database prefix node-name environment"},
      {"zabbix", Kind::kSql, 30, 60, "zabbix", "", "", "database prefix node-name"},
      {"pandora", Kind::kSql, 60, 90, "pandora", "", "", "database prefix node-name"},
      {"pt-heartbeat", Kind::kSql, 10, 60, "heartbeat", "", "", "database"},
      {"status-dat", Kind::kFile, 90, 180, "", "", "file", ""},
      {"icinga2-api", Kind::kApi, 30, 60, "", "", "api", "api-credentials api-server-name"},
      {"sql", Kind::kSql, 0, 0, "", "", "", "database query table column unit where"},
      {"file", Kind::kFile, 0, 0, "", "", "file", ""},
  };
  return all;
}

std::string preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  return join(names, ", ");
}

Result<const Preset*> find_preset(std::string_view name) {
  for (const Preset& preset : presets())
    if (preset.name == name) return &preset;
  return Error{Errc::kUsage, fmt::format("'{}' is not one of: {}", name, preset_names())};
}

namespace {

Result<Done> take_unit(const std::string& value, StampUnit& unit) {
  const std::pair<const char*, StampUnit> units[] = {{"datetime", StampUnit::kDatetime},
                                                     {"epoch", StampUnit::kEpoch},
                                                     {"epoch-ms", StampUnit::kEpochMs}};
  for (const auto& [word, meaning] : units) {
    if (value != word) continue;
    unit = meaning;
    return Done{};
  }
  return Error{Errc::kUsage, fmt::format("'{}' is not one of: datetime, epoch, epoch-ms", value)};
}

}  // namespace

std::vector<HeartbeatOption> heartbeat_options(HeartbeatSpec& spec) {
  const auto text = [&spec](const char* name, const char* metavar, auto& target,
                            const char* help) -> HeartbeatOption {
    return {name, metavar,
            [&spec, &target, name](const std::string& value) -> Result<Done> {
              target = value;
              spec.given.insert(name);
              return Done{};
            },
            help};
  };
  return {
      text("database", "NAME", spec.database,
           "database of the tables (default: nagios, icinga, icingadb, zabbix or pandora)"),
      text("prefix", "TEXT", spec.prefix,
           "prefix of the tables' names (default: nagios_ for ndo, icinga_ for ido)"),
      text("instance", "NAME", spec.instance, "ndo, ido: instance (default: default)"),
      text("node-name", "NAME", spec.node_name,
           "ido, icingadb: endpoint; zabbix: HA node; pandora: server"),
      text("environment", "ID", spec.environment,
           "icingadb: environment, where several share the database (name or 40 hex digits)"),
      text("file", "PATH", spec.file, "status-dat: the status file; file: its age counts"),
      text("api", "URL", spec.api, "icinga2-api: https://HOST:5665"),
      text("api-credentials", "FILE", spec.api_credentials,
           "its account: lines username= and password= (or a client certificate: --cert, --key)"),
      text("api-server-name", "NAME", spec.api_server_name,
           "name in its certificate, where that is not the host of the URL"),
      text("query", "SQL", spec.query,
           "sql: statement whose one row is the age in seconds and, if wanted, active 0 or 1"),
      text("table", "[DB.]TABLE", spec.table, "sql: or the table, its newest row counts"),
      text("column", "NAME", spec.column, "sql: the column with the time"),
      {"unit", "WORD",
       [&spec](const std::string& value) {
         spec.given.insert("unit");
         return take_unit(value, spec.unit);
       },
       "sql: what it holds: datetime (of the server's zone), epoch or epoch-ms"},
      text("where", "SQL", spec.where, "sql: condition for the rows that count"),
  };
}

namespace {

// `sql` takes a whole statement or the parts of one.
Result<Done> check_sql_options(const HeartbeatSpec& spec) {
  const auto has = [&](const char* name) { return spec.given.contains(name); };
  const bool parts = has("table") || has("column") || has("unit") || has("where");
  if (has("query") && parts)
    return Error{Errc::kUsage, "--query: takes the place of --table, --column, --unit and --where"};
  if (has("query")) return Done{};
  for (const char* name : {"table", "column", "unit"})
    if (!has(name))
      return Error{Errc::kUsage,
                   fmt::format("--{}: missing (--preset sql needs --query, or --table, --column "
                               "and --unit)",
                               name)};
  return Done{};
}

}  // namespace

Result<Done> finish(HeartbeatSpec& spec) {
  const Preset& preset = *spec.preset;
  const std::vector<std::string> required = split(preset.required, ' ');
  const std::vector<std::string> optional = split(preset.optional, ' ');
  for (const std::string& name : required)
    if (!name.empty() && !spec.given.contains(name))
      return Error{Errc::kUsage,
                   fmt::format("--{}: missing (--preset {} needs it)", name, preset.name)};
  for (const std::string& name : spec.given)
    if (std::ranges::find(required, name) == required.end() &&
        std::ranges::find(optional, name) == optional.end())
      return Error{Errc::kUsage,
                   fmt::format("--{}: --preset {} does not take it", name, preset.name)};
  if (preset.kind == Preset::Kind::kApi && !spec.given.contains("api-credentials") &&
      spec.mysql.certificate.empty())
    return Error{
        Errc::kUsage,
        fmt::format("--api-credentials: missing (--preset {} needs it, or --cert and --key)",
                    preset.name)};
  if (preset.name == "sql")
    if (const auto complete = check_sql_options(spec); !complete) return complete;

  if (preset.warning_s == 0 && (!spec.limits.warning || !spec.limits.critical))
    return Error{Errc::kUsage,
                 fmt::format("{}: missing (--preset {} has no thresholds of its own)",
                             spec.limits.warning ? "--critical" : "--warning", preset.name)};
  if (!spec.limits.warning) spec.limits.warning = Range{0, preset.warning_s};
  if (!spec.limits.critical) spec.limits.critical = Range{0, preset.critical_s};
  if (!spec.given.contains("database")) spec.database = preset.database;
  if (!spec.given.contains("prefix")) spec.prefix = preset.prefix;
  return Done{};
}

Result<Done> complete_login(HeartbeatSpec& spec, DefaultsFiles& files) {
  MysqlOptions login = spec.mysql;
  if (const auto complete = complete_login(login, files); !complete) return complete;
  if (spec.preset->kind == Preset::Kind::kSql) spec.mysql = std::move(login);
  return Done{};
}

}  // namespace ha
