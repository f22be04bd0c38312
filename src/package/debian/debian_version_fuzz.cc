#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/debian/version.h"

// Three versions, one a line: the order is total, and what parses keeps its text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cloche::debian::compare_versions;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\n');
  const std::string_view a = text.substr(0, first);
  std::string_view rest = first == std::string_view::npos ? "" : text.substr(first + 1);
  const std::size_t second = rest.find('\n');
  const std::string_view b = rest.substr(0, second);
  const std::string_view c = second == std::string_view::npos ? "" : rest.substr(second + 1);
  CHECK(compare_versions(a, a) == 0);
  CHECK((compare_versions(a, b) < 0) == (compare_versions(b, a) > 0));
  if (compare_versions(a, b) <= 0 && compare_versions(b, c) <= 0) {
    CHECK(compare_versions(a, c) <= 0);
  }
  if (const auto version = cloche::debian::Version::parse(a)) {
    const auto again = cloche::debian::Version::parse(version->text());
    CHECK(again.has_value() && again->text() == version->text());
  }
  return 0;
}
