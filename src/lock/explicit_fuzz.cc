// Whatever is read is safe to use as names of files, and comes back from what is written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lock/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cloche::lock::fuzz_format("explicit", {reinterpret_cast<const char*>(data), size});
  return 0;
}
