// SPDX-License-Identifier: MIT
#include "common/merge/row_values.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <string_view>

#include "common/merge/json_binary.h"

namespace ha {

namespace {

// Source: field_types.h. MariaDB has the same numbers.
enum FieldType : unsigned {
  kTiny = 1,
  kShort = 2,
  kInt = 3,
  kSingle = 4,
  kReal = 5,
  kOldTimestamp = 7,
  kBig = 8,
  kMedium = 9,
  kDate = 10,
  kOldTime = 11,
  kOldDatetime = 12,
  kYear = 13,
  kNewDate = 14,
  kVarchar = 15,
  kBit = 16,
  kTimestamp = 17,
  kDatetime = 18,
  kTime = 19,
  kVector = 242,
  kJsonType = 245,
  kDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
  kGeometry = 255,
};

Error not_understood(const LoggedColumn& column) {
  return {Errc::kBadData, fmt::format("a value of type {} is not understood", column.type)};
}

std::string read_number(ByteReader& row, const LoggedColumn& column, unsigned bytes) {
  const std::uint64_t number = row.little(bytes);
  if (column.has_no_sign) return std::to_string(number);
  const unsigned unused = 64 - 8 * bytes;
  return std::to_string(static_cast<std::int64_t>(number << unused) >> unused);
}

// Nine decimal digits have four bytes, fewer have as few as hold them.
constexpr std::array<unsigned, 10> kDigitBytes = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

// Reads the digits of a decimal number; each byte is combined with `mask`. False: they are none.
bool read_digits(ByteReader& row, unsigned digits, unsigned char mask, std::string& text) {
  std::uint64_t number = 0;
  for (const char byte : row.bytes(kDigitBytes[digits]))
    number = number << 8 | (static_cast<unsigned char>(byte) ^ mask);
  const std::string written = std::to_string(number);
  if (written.size() > digits) return digits == 0;
  text += std::string(digits - written.size(), '0') + written;
  return true;
}

Result<std::string> read_decimal(ByteReader& row, const LoggedColumn& column) {
  const unsigned precision = column.meta >> 8, scale = column.meta & 0xff;
  if (precision > 65 || scale > 38 || scale > precision) return not_understood(column);
  const unsigned whole = precision - scale;
  const std::size_t size =
      std::size_t{4} * (whole / 9 + scale / 9) + kDigitBytes[whole % 9] + kDigitBytes[scale % 9];
  std::string bytes(row.bytes(size));
  if (bytes.empty()) return not_understood(column);
  // The first bit is the sign, negative where it is not set, and all other bits are turned then.
  const bool negative = (static_cast<unsigned char>(bytes[0]) & 0x80) == 0;
  bytes[0] = static_cast<char>(static_cast<unsigned char>(bytes[0]) ^ 0x80);
  const unsigned char mask = negative ? 0xff : 0;
  ByteReader digits(bytes);
  std::string text, fraction;
  bool fine = whole % 9 == 0 || read_digits(digits, whole % 9, mask, text);
  for (unsigned i = 0; i < whole / 9; ++i) fine = fine && read_digits(digits, 9, mask, text);
  for (unsigned i = 0; i < scale / 9; ++i) fine = fine && read_digits(digits, 9, mask, fraction);
  if (scale % 9 != 0) fine = fine && read_digits(digits, scale % 9, mask, fraction);
  if (!fine) return not_understood(column);
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  if (text.empty()) text = "0";
  return (negative ? "-" : "") + text + (scale > 0 ? "." + fraction : "");
}

// Reads the part of a second, two digits a byte, and returns it as ".123", empty without digits.
std::string read_fraction(ByteReader& row, unsigned digits) {
  const unsigned bytes = (digits + 1) / 2;
  std::uint64_t part = row.big(bytes);
  if (digits % 2 == 1) part /= 10;
  return digits == 0 ? "" : fmt::format(".{:0{}}", part, digits);
}

std::string time_of_day(std::uint64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// Returns an instant in UTC; 0 is the zero date.
std::string utc_text(std::uint64_t seconds, const std::string& fraction) {
  if (seconds == 0 && fraction.find_first_not_of(".0") == std::string::npos)
    return "0000-00-00 00:00:00" + fraction;
  // Days to a date: Howard Hinnant's civil_from_days().
  const std::uint64_t z = seconds / 86400 + 719468, era = z / 146097, day_of_era = z % 146097;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t mp = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * mp + 2) / 5 + 1;
  const std::uint64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02} {}{}", year, month, day, time_of_day(seconds % 86400),
                     fraction);
}

