// SPDX-License-Identifier: MIT
// Reads JSON of our own files. Journals and memories are read whole at each start of a run, when
// every moment counts: RapidJSON needs a tenth of the time of nlohmann's library. Pure.

#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ha {

using JsonValue = rapidjson::Value;

// A text that was parsed, as long as this lives.
class JsonText {
 public:
  explicit JsonText(std::string_view text) {
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
    document_.Parse<kFlags>(text.data(), text.size());
  }
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // Null: it is no object.
  const JsonValue* object() const {
    return document_.HasParseError() || !document_.IsObject() ? nullptr : &document_;
  }

 private:
  char buffer_[8192];  // most are small
  rapidjson::MemoryPoolAllocator<> pool_{buffer_, sizeof buffer_};
  rapidjson::Document document_{&pool_};
};

// Precondition: it is a text.
inline std::string json_text(const JsonValue& value) {
  return {value.GetString(), value.GetStringLength()};
}

// Returns a member of an object; null: it has none of that name.
inline const JsonValue* find_member(const JsonValue& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

// Returns an integer; nullopt when it is none, or not within the type.
template <class Integer>
std::optional<Integer> json_integer(const JsonValue& value) {
  const auto within = [](auto wide) -> std::optional<Integer> {
    return std::in_range<Integer>(wide) ? std::optional(static_cast<Integer>(wide)) : std::nullopt;
  };
  if (value.IsUint64()) return within(value.GetUint64());
  return value.IsInt64() ? within(value.GetInt64()) : std::nullopt;
}

// Takes what has to be there out of objects. Something empty is returned in place of what is not,
// and the whole is then damaged.
class JsonReader {
 public:
  bool damaged() const { return damaged_; }
  void reject() { damaged_ = true; }

  const JsonValue& member(const JsonValue& object, const char* name) {
    static const JsonValue nothing;
    const JsonValue* const found = object.IsObject() ? find_member(object, name) : nullptr;
    if (found == nullptr) reject();
    return found == nullptr ? nothing : *found;
  }

  std::string text(const JsonValue& value) {
    if (value.IsString()) return json_text(value);
    reject();
    return "";
  }
  std::string text(const JsonValue& object, const char* name) { return text(member(object, name)); }

  bool flag(const JsonValue& object, const char* name) {
    const JsonValue& value = member(object, name);
    if (!value.IsBool()) reject();
    return value.IsTrue();
  }

  double number(const JsonValue& value) {
    if (value.IsNumber()) return value.GetDouble();
    reject();
    return 0;
  }

  template <class Integer>
  Integer integer(const JsonValue& value) {
    const auto number = json_integer<Integer>(value);
    if (!number) reject();
    return number.value_or(0);
  }

  std::span<const JsonValue> list(const JsonValue& value) {
    if (value.IsArray()) return {value.Begin(), value.Size()};
    reject();
    return {};
  }
  std::span<const JsonValue> list(const JsonValue& object, const char* name) {
    return list(member(object, name));
  }

  std::vector<std::string> texts(const JsonValue& object, const char* name) {
    std::vector<std::string> all;
    for (const JsonValue& one : list(object, name)) all.push_back(text(one));
    return all;
  }

 private:
  bool damaged_ = false;
};

}  // namespace ha
