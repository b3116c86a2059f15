// SPDX-License-Identifier: MIT
#include "common/merge/json_binary.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "common/merge/byte_reader.h"

namespace ha {

namespace {

constexpr int kMostDepth = 100;  // the server's own limit

class JsonText {
 public:
  explicit JsonText(std::size_t size) : values_left_(size + 1), most_text_(8 * size + 64) {}

  std::string take() { return std::move(text_); }

  // Each returns false when the bytes are no document.
  bool add_value(unsigned type, std::string_view bytes, int depth);

 private:
  // An array or object: offsets count from its beginning and have `width` bytes.
  bool add_container(std::string_view bytes, unsigned width, bool object, int depth);
  bool add_entry(std::string_view whole, std::string_view entry, unsigned width, int depth);
  bool add_literal(std::uint64_t literal);
  bool add_double(std::uint64_t bits);
  bool add_sized_string(std::string_view bytes);
  void add_string(std::string_view text);

  // What points at the same bytes again and again would grow without end.
  std::size_t values_left_;
  const std::size_t most_text_;
  std::string text_ = {};
};

bool is_inlined(unsigned type, unsigned width) {
  return (type >= 4 && type <= 6) || (width == 4 && (type == 7 || type == 8));
}

bool JsonText::add_value(unsigned type, std::string_view bytes, int depth) {
  if (values_left_-- == 0 || depth > kMostDepth || text_.size() > most_text_) return false;
  ByteReader reader(bytes);
  switch (type) {
    case 0:
    case 1:
    case 2:
    case 3:
      return add_container(bytes, type % 2 == 0 ? 2 : 4, type < 2, depth);
    case 4:
      return add_literal(reader.little(1));
    case 5:
      text_ += std::to_string(static_cast<std::int16_t>(reader.little(2)));
      return reader.ok();
    case 7:
      text_ += std::to_string(static_cast<std::int32_t>(reader.little(4)));
      return reader.ok();
    case 9:
      text_ += std::to_string(static_cast<std::int64_t>(reader.little(8)));
      return reader.ok();
    case 6:
    case 8:
    case 10:
      text_ += std::to_string(reader.little(type - 4 == 6 ? 8 : type - 4));
      return reader.ok();
    case 11:
      return add_double(reader.little(8)) && reader.ok();
    case 12:
      return add_sized_string(bytes);
    default:
      return false;
  }
}

bool JsonText::add_container(std::string_view bytes, unsigned width, bool object, int depth) {
  ByteReader head(bytes);
  const std::uint64_t count = head.little(width), size = head.little(width);
  if (!head.ok() || size > bytes.size() || count > size) return false;
  const std::string_view whole = bytes.substr(0, size);
  ByteReader keys(whole), values(whole);
  keys.bytes(std::uint64_t{2} * width);
  values.bytes(std::uint64_t{2} * width + (object ? count * (width + 2) : 0));
  text_ += object ? '{' : '[';
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) text_ += ", ";
    if (object) {
      const std::uint64_t offset = keys.little(width), length = keys.little(2);
      if (!keys.ok() || offset > size || length > size - offset) return false;
      add_string(whole.substr(offset, length));
      text_ += ": ";
    }
    const std::string_view entry = values.bytes(width + 1);
    if (!values.ok() || !add_entry(whole, entry, width, depth)) return false;
  }
  text_ += object ? '}' : ']';
  return true;
}

bool JsonText::add_entry(std::string_view whole, std::string_view entry, unsigned width,
                         int depth) {
  ByteReader reader(entry);
  const auto type = static_cast<unsigned>(reader.little(1));
  if (is_inlined(type, width)) return add_value(type, entry.substr(1), depth + 1);
  const std::uint64_t offset = reader.little(width);
  return offset < whole.size() && add_value(type, whole.substr(offset), depth + 1);
}

bool JsonText::add_literal(std::uint64_t literal) {
  constexpr const char* kWords[] = {"null", "true", "false"};
  if (literal > 2) return false;
  text_ += kWords[literal];
  return true;
}

// A whole number must stay a double.
bool JsonText::add_double(std::uint64_t bits) {
  const auto value = std::bit_cast<double>(bits);
  if (!std::isfinite(value)) return false;
  const std::string number = fmt::format("{}", value);
  text_ += number;
  if (number.find_first_of(".e") == std::string::npos) text_ += ".0";
  return true;
}

// The length has seven bits a byte, the first of which are the lowest.
bool JsonText::add_sized_string(std::string_view bytes) {
  ByteReader reader(bytes);
  std::uint64_t length = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const std::uint64_t byte = reader.little(1);
    length |= (byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    const std::string_view text = reader.bytes(length);
    add_string(text);
    return reader.ok();
  }
  return false;
}

void JsonText::add_string(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      text_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      text_ += c;
  }
  text_ += '"';
}

}  // namespace

Result<std::string> json_text(std::string_view binary) {
  // The server takes no bytes for the document null.
  if (binary.empty()) return std::string("null");
  JsonText text(binary.size());
  if (!text.add_value(static_cast<unsigned char>(binary[0]), binary.substr(1), 0))
    return Error{Errc::kBadData, "a JSON value is damaged, or holds a value that is no JSON"};
  return text.take();
}

}  // namespace ha
