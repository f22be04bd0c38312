// Any text as paths.json, as the older lists (three parts, cut at "|") and as an entry point.
#include <cstdint>

#include "core/check.h"
#include "source/conda/package_metadata.h"

namespace {

using cloche::source::PathEntry;

void check(const cloche::Result<std::vector<PathEntry>>& paths) {
  if (!paths) {
    CHECK(!paths.error().message.empty());
    return;
  }
  for (const PathEntry& entry : *paths) {
    CHECK(*cloche::source::package_path(entry.path) == entry.path);
    CHECK(entry.sha256.empty() || entry.sha256.size() == 64);
    CHECK(entry.placeholder.find('\0') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT
  check(cloche::source::parse_paths_json(text, "paths.json"));
  const std::size_t first = std::min(text.find('|'), size);
  const std::size_t second = std::min(text.find('|', std::min(first + 1, size)), size);
  check(cloche::source::parse_path_lists(text.substr(0, first), text.substr(first, second - first),
                                         text.substr(second)));
  const auto point = cloche::source::parse_entry_point(text);
  if (point) {
    CHECK(point->command.find('/') == std::string::npos && point->command != "..");
    CHECK(point->module.find('\n') == std::string::npos);
  }
  return 0;
}
