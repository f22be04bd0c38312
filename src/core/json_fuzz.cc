// Whatever parses is written and read back as the same value; canonical text is a fixed point.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "core/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = cloche::parse_json({reinterpret_cast<const char*>(data), size});
  if (json.has_value()) {
    const auto again = cloche::parse_json(json->dump(2));
    CHECK(again.has_value());
    CHECK(again->canonical() == json->canonical());
  }
  return 0;
}
