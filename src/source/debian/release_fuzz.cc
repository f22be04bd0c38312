#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "source/debian/release.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)cloche::source::parse_release_date(text);
  const auto release = cloche::source::parse_release(text);
  if (!release.has_value()) {
    CHECK(!release.error().message.empty());
    return 0;
  }
  for (const cloche::source::ReleaseFile& one : release->packages) {
    CHECK(!one.sha256.empty());
    CHECK(release->find(one.path) != nullptr);
  }
  return 0;
}
