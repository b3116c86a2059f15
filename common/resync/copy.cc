// SPDX-License-Identifier: MIT
#include "common/resync/copy.h"

#include <fmt/format.h>

#include <utility>

#include "common/execute/tool_login.h"
#include "common/resync/copier.h"

namespace ha {

std::string mebibytes(double bytes) { return fmt::format("{:.1f} MiB", bytes / (1 << 20)); }

Copier::Copier(const Env& env, const CopyTask& task, const FailoverOptions& options,
               const ResyncOptions& resync, const CopyBegins& begins, const Log& log)
    : env_(env),
      task_(task),
      options_(options),
      resync_(resync),
      log_(log),
      sessions_(env, task, options, resync),
      watch_(env, log, resync.timeout_s,
             [this] {
               verifier_.record_activity();
               sessions_.keep_alive();
             }),
      verifier_(env, sessions_, watch_, task, resync, log),
      target_(env, sessions_, task, options, resync, begins, log) {}

Result<CopyResult> Copier::copy() {
  const auto method = prepare();
  if (!method) return method.error();
  constexpr const char* kNames[] = {"", "clone", "dump", "command"};
  log_(fmt::format("copying {} to {} by {}: about {}", task_.from.name, task_.to.name,
                   kNames[static_cast<std::size_t>(*method)], mebibytes(bytes_)));
  // A file of its own: a program of a run that was killed must not write into it.
  const std::string path =
      fmt::format("{}.{}.copy", resync_path(options_, task_.to.name), task_.run_id);
  const auto done = *method == CopyMethod::kClone  ? clone()
                    : *method == CopyMethod::kDump ? dump_and_load(path)
                                                   : run_command(path);
  static_cast<void>(env_.files.remove(path));
  if (done) {
    target_.record().remove();
    return CopyResult{*done, verifier_.warnings()};
  }
  if (!target_.record().exists()) return done.error();
  return Error{done.error().code, fmt::format("{}; {} holds no complete copy; run this again",
                                              done.error().text, task_.to.name)};
}

Result<Done> Copier::check() {
  if (const auto opened = sessions_.open(); !opened) return opened;
  if (const auto surveyed = survey(); !surveyed) return surveyed;
  const auto method = choose();
  return method ? expect_privileges(*method) : Result<Done>(method.error());
}

Result<CopyMethod> Copier::prepare() {
  if (const auto opened = sessions_.open(); !opened) return opened.error();
  // No other client copies to this server, from whatever machine.
  if (const auto locked = sessions_.lock(); !locked) return locked.error();
  if (const auto surveyed = survey(); !surveyed) return surveyed.error();
  // What it wrote until it was closed is reported now, and not after hours.
  if (const auto same = target_.expect_unchanged(); !same) return same.error();
  const Engines engines = facts_.foreign_tables > 0 ? Engines::kSeveral : Engines::kInnodb;
  if (const auto begun = verifier_.begin(engines); !begun) return begun.error();
  return choose();
}

Result<Done> Copier::survey() {
  const auto rows = sessions_.source().query(
      fmt::format("SELECT SUM(data_length) AS bytes, SUM(engine <> 'InnoDB') AS foreigners,"
                  " SUM(table_type = 'SYSTEM VERSIONED') AS versioned"
                  " FROM information_schema.tables WHERE"
                  " table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN {}",
                  kSystemDatabases));
  if (!rows) return rows.error();
  facts_ = {.from = task_.from.name,
            .to = task_.to.name,
            .from_host = task_.from.host,
            .from_version = sessions_.source().version(),
            .to_version = sessions_.target().version(),
            .tls = effective_tls_mode(options_.cluster.mysql)};
  if (!rows->cells.empty()) {
    const Row row(*rows, 0);
    bytes_ = row.number("bytes").value_or(0);
    facts_.foreign_tables = row.integer("foreigners").value_or(0);
    facts_.versioned_tables = row.integer("versioned").value_or(0);
  }
  if (sessions_.is_mysql()) return Done{};
  // Before the copy: what is not in the binlog cannot move.
  const auto position = query_value(sessions_.source(), "SELECT @@GLOBAL.gtid_slave_pos");
  if (!position) return position.error();
  source_applied_ = *position;
  const auto logged = query_value(sessions_.source(), "SELECT @@GLOBAL.gtid_binlog_state");
  if (!logged) return logged.error();
  source_logged_ = *logged;
  return Done{};
}

// Where it matters, the target is asked whether it verifies certificates: otherwise it would give
// our password to any server that answers.
Result<CopyMethod> Copier::choose() {
  facts_.clone_verifies = true;
  if (facts_.tls == TlsMode::kVerifyCa && why_no_clone(facts_).empty()) {
    const auto checks =
        query_value(sessions_.target(),
                    "SELECT COUNT(*) FROM performance_schema.global_variables"
                    " WHERE variable_name = 'clone_ssl_ca' AND variable_value <> ''");
    if (!checks) return checks.error();
    facts_.clone_verifies = *checks != "0";
  }
  return choose_method(facts_, resync_);
}

Result<Done> check_copy(const Env& env, const CopyTask& task, const FailoverOptions& options,
                        const ResyncOptions& resync, const Log& log) {
  return Copier(env, task, options, resync, {}, log).check();
}

Result<CopyResult> copy_server(const Env& env, const CopyTask& task, const FailoverOptions& options,
                               const ResyncOptions& resync, const CopyBegins& begins,
                               const Log& log) {
  return Copier(env, task, options, resync, begins, log).copy();
}

void remove_leftovers_of_copies(Files& files, const std::string& store) {
  remove_login_files(files, store);
  const auto names = files.list(store);
  if (!names) return;
  for (const std::string& name : *names)
    if (name.ends_with(".copy")) static_cast<void>(files.remove(store + "/" + name));
}

}  // namespace ha
