// Members of JSON objects that others wrote, read strictly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace cloche::image {

// The document, which must be an object. kInvalid: larger than the limit, or with more members than
// any honest one, each of which would cost memory many times its size.
Result<Json> parse_document(std::string_view text, std::size_t limit_bytes, std::string_view what);

// A member, or an empty value when it is absent or null, as Go writes what is empty. kInvalid: it
// is of another type. `what` names the object.
Result<std::string> text_field(const Json& object, std::string_view key, std::string_view what);
Result<bool> bool_field(const Json& object, std::string_view key, std::string_view what);
Result<std::vector<std::string>> texts_field(const Json& object, std::string_view key,
                                             std::string_view what);
Result<std::map<std::string, std::string>> text_map_field(const Json& object, std::string_view key,
                                                          std::string_view what);
// Go's map[string]struct{}: the keys.
Result<std::set<std::string>> keys_field(const Json& object, std::string_view key,
                                         std::string_view what);

Json to_json(const std::vector<std::string>& texts);
Json to_json(const std::map<std::string, std::string>& texts);

}  // namespace cloche::image
