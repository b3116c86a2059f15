// SPDX-License-Identifier: MIT
// Writes JSON of our own files, a line each: ASCII, for people look at them on a terminal. What is
// no UTF-8 in a text is replaced: it may come from a command's output. Pure.

#pragma once

#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

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
  using Utf8 = rapidjson::UTF8<>;

  void text(std::string_view one) {
    const auto write = [this](std::string_view valid) {
      writer_.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
    };
    const bool ascii = std::ranges::all_of(one, [](char c) { return c >= 0; });
    ascii ? write(one) : write(repaired(one));
  }

  // Replaces each byte that is part of no character.
  static std::string repaired(std::string_view text) {
    rapidjson::StringBuffer valid;
    while (!text.empty()) {
      rapidjson::MemoryStream rest(text.data(), text.size());
      unsigned code = 0;
      const bool good = Utf8::Decode(rest, &code);
      Utf8::Encode(valid, good ? code : 0xFFFD);
      text.remove_prefix(good ? rest.Tell() : 1);
    }
    return {valid.GetString(), valid.GetSize()};
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer, Utf8, rapidjson::ASCII<>> writer_{buffer_};
};

}  // namespace ha
