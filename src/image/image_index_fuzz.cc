#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "image/image_index.h"

// An index gives back itself, is no manifest, and what is picked of it suits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto index = cloche::image::parse_image_index(text);
  if (!index) {
    return 0;
  }
  CHECK(!cloche::image::parse_manifest(text).has_value());
  const auto again = cloche::image::parse_image_index(index->to_json());
  CHECK(again.has_value() && *again == *index);
  const cloche::image::Platform platform{.architecture = "arm64"};
  if (const auto picked = index->pick(platform); picked && picked->platform) {
    CHECK(cloche::image::suits(*picked->platform, platform) > 0);
  }
  return 0;
}
