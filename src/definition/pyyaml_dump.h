// YAML exactly as PyYAML's yaml.dump(data, sort_keys=True) writes it: Azure's client hashes that
// text of a conda file, so one blank more would be another environment.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/yaml.h"

namespace cloche::definition {

// What PyYAML's safe_load makes of a plain scalar (YAML 1.1, yaml/resolver.py).
enum class PlainType { kText, kNull, kBool, kInt, kFloat, kTimestamp, kMerge, kValue };
PlainType resolve_plain(std::string_view text);

// The text for a mapping or a list that safe_load would have made of the node. kUnsupported: a
// timestamp, a number that 64 bits do not hold, a key that PyYAML would write as "? key".
// Anchors that were used twice are written out, where PyYAML would repeat the anchor.
Result<std::string> pyyaml_dump(const YamlNode& node);

}  // namespace cloche::definition
