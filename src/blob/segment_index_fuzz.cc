// An index is refused, or printing what was read and reading it again gives the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "blob/segment_index.h"
#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const cloche::Result<cloche::blob::SegmentIndex> index = cloche::blob::parse_index(text);
  if (index) {
    const std::string printed = cloche::blob::print_index(*index);
    const cloche::Result<cloche::blob::SegmentIndex> again = cloche::blob::parse_index(printed);
    CHECK(again && *again == *index);
    CHECK(printed.size() == size);
  }
  return 0;
}
