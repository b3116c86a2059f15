// SPDX-License-Identifier: MIT
// Reads JSON of our own files. Journals and memories are read whole at each start of a run, when
// every moment counts: RapidJSON needs a tenth of the time of nlohmann's library. Pure.

#pragma once

#include <rapidjson/document.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.h"

namespace ha {

using JsonValue = rapidjson::Value;

// Hands on to a document what is read, with our own reading of numbers: to the last bit, and none
// that does not fit. RapidJSON's is not defined for some that can be written. A text that is no
// UTF-8 ends the reading: we write none, and two such names would be one when written again.
template <class Document>
class JsonNumbers : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JsonNumbers<Document>> {
 public:
  using Size = rapidjson::SizeType;

  explicit JsonNumbers(Document& document) : document_(document) {}

  bool RawNumber(const char* text, Size size, bool) {
    std::uint64_t whole = 0;
    if (const auto read = std::from_chars(text, text + size, whole);
        read.ec == std::errc() && read.ptr == text + size)
      return document_.Uint64(whole);
    if (const auto negative = parse_integer({text, size})) return document_.Int64(*negative);
    const auto number = parse_number({text, size});
    return number && document_.Double(*number);
  }

  bool Null() { return document_.Null(); }
  bool Bool(bool one) { return document_.Bool(one); }
  bool String(const char* text, Size size, bool copy) {
    return is_utf8({text, size}) && document_.String(text, size, copy);
  }
  bool Key(const char* text, Size size, bool copy) { return String(text, size, copy); }
  bool StartObject() { return document_.StartObject(); }
  bool EndObject(Size members) { return document_.EndObject(members); }
  bool StartArray() { return document_.StartArray(); }
  bool EndArray(Size elements) { return document_.EndArray(elements); }

 private:
  Document& document_;
};

// A text that was parsed, as long as this lives.
class JsonText {
 public:
  explicit JsonText(std::string_view text) : text_(text) {
    const auto read = [this](rapidjson::Document& document) {
      constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag |
                                  rapidjson::kParseNumbersAsStringsFlag;
      rapidjson::InsituStringStream stream(text_.data());
      JsonNumbers<rapidjson::Document> numbers(document);
      return !rapidjson::Reader().Parse<kFlags>(stream, numbers).IsError();
    };
    document_.Populate(read);
  }
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // Null: it is no object.
  const JsonValue* object() const { return document_.IsObject() ? &document_ : nullptr; }

 private:
  std::string text_;   // what the document's texts refer to
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
