// parse(print(x)) == x, printing is a fixed point, and errors point into the text.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/conda/match_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = cloche::conda::parse_match_spec(text);
  if (!spec.has_value()) {
    CHECK(!spec.error().message.empty());
    CHECK(spec.error().at.column <= static_cast<int>(size) + 1);
    return 0;
  }
  CHECK(!spec->exact() || spec->pinned());
  const std::string printed = spec->to_string();
  const auto again = cloche::conda::parse_match_spec(printed);
  CHECK(again.has_value());
  CHECK(*again == *spec);
  CHECK(again->to_string() == printed);
  return 0;
}
