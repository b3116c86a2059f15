// SPDX-License-Identifier: MIT
// What mysqlbinlog and the dump programs print.

#include "common/execute/binlog_text.h"

#include <sstream>

#include "common/resync/dump.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  std::istringstream statements{std::string(text)}, dump{std::string(text)};
  (void)for_each_statement(statements, [](const std::string& statement) -> Result<Done> {
    begins_transaction(statement);
    is_about_server(statement);
    return Done{};
  }).has_value();
  (void)read_dump_moment(dump).has_value();
  dump.clear();
  dump.seekg(0);
  (void)check_dump_end(dump).has_value();
  (void)parse_moment(text).has_value();
}
