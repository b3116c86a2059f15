// SPDX-License-Identifier: MIT
#include "common/merge/row_events.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "common/merge/row_values.h"
#include "common/text.h"

namespace ha {

namespace {

enum EventType : unsigned {
  kFormatDescription = 15,
  kTableMap = 19,
  kWriteRowsV1 = 23,
  kDeleteRowsV1 = 25,
  kWriteRows = 30,
  kUpdateRows = 31,
  kDeleteRows = 32,
  kPartialUpdateRows = 39,
  kCompressedRows = 166,  // up to 171: MariaDB, log_bin_compress
  kLastCompressedRows = 171,
};

constexpr std::size_t kMostTables = 10000, kMostColumns = 4096;  // of a statement, of a table

Error damaged(const std::string& what) {
  return {Errc::kBadData, "an event of the binlog is damaged: " + what};
}

std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table = {};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit)
        value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320U : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t sum = 0xffffffffU;
  for (const char byte : bytes)
    sum = kTable[(sum ^ static_cast<unsigned char>(byte)) & 0xff] ^ sum >> 8;
  return ~sum;
}

bool bit_of(std::string_view bits, std::size_t place) {
  return (static_cast<unsigned char>(bits[place / 8]) >> (place % 8) & 1) != 0;
}

// What a server adds to the description of a table as far as it was told to: which numbers have no
// sign, the names of the columns.
void read_optional(ByteReader rest, LoggedTable& table) {
  while (rest.ok() && !rest.empty()) {
    const std::uint64_t kind = rest.little(1);
    ByteReader field(rest.bytes(rest.packed()));
    std::size_t number = 0;
    for (LoggedColumn& column : table.columns) {
      if (kind == 4) column.name = std::string(field.bytes(field.packed()));
      if (kind != 1 || !is_numeric(column) || number / 8 >= field.rest().size()) continue;
      // The first column has the highest bit.
      column.has_no_sign = bit_of(field.rest(), number / 8 * 8 + 7 - number % 8);
      ++number;
    }
  }
}

// Reads a row of the columns that are marked.
Result<LoggedRow> read_row(const LoggedTable& table, std::string_view present, ByteReader& body) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < table.columns.size(); ++i) count += bit_of(present, i) ? 1 : 0;
  const std::string_view nulls = body.bytes((count + 7) / 8);
  if (!body.ok()) return damaged("a row is cut off");
  LoggedRow row(table.columns.size());
  std::size_t place = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i].logged = bit_of(present, i);
    if (!row[i].logged || bit_of(nulls, place++)) continue;
    auto value = read_logged_value(body, table.columns[i]);
    if (!body.ok()) return damaged("a row is cut off");
    if (value)
      row[i].value = std::move(*value);
    else if (kind_of_logged(table.columns[i]) == ValueKind::kJson)
      row[i].logged = false;
    else
      return Error{value.error().code,
                   fmt::format("{}: column {}: {}", table.name(), i + 1, value.error().text)};
  }
  return row;
}

}  // namespace

std::uint64_t event_length(std::string_view header) {
  return ByteReader(header.substr(9)).little(4);
}

Result<Done> RowEvents::read(std::string_view event) {
  if (event.size() < kEventHeader) return damaged("it is too short");
  const unsigned type = static_cast<unsigned char>(event[4]);
  if (type == kFormatDescription) return read_format(event);
  const bool has_rows = (type >= kWriteRowsV1 && type <= kDeleteRowsV1) ||
                        (type >= kWriteRows && type <= kDeleteRows);
  if (type == kPartialUpdateRows || (type >= kCompressedRows && type <= kLastCompressedRows))
    return Error{Errc::kBadData, fmt::format("events of type {} (compressed, or of a part of a "
                                             "JSON document) are not understood",
                                             type)};
  if (type != kTableMap && !has_rows) return Done{};
  if (!has_format_) return damaged("there is none before it that describes its format");
  if (has_checksum_) {
    if (event.size() < kEventHeader + 4) return damaged("it is too short");
    const std::string_view sum = event.substr(event.size() - 4);
    event.remove_suffix(4);
    if (ByteReader(sum).little(4) != crc32(event)) return damaged("its checksum is wrong");
  }
  const ByteReader body(event.substr(kEventHeader));
  return type == kTableMap ? read_table(body) : read_rows(type, body);
}

