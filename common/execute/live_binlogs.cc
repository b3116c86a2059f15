// SPDX-License-Identifier: MIT
// The steps of LiveActions that read transactions from binlogs.
#include <fmt/format.h>

#include "common/context/operator_program.h"
#include "common/execute/binlog_text.h"
#include "common/execute/binlog_tool.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/execute/tool_login.h"
#include "common/mysql/read_facts.h"
#include "common/text.h"

namespace ha {

// It gets its name when it is whole: what was cut off, and the rest of a run that was killed, is
// nothing that a later run would have to respect.
Result<Done> LiveActions::print_events(Command command, const Deadline& deadline,
                                       const std::string& path) {
  const std::string part = path + ".part";
  command.output_file = part;
  // It must not write into a later run's file.
  command.ends_with_us = true;
  const auto outcome = env_.process.run(command, deadline);
  Result<Done> whole = Done{};
  if (!outcome)
    whole = outcome.error();
  else if (!outcome->succeeded())
    whole = failure(describe_end(command.argv, *outcome));
  else
    whole = check_whole(env_.files, part);
  if (whole && !env_.files.rename(part, path)) whole = failure("cannot write " + path);
  // It may have filled the disk, which the journal needs.
  if (!whole) static_cast<void>(env_.files.remove(part));
  return whole;
}

// Named after where it begins: a later run must not apply it once more.
std::string LiveActions::rescued_file(const BinlogPosition& begin) const {
  const std::string place = begin.file.empty()
                                ? run_id_
                                : fmt::format("{}.{}.{}", plan_.primary, begin.file, begin.offset);
  return fmt::format("{}/{}.rescued.sql", directory_, is_file_name(place) ? place : run_id_);
}

// Applies what the dead primary wrote after what the candidate has, in a session of its own: the
// events change its settings.
Result<StepResult> LiveActions::rescue(const Step& step, SqlSession& session, const RunFacts& known,
                                       const Deadline& deadline) {
  const BinlogPosition begin = known.applied.value_or(BinlogPosition());
  if (!begin.file.empty())
    if (const auto plain = check_binlog_name(begin.file); !plain) return plain.error();
  const std::string path = rescued_file(begin);
  // Only MySQL passes over the GTIDs that it has; everybody else would apply them twice.
  const bool repeatable = plan_.by_gtid && session.version().flavour == Flavour::kMysql;
  if (!repeatable && env_.files.info(path).kind != FileInfo::Kind::kMissing)
    return failure("the rescue was begun before and is not repeated; see " + path);
  if (const auto done =
          print_events(command_of(step.argv, known), program_deadline(step, deadline), path);
      !done)
    return done.error();
  const auto applier = connect_to(step.node);
  if (!applier) return applier.error();
  // read_only stays, which lets only administrators write.
  const bool super = session.version().flavour == Flavour::kMysql;
  if (super)
    if (const auto open = session.query("SET GLOBAL super_read_only=0"); !open) return open.error();
  const auto applied = apply_events(env_.files, path, **applier);
  if (super)
    if (const auto closed = session.query("SET GLOBAL super_read_only=1"); !closed)
      return closed.error();
  if (!applied) return applied.error();
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  StepResult result{fmt::format("{} applied, kept in {}", in_words(*applied), path),
                    {.rescued = *applied}};
  // A node that had these transactions itself begins after them.
  if (facts->binlog) {
    result.facts.after_rescue = *facts->binlog;
  }
  return result;
}

// Writes the extra transactions of this node into a file that people can read and the mysql client
// can apply.
Result<StepResult> LiveActions::save_extra(const Step& step, SqlSession& session, const RunFacts&,
                                           const Deadline& deadline) {
  const auto other = read_other(step.other);
  if (!other) return other.error();
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  const auto logs = session.query_long("SHOW BINARY LOGS");
  if (!logs) return logs.error();
  if (logs->cells.empty()) return failure("it has no binlog");
  const Node* const node = find(step.node);
  const std::string path = fmt::format("{}/{}.extra.sql", directory_, run_id_);
  const auto login = ToolLogin::prepare(env_, *node, options_.cluster.mysql,
                                        fmt::format("{}/{}", directory_, run_id_));
  if (!login) return login.error();
  Command command{options_.binlog_command};
  if (command.argv.empty())
    command.argv = {facts->version.flavour == Flavour::kMysql ? "mysqlbinlog" : "mariadb-binlog"};
  (*login)->add_to(command);
  const auto words =
      binlog_arguments((*login)->node(), step.position, Row(*logs, 0).text("Log_name").value_or(""),
                       facts->history, other->history);
  if (!words) return words.error();
  command.argv.insert(command.argv.end(), words->begin(), words->end());
  const auto printed = print_events(std::move(command), deadline, path);
  if (!printed) return Error{printed.error().code, (*login)->explain(printed.error().text)};
  const auto count = count_transactions(env_.files, path);
  if (!count) return count.error();
  return StepResult{fmt::format("{} saved in {}", in_words(*count), path)};
}

}  // namespace ha