std::string read_datetime(ByteReader& row, unsigned digits) {
  const std::uint64_t packed = row.big(5) & 0x7fffffffffU;
  const std::uint64_t ymd = packed >> 17, hms = packed & 0x1ffff;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{}", (ymd >> 5) / 13, (ymd >> 5) % 13,
                     ymd & 31, hms >> 12, hms >> 6 & 63, hms & 63, read_fraction(row, digits));
}

// The whole value is one number, which is moved so that negative times sort before others.
std::string read_time(ByteReader& row, unsigned digits) {
  const unsigned bytes = (digits + 1) / 2, bits = 8 * bytes;
  const auto packed =
      static_cast<std::int64_t>(row.big(3 + bytes)) - (std::int64_t{0x800000} << bits);
  const std::uint64_t size = static_cast<std::uint64_t>(packed < 0 ? -packed : packed);
  const std::uint64_t hms = size >> bits;
  std::uint64_t part = size & ((std::uint64_t{1} << bits) - 1);
  if (digits % 2 == 1) part /= 10;
  return fmt::format("{}{:02}:{:02}:{:02}{}", packed < 0 ? "-" : "", hms >> 12 & 1023,
                     hms >> 6 & 63, hms & 63,
                     digits == 0 ? "" : fmt::format(".{:0{}}", part, digits));
}

// As tables of MySQL 5.5 have it: the digits of a moment as one number.
std::string old_datetime(std::uint64_t number) {
  const std::uint64_t date = number / 1000000, time = number % 1000000;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date / 10000, date / 100 % 100,
                     date % 100, time / 10000, time / 100 % 100, time % 100);
}

std::string old_time(std::uint64_t bytes) {
  const auto number = static_cast<std::int64_t>(bytes << 40) >> 40;
  const std::int64_t size = number < 0 ? -number : number;
  return fmt::format("{}{:02}:{:02}:{:02}", number < 0 ? "-" : "", size / 10000, size / 100 % 100,
                     size % 100);
}

std::string date_text(std::uint64_t packed) {
  return fmt::format("{:04}-{:02}-{:02}", packed >> 9, packed >> 5 & 15, packed & 31);
}

template <class Bits, class Real>
Result<std::string> read_real(ByteReader& row, const LoggedColumn& column) {
  const auto value = std::bit_cast<Real>(static_cast<Bits>(row.little(sizeof(Bits))));
  if (!std::isfinite(value)) return not_understood(column);
  // The server reads a FLOAT as a DOUBLE.
  return fmt::format("{}", static_cast<double>(value));
}

Result<std::string> read_bytes(ByteReader& row, const LoggedColumn& column, unsigned length_bytes) {
  if (length_bytes == 0 || length_bytes > 4) return not_understood(column);
  std::string text(row.bytes(row.little(length_bytes)));
  if (text.size() < column.padded) text.resize(column.padded, '\0');
  return text;
}

Result<std::string> read_text(ByteReader& row, const LoggedColumn& column) {
  switch (column.type) {
    case kVarchar:
    case kVarString:
    case kString:
      return read_bytes(row, column, column.meta > 255 ? 2 : 1);
    case kJsonType: {
      const auto binary = read_bytes(row, column, column.meta);
      return binary && row.ok() ? json_text(*binary) : binary;
    }
    case kTinyBlob:
    case kMediumBlob:
    case kLongBlob:
    case kBlob:
    case kGeometry:
    case kVector:
      return read_bytes(row, column, column.meta);
    default:
      return not_understood(column);
  }
}

