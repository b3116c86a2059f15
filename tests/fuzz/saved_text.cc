// SPDX-License-Identifier: MIT
// What mysqlbinlog has printed of saved transactions, with the binlog events in it: as they stand
// there, and once more without their checksums, which would keep most inputs out.

#include "common/merge/saved_text.h"

#include <sstream>

#include "common/merge/json_binary.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto describe = [](LoggedTable&) -> Result<Done> { return Done{}; };
  const auto take = [](const LoggedTable&, const RowChange&) -> Result<Done> { return Done{}; };
  std::istringstream stream{std::string(text)};
  (void)read_saved_text(
      stream, {describe, take, [](const SavedStatement&) -> Result<Done> { return Done{}; }})
      .has_value();
  (void)json_text(text).has_value();
  // A description of a format without checksums, then the text itself as events.
  std::string format(19 + 57 + 5 + 4, '\0');
  format[4] = 15;
  format[19] = 4;
  RowEvents events(describe, take);
  (void)events.read(format).has_value();
  while (text.size() >= kEventHeader) {
    const std::uint64_t length = event_length(text);
    if (length < kEventHeader || length > text.size()) break;
    if (!events.read(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
}
