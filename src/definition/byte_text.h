// Texts whose bytes nobody promises to be UTF-8 (paths, above all) as JSON that keeps every byte.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"

namespace cloche::definition {

// Valid UTF-8 as a JSON string; anything else as {"hex": "<two lower-case digits a byte>"}. Two
// different texts never give the same JSON.
Json text_to_json(std::string_view text);

// The inverse. kCorrupt: neither form, or valid UTF-8 written as hex (there is one way only).
Result<std::string> text_from_json(const Json& json);

}  // namespace cloche::definition
