#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "definition/asset_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reference = cloche::definition::parse_asset_reference(text);
  if (!reference.has_value()) {
    return 0;
  }
  const auto again = cloche::definition::parse_asset_reference(reference->to_string());
  if (!again.has_value() || *again != *reference) {
    std::abort();
  }
  return 0;
}
