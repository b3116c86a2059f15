// SPDX-License-Identifier: MIT
// When a node began to write alone, by the transactions of it that were saved.

#pragma once

#include <iosfwd>
#include <optional>
#include <string_view>

namespace ha {

// Returns the time of the first change in what mysqlbinlog printed, in seconds since the epoch;
// nullopt: there is none.
std::optional<long long> first_write(std::istream& text);

// Returns the time of the first line of an event in base64, as the lines after BINLOG ' have it;
// nullopt: it is none, or it describes the binlog itself. Source: MySQL Internals, "Binlog Event
// Header": the time in four bytes, the lowest first, then the type.
std::optional<long long> time_of_event(std::string_view base64);

}  // namespace ha
