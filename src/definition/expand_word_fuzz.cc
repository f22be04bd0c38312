#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "definition/dockerfile.h"

// The result is bounded, and expanding what holds nothing special changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::definition;
  const std::string_view word(reinterpret_cast<const char*>(data), size);
  static const Variables kVariables = {
      {"a", "/usr/local/lib"}, {"b", ""}, {"long", std::string(1'000, 'x')}, {"u", "\xc3\xa9\xff"}};
  for (const char escape : {'\\', '`'}) {
    std::vector<std::string> unset;
    const auto expanded = expand_word(word, kVariables, escape, &unset);
    if (!expanded.has_value()) {
      CHECK(!expanded.error().message.empty());
      continue;
    }
    CHECK(expanded->size() <= (std::size_t{64} << 10U));
    if (word.find_first_of("$'\"\\`") == std::string_view::npos) {
      CHECK(*expanded == word && unset.empty());
    }
  }
  return 0;
}
