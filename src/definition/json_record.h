// Reading a stored JSON form strictly: what is not understood would be lost silently otherwise.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "definition/byte_text.h"

namespace cloche::definition {

// A row of a table between an enumeration and the words of a format.
template <class Enum>
struct EnumWord {
  Enum value;
  std::string_view text;
};

template <class... Args>
Error damaged(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ErrorKind::kCorrupt, format, std::forward<Args>(args)...);
}

// A view of one JSON object, which must outlive it. Each access says what is wrong (kCorrupt).
class JsonRecord {
 public:
  // kCorrupt: no object, or a key that is not among `keys`.
  static Result<JsonRecord> open(const Json& json, std::initializer_list<std::string_view> keys);

  const Json& operator[](std::string_view key) const { return (*json_)[key]; }

  Result<std::string> text(std::string_view key) const;
  Result<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  Result<bool> boolean(std::string_view key) const;

  template <class Enum, std::size_t N>
  Result<Enum> word(const std::array<EnumWord<Enum>, N>& table, std::string_view key) const {
    const std::string text = json_->string_or_empty(key);
    const auto found = std::ranges::find(table, text, &EnumWord<Enum>::text);
    if (found == table.end()) {
      return damaged("\"{}\" is none of its words", key);
    }
    return found->value;
  }

 private:
  explicit JsonRecord(const Json* json) : json_(json) {}
  const Json* json_;
};

// Each item of an array through `read`, in order.
template <class T, class Read>
Result<std::vector<T>> read_list(const Json& json, std::string_view what, Read read) {
  if (!json.is_array()) {
    return damaged("\"{}\" is no array", what);
  }
  std::vector<T> out;
  out.reserve(json.items().size());
  for (const Json& item : json.items()) {
    out.push_back(TRY(read(item).context("in {}[{}]", what, out.size())));
  }
  return out;
}

// null, or a value through `read`.
template <class T, class Read>
Result<std::optional<T>> read_optional(const Json& json, std::string_view what, Read read) {
  if (json.is_null()) {
    return std::optional<T>();
  }
  return std::optional<T>(TRY(read(json).context("in {}", what)));
}

}  // namespace cloche::definition
