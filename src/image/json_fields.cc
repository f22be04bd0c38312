#include "image/json_fields.h"

#include <algorithm>

#include "core/text.h"

namespace cloche::image {
namespace {

// A value of one byte in the text becomes some forty in memory.
constexpr std::ptrdiff_t kMaxValues = 400'000;

Error wrong_type(std::string_view key, std::string_view what, std::string_view wanted) {
  return fail(ErrorKind::kInvalid, "{}: \"{}\" is not {}", what, key, wanted);
}

}  // namespace

Result<Json> parse_document(std::string_view text, std::size_t limit_bytes, std::string_view what) {
  if (text.size() > limit_bytes) {
    return fail(ErrorKind::kInvalid, "the {} has {} bytes, where at most {} are read", what,
                text.size(), limit_bytes);
  }
  if (std::ranges::count(text, ',') > kMaxValues) {
    return fail(ErrorKind::kInvalid, "the {} has more than {} values", what, kMaxValues);
  }
  Json json = TRY(parse_json(text).context("in the {}", what));
  if (!json.is_object()) {
    return fail(ErrorKind::kInvalid, "the {} is not a JSON object", what);
  }
  return json;
}

Result<std::string> text_field(const Json& object, std::string_view key, std::string_view what) {
  const Json& value = object[key];
  if (!value.is_null() && !value.is_string()) {
    return wrong_type(key, what, "a text");
  }
  return value.is_string() ? value.as_string() : std::string();
}

Result<bool> bool_field(const Json& object, std::string_view key, std::string_view what) {
  const Json& value = object[key];
  if (!value.is_null() && !value.is_bool()) {
    return wrong_type(key, what, "true or false");
  }
  return value.is_bool() && value.as_bool();
}

Result<std::vector<std::string>> texts_field(const Json& object, std::string_view key,
                                             std::string_view what) {
  const Json& value = object[key];
  std::vector<std::string> texts;
  if (value.is_null()) {
    return texts;
  }
  if (!value.is_array() || !std::ranges::all_of(value.items(), &Json::is_string)) {
    return wrong_type(key, what, "a list of texts");
  }
  for (const Json& item : value.items()) {
    texts.push_back(item.as_string());
  }
  return texts;
}

Result<std::map<std::string, std::string>> text_map_field(const Json& object, std::string_view key,
                                                          std::string_view what) {
  const Json& value = object[key];
  std::map<std::string, std::string> texts;
  if (value.is_null()) {
    return texts;
  }
  if (!value.is_object()) {
    return wrong_type(key, what, "an object of texts");
  }
  for (const auto& [name, text] : value.members()) {
    if (!text.is_string()) {
      return wrong_type(key, what, "an object of texts");
    }
    texts.emplace(name, text.as_string());
  }
  return texts;
}

Result<std::set<std::string>> keys_field(const Json& object, std::string_view key,
                                         std::string_view what) {
  const Json& value = object[key];
  std::set<std::string> keys;
  if (value.is_null()) {
    return keys;
  }
  if (!value.is_object()) {
    return wrong_type(key, what, "an object");
  }
  for (const auto& [name, _] : value.members()) {
    keys.insert(name);
  }
  return keys;
}

Json to_json(const std::vector<std::string>& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) {
    json.push(text);
  }
  return json;
}

Json to_json(const std::map<std::string, std::string>& texts) {
  Json::Object object;  // not set(): it looks at all that is there
  for (const auto& [name, text] : texts) {
    object.emplace_back(name, text);
  }
  return object;
}

}  // namespace cloche::image
