// Whatever is read is written, and what is written is read as the same lock.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "lock/cloche_lock.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Diagnostics diagnostics;
  const auto lock = lock::parse_cloche_lock(text, "fuzz", diagnostics);
  if (!lock) {
    CHECK(!lock.error().message.empty());
    return 0;
  }
  const std::string written = lock::write_cloche_lock(*lock);
  Diagnostics none;
  const auto again = lock::parse_cloche_lock(written, "written", none);
  CHECK(again.has_value() && none.empty());
  CHECK(*again == *lock);
  CHECK(lock::install_order(*lock).size() == lock->conda.packages.size());
  return 0;
}
