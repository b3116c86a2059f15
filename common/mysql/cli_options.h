// SPDX-License-Identifier: MIT
// What a command line says of servers: the options of check_mysql, by the same letters, what their
// defaults file adds, and the write probe.

#pragma once

#include "common/cli.h"
#include "common/mysql/options.h"
#include "common/mysql/write_probe.h"
#include "common/result.h"

namespace ha {

class DefaultsFiles;

// Adds the connection options; call it after the Cli's construction. Targets must outlive parse().
void add_mysql_options(Cli& cli, MysqlOptions& options);

// Completes the options by what their defaults file says, once parse() has ended. Fails with kUsage
// as read_defaults_file(), or with the option and the file when one that they name cannot be read,
// for the libraries notice it late or never. `files` is for options that may share one.
Result<Done> complete_login(MysqlOptions& options, DefaultsFiles& files);
Result<Done> complete_login(MysqlOptions& options);

// Adds --write-probe.
void add_write_probe_option(Cli& cli, WriteProbe& probe);

}  // namespace ha
