#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "definition/dockerignore.h"

// A directory that is skipped holds nothing that would have been kept.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche::definition;
  constexpr std::array<std::string_view, 6> kDirectories = {"a",    "src",  "a/b",
                                                            "docs", ".git", "node_modules/x"};
  constexpr std::array<std::string_view, 5> kNames = {"README.md", "a", "b/c.txt", ".x", "a/b/c/d"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto patterns = Dockerignore::parse(text);
  if (!patterns.has_value()) {
    CHECK(patterns.error().at.line > 0);
    return 0;
  }
  for (const std::string_view directory : kDirectories) {
    const bool skipped = patterns->can_skip_directory(directory);
    for (const std::string_view name : kNames) {
      const std::string path = std::string(directory) + "/" + std::string(name);
      CHECK(!skipped || patterns->ignores(path));
    }
  }
  return 0;
}
