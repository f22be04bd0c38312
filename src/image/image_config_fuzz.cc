#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "image/config.h"

// A config gives back itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config =
      cloche::image::parse_image_config({reinterpret_cast<const char*>(data), size});
  if (!config) {
    return 0;
  }
  const std::string written = config->to_json();
  const auto again = cloche::image::parse_image_config(written);
  CHECK(again.has_value());
  CHECK(again->to_json() == written);
  return 0;
}
