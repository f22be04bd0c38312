// Whatever is accepted is what would be written: reading loses nothing and writing adds nothing.
#include <cstddef>
#include <cstdint>

#include "core/check.h"
#include "definition/definition_json.h"

using namespace cloche;
using namespace cloche::definition;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) {
    return 0;
  }
  const auto environment = environment_from_json(*json);
  if (!environment) {
    CHECK(environment.error().kind == ErrorKind::kCorrupt ||
          environment.error().kind == ErrorKind::kUnsupported);
    return 0;
  }
  const Json written = to_json(*environment);
  const auto again = environment_from_json(written);
  CHECK(again.has_value());
  CHECK(*again == *environment);
  CHECK(to_json(*again) == written);
  return 0;
}
