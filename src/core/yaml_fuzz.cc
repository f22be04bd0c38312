// Whatever parses can be written, and what was written parses to the same value.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "core/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = cloche::parse_yaml({reinterpret_cast<const char*>(data), size}, "fuzz.yml");
  if (node.has_value()) {
    const cloche::Json json = node->to_json(true);
    const auto again = cloche::parse_yaml(cloche::to_yaml(json), "again.yml");
    CHECK(again.has_value());
    CHECK(again->to_json(true) == json);
  }
  return 0;
}
