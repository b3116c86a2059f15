// SPDX-License-Identifier: MIT
// Writes JSON of our own files, a line each: ASCII, for people look at them on a terminal. What is
// no UTF-8 in a text is replaced: it may come from a command's output. Pure.

#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/text.h"

namespace ha {

class JsonWriter {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

  void key(std::string_view name) { text(name); }
  void null() { writer_.Null(); }

  template <class T>
  void value(const T& one) {
    if constexpr (std::is_same_v<T, bool>)
      writer_.Bool(one);
    else if constexpr (std::is_floating_point_v<T>)
      std::isfinite(one) ? writer_.Double(one) : writer_.Null();
    else if constexpr (std::is_unsigned_v<T>)
      writer_.Uint64(one);
    else if constexpr (std::is_integral_v<T>)
      writer_.Int64(one);
    else
      text(one);
  }
  // nullopt is null.
  template <class T>
  void value(const std::optional<T>& one) {
    if (one)
      value(*one);
    else
      null();
  }
  void value(const std::vector<std::string>& texts) {
    begin_array();
    for (const std::string& one : texts) text(one);
    end_array();
  }

  template <class T>
  void field(std::string_view name, const T& one) {
    key(name);
    value(one);
  }

  // What was written, when all that was begun is ended.
  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  void text(std::string_view one) {
    const auto write = [this](std::string_view valid) {
      writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
    };
    is_utf8(one) ? write(one) : write(repaired(one));
  }

  // Replaces each byte that is part of no character.
  static std::string repaired(std::string_view text) {
    std::string valid;
    while (!text.empty()) {
      const std::size_t length = utf8_length(text);
      valid += length == 0 ? "\uFFFD" : text.substr(0, length);
      text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::ASCII<>> writer_{
      buffer_};
};

}  // namespace ha
