#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "package/debian/relation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::debian;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto relations = parse_relations(text);
  if (!relations.has_value()) {
    CHECK(!relations.error().message.empty());
    return 0;
  }
  std::string written;
  for (const Alternatives& group : *relations) {
    CHECK(!group.empty());
    for (const Relation& one : group) {
      (void)allows(one, "1.0-1");
      (void)counts_on(one, "amd64");
      written += (&one == &group.front() ? "" : " | ") + to_string(one);
    }
    written += ", ";
  }
  const auto again = parse_relations(written);
  CHECK(again.has_value() && again->size() == relations->size());
  for (std::size_t i = 0; i < again->size(); ++i) {
    CHECK((*again)[i] == (*relations)[i]);
  }
  return 0;
}
