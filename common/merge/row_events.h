// SPDX-License-Identifier: MIT
// Reads rows out of binlog events. Source: MySQL's libbinlogevents and MariaDB's log_event.h. Pure.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/merge/byte_reader.h"
#include "common/merge/logged_rows.h"
#include "common/result.h"

namespace ha {

inline constexpr std::size_t kEventHeader = 19;

// Returns how long an event is that begins so, with its header of kEventHeader bytes.
std::uint64_t event_length(std::string_view header);

class RowEvents {
 public:
  // `describe` adds what the log does not tell of a table; `take` gets each change of a row.
  using Describe = std::function<Result<Done>(LoggedTable&)>;
  using Take = std::function<Result<Done>(const LoggedTable&, const RowChange&)>;
  RowEvents(Describe describe, Take take)
      : describe_(std::move(describe)), take_(std::move(take)) {}

  // Reads an event whole. Those that neither describe tables nor have rows are passed over. Fails
  // with kBadData when it is damaged or of a kind that is not understood, or as the functions do.
  Result<Done> read(std::string_view event);

 private:
  Result<Done> read_format(std::string_view event);
  Result<Done> read_table(ByteReader body);
  Result<Done> read_rows(unsigned type, ByteReader body);
  Result<Done> read_some(RowChangeKind kind, const LoggedTable& table, ByteReader& body);

  Describe describe_;
  Take take_;
  bool has_format_ = false, has_checksum_ = false;
  std::map<std::uint64_t, LoggedTable> tables_ = {};  // of the statement, by number
};

}  // namespace ha
