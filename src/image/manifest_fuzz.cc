#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "image/manifest.h"

// Whatever is read as a manifest is written so that it is read as the same in OCI's words, and then
// always to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = cloche::image::parse_manifest(text);
  if (!manifest) {
    return 0;
  }
  const std::string written = manifest->to_json();
  const auto again = cloche::image::parse_manifest(written);
  CHECK(again.has_value());
  CHECK(again->to_json() == written);
  CHECK(again->layers.size() == manifest->layers.size());
  CHECK(!cloche::image::is_index(*cloche::image::document_media_type(text)));
  return 0;
}
