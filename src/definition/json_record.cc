#include "definition/json_record.h"

#include "core/text.h"

namespace cloche::definition {

Result<JsonRecord> JsonRecord::open(const Json& json,
                                    std::initializer_list<std::string_view> keys) {
  if (!json.is_object()) {
    return damaged("not an object");
  }
  for (const auto& [key, value] : json.members()) {
    if (std::ranges::find(keys, key) == keys.end()) {
      return damaged("an unknown key \"{}\"", printable(key));
    }
  }
  return JsonRecord(&json);
}

Result<std::string> JsonRecord::text(std::string_view key) const {
  return text_from_json((*this)[key]).context("in {}", key);
}

Result<std::int64_t> JsonRecord::integer(std::string_view key, std::int64_t low,
                                         std::int64_t high) const {
  const Json& value = (*this)[key];
  if (!value.is_integer() || value.as_integer() < low || value.as_integer() > high) {
    return damaged("\"{}\" is no integer from {} to {}", key, low, high);
  }
  return value.as_integer();
}

Result<bool> JsonRecord::boolean(std::string_view key) const {
  const Json& value = (*this)[key];
  if (!value.is_bool()) {
    return damaged("\"{}\" is neither true nor false", key);
  }
  return value.as_bool();
}

}  // namespace cloche::definition
