#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reference = cloche::oci::parse_reference(text);
  if (!reference.has_value()) {
    CHECK(!reference.error().message.empty());
    return 0;
  }
  const auto full = cloche::oci::parse_reference(reference->to_string());
  CHECK(full.has_value() && *full == *reference);
  const auto familiar = cloche::oci::parse_reference(reference->familiar());
  CHECK(familiar.has_value() && *familiar == *reference);
  return 0;
}
