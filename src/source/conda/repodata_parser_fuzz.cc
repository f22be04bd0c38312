// Any bytes as repodata.json: refused as damaged, or an index that can be read in full. Small
// windows, so that cuts fall everywhere, must not change what is read. (They may find less to
// complain about: simdjson checks the UTF-8 of all that is in the window.)
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "source/conda/repodata_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  using namespace cloche::source;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto bytes = index_bytes(json);
  if (!bytes.has_value()) {
    CHECK(bytes.error().kind == ErrorKind::kCorrupt ||
          bytes.error().kind == ErrorKind::kUnsupported);
  }
  const auto in_pieces = index_bytes(json, 1 + size % 97);
  if (!bytes || !in_pieces) {
    return 0;
  }
  const auto index = RepodataIndex::from_bytes(*bytes);
  const auto other = RepodataIndex::from_bytes(*in_pieces);
  CHECK(index.has_value() && other.has_value());
  touch_everything(*index);
  CHECK(all_records(*index) == all_records(*other));
  return 0;
}