Result<std::string> read_moment(ByteReader& row, const LoggedColumn& column) {
  if (column.meta > 6) return not_understood(column);
  switch (column.type) {
    case kOldTimestamp:
      return utc_text(row.little(4), "");
    case kTimestamp: {
      const std::uint64_t seconds = row.big(4);
      return utc_text(seconds, read_fraction(row, column.meta));
    }
    case kOldDatetime:
      return old_datetime(row.little(8));
    case kDatetime:
      return read_datetime(row, column.meta);
    case kOldTime:
      return old_time(row.little(3));
    case kTime:
      return read_time(row, column.meta);
    default:
      return date_text(row.little(3));
  }
}

}  // namespace

void read_column_meta(ByteReader& metadata, LoggedColumn& column) {
  switch (column.type) {
    case kSingle:
    case kReal:
    case kTinyBlob:
    case kMediumBlob:
    case kLongBlob:
    case kBlob:
    case kGeometry:
    case kJsonType:
    case kVector:
    case kTimestamp:
    case kDatetime:
    case kTime:
      column.meta = static_cast<unsigned>(metadata.little(1));
      break;
    case kVarchar:
    case kBit:
      column.meta = static_cast<unsigned>(metadata.little(2));
      break;
    case kDecimal:
      column.meta = static_cast<unsigned>(metadata.big(2));
      break;
    case kEnum:
    case kSet:
    case kVarString:
    case kString: {
      const auto type = static_cast<unsigned>(metadata.little(1)),
                 size = static_cast<unsigned>(metadata.little(1));
      // Two bits of a length above 255 stand, turned, in the type.
      column.meta = size | ((type & 0x30) ^ 0x30) << 4;
      if (type == kEnum || type == kSet) column.meta = size;
      column.type = type == kEnum || type == kSet ? type : type | 0x30;
      break;
    }
    default:
      break;
  }
}

Result<std::string> read_logged_value(ByteReader& row, const LoggedColumn& column) {
  switch (column.type) {
    case kTiny:
      return read_number(row, column, 1);
    case kShort:
      return read_number(row, column, 2);
    case kMedium:
      return read_number(row, column, 3);
    case kInt:
      return read_number(row, column, 4);
    case kBig:
      return read_number(row, column, 8);
    case kYear: {
      const std::uint64_t year = row.little(1);
      return year == 0 ? "0000" : std::to_string(1900 + year);
    }
    case kSingle:
      return read_real<std::uint32_t, float>(row, column);
    case kReal:
      return read_real<std::uint64_t, double>(row, column);
    case kDecimal:
      return read_decimal(row, column);
    case kBit: {
      const unsigned bytes = (column.meta >> 8) + ((column.meta & 0xff) > 0 ? 1 : 0);
      if (bytes > 8) return not_understood(column);
      return std::to_string(row.big(bytes));
    }
    case kEnum:
    case kSet:
      if (column.meta > 8) return not_understood(column);
      return std::to_string(row.little(column.meta));
    default:
      return kind_of_logged(column) == ValueKind::kTime ? read_moment(row, column)
                                                        : read_text(row, column);
  }
}

ValueKind kind_of_logged(const LoggedColumn& column) {
  switch (column.type) {
    case kTiny:
    case kShort:
    case kMedium:
    case kInt:
    case kBig:
    case kYear:
    case kDecimal:
      return ValueKind::kNumber;
    case kSingle:
      return ValueKind::kFloat;
    case kReal:
      return ValueKind::kDouble;
    case kBit:
    case kEnum:
    case kSet:
      return ValueKind::kUnsigned;
    case kOldTimestamp:
    case kTimestamp:
    case kOldDatetime:
    case kDatetime:
    case kOldTime:
    case kTime:
    case kDate:
    case kNewDate:
      return ValueKind::kTime;
    case kVarchar:
    case kVarString:
    case kString:
      return ValueKind::kText;
    default:
      return column.type == kJsonType ? ValueKind::kJson : ValueKind::kLong;
  }
}

bool is_numeric(const LoggedColumn& column) {
  switch (kind_of_logged(column)) {
    case ValueKind::kNumber:
      return column.type != kYear;
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      return true;
    default:
      return false;
  }
}

}  // namespace ha
