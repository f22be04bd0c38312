// Any bytes: a version or an error. Two versions (split at the first blank) compare consistently.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/conda/version.h"
#include "package/conda/version_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cloche::conda::Version;
  using cloche::conda::VersionSpec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto constraint = VersionSpec::parse(text);
  if (constraint.has_value()) {
    const auto again = VersionSpec::parse(constraint->to_string());
    CHECK(again.has_value());
    CHECK(*again == *constraint);
    CHECK(!constraint->exact() || constraint->pinned());
  }
  const std::size_t blank = text.find(' ');
  const auto left = Version::parse(text.substr(0, blank));
  if (!left.has_value()) {
    return 0;
  }
  CHECK(*left == *left);
  const auto again = Version::parse(left->text());
  CHECK(again.has_value());
  CHECK(*again == *left);
  if (blank == std::string_view::npos) {
    return 0;
  }
  const auto right = Version::parse(text.substr(blank + 1));
  if (right.has_value()) {
    CHECK((*left < *right) == (*right > *left));
    CHECK((*left == *right) == (*right == *left));
    CHECK((*left < *right) + (*left == *right) + (*left > *right) == 1);
  }
  return 0;
}
