#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "image/auth_challenge.h"

// Each challenge that is read is written so that it is read as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto challenges =
      cloche::image::parse_auth_challenges({reinterpret_cast<const char*>(data), size});
  if (!challenges) {
    return 0;
  }
  for (const cloche::image::AuthChallenge& one : *challenges) {
    const std::string text = to_string(one);
    const auto again = cloche::image::parse_auth_challenges(text);
    CHECK(text.size() > 8192 || (again && again->size() == 1 && again->front() == one));
  }
  return 0;
}
