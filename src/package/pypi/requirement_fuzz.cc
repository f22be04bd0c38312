#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "package/pypi/requirement.h"

namespace {

using cloche::Result;
using cloche::pypi::Requirement;

void check(Result<Requirement> (*parse)(std::string_view), std::string_view text) {
  const Result<Requirement> one = parse(text);
  if (!one.has_value()) {
    CHECK(!one.error().message.empty());
    return;
  }
  const Result<Requirement> again = parse(one->to_string());
  CHECK(again.has_value() && *again == *one);
  CHECK(!one->exact() || one->pinned());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(cloche::pypi::parse_requirement, text);
  check(cloche::pypi::parse_editable, text);
  return 0;
}
