// SPDX-License-Identifier: MIT
#include "plugins/repair_options.h"

namespace ha {

void add_copy_options(Cli& cli, ResyncOptions& resync) {
  cli.choice<CopyMethod>(
      "--method",
      {{"auto", CopyMethod::kAuto},
       {"clone", CopyMethod::kClone},
       {"dump", CopyMethod::kDump},
       {"command", CopyMethod::kCommand}},
      resync.method,
      "resync, repair: how to copy (default: auto: the command where there is one, clone "
      "where it is possible, else a dump)");
  cli.choice<Verify>(
      "--verify", {{"sample", Verify::kSample}, {"full", Verify::kFull}, {"none", Verify::kNone}},
      resync.verify,
      "resync, repair: compare the rows of all tables and checksums for a tenth of the copying "
      "time (sample, default), all checksums (full) or nothing (none)");
  cli.command("--copy-command", resync.copy_command,
              "resync, repair: a command that replaces the files of a server by another's");
  cli.command("--dump-command", resync.dump_command,
              "resync, repair: how to run mysqldump (default: mysqldump or mariadb-dump)");
  cli.seconds("--copy-timeout", resync.timeout_s, "resync, repair: time to copy (default: 86400)");
}

void add_merge_table_options(Cli& cli, MergeOptions& merge) {
  cli.text("--since", "TIME", merge.since,
           "merge: rows from this time on: @SECONDS since the epoch, or a time with its zone, such "
           "as 2026-11-30T16:00:00+01:00; repair: (default: an hour before the first change that "
           "only the node has)");
  cli.text("--until", "TIME", merge.until,
           "merge: and before this time; repair: (default: in an hour)");
  cli.choice<MergePreset>(
      "--preset", {{"pandora", MergePreset::kPandora}}, merge.preset,
      "the tables of Pandora FMS: tagente_datos, tagente_datos_string, tevento");
  cli.text("--database", "NAME", merge.database,
           "where they are (default: dbname of --pandora-conf, else pandora)");
  cli.list("--table", "DB.TABLE:TIMECOLUMN[:regenerate=COLUMN]", merge.words,
           "merge, repair: a table, the column with the time of its rows, and one that the primary "
           "numbers anew; repeatable");
}

}  // namespace ha