// The last five bytes tell whether events have checksums, since MySQL 5.6 and MariaDB 5.3.
Result<Done> RowEvents::read_format(std::string_view event) {
  constexpr std::size_t kLeast = kEventHeader + 57 + 5;
  const std::uint64_t version = ByteReader(event.substr(kEventHeader)).little(2);
  const unsigned algorithm =
      event.size() < kLeast ? 0xff : static_cast<unsigned char>(event[event.size() - 5]);
  if (version != 4 || algorithm > 1)
    return Error{Errc::kBadData, "the binlog's format is not understood"};
  has_checksum_ = algorithm == 1;
  has_format_ = true;
  tables_.clear();
  return Done{};
}

Result<Done> RowEvents::read_table(ByteReader body) {
  const std::uint64_t number = body.little(6);
  body.little(2);
  LoggedTable table;
  for (std::string* const name : {&table.database, &table.table}) {
    *name = body.bytes(body.little(1));
    body.little(1);
  }
  const std::uint64_t count = body.packed();
  if (!body.ok() || count > kMostColumns) return damaged("it describes no table");
  const std::string_view types = body.bytes(count);
  ByteReader metadata(body.bytes(body.packed()));
  body.bytes((count + 7) / 8);
  for (const char type : types) {
    table.columns.push_back({static_cast<unsigned char>(type)});
    read_column_meta(metadata, table.columns.back());
  }
  if (!body.ok() || !metadata.ok()) return damaged("it describes no table");
  read_optional(body, table);
  if (tables_.size() >= kMostTables) return damaged("there are too many tables in one statement");
  if (const auto described = describe_(table); !described) return described;
  tables_[number] = std::move(table);
  return Done{};
}

Result<Done> RowEvents::read_rows(unsigned type, ByteReader body) {
  const std::uint64_t number = body.little(6), flags = body.little(2);
  if (type >= kWriteRows) {
    const std::uint64_t more = body.little(2);
    if (more < 2) return damaged("its head is too short");
    body.bytes(more - 2);
  }
  const std::uint64_t width = body.packed();
  const auto table = tables_.find(number);
  if (!body.ok() || table == tables_.end() || table->second.columns.size() != width)
    return damaged("its rows are not those of a table that was described before");
  const auto kind = static_cast<RowChangeKind>((type - kWriteRowsV1) % 7);
  if (const auto read = read_some(kind, table->second, body); !read) return read;
  if ((flags & 1) != 0) tables_.clear();  // the end of the statement
  return Done{};
}

Result<Done> RowEvents::read_some(RowChangeKind kind, const LoggedTable& table, ByteReader& body) {
  const std::size_t bytes = (table.columns.size() + 7) / 8;
  const std::string_view first = body.bytes(bytes);
  const std::string_view second = kind == RowChangeKind::kUpdate ? body.bytes(bytes) : first;
  if (!body.ok()) return damaged("a row is cut off");
  while (!body.empty()) {
    RowChange change{kind};
    const std::size_t before = body.rest().size();
    if (kind != RowChangeKind::kInsert) {
      auto row = read_row(table, first, body);
      if (!row) return row.error();
      change.before = std::move(*row);
    }
    if (kind != RowChangeKind::kDelete) {
      auto row = read_row(table, second, body);
      if (!row) return row.error();
      change.after = std::move(*row);
    }
    // Rows of no column have no bytes.
    if (body.rest().size() == before) return damaged("its rows have no columns");
    if (const auto taken = take_(table, change); !taken) return taken;
  }
  return Done{};
}

}  // namespace ha
