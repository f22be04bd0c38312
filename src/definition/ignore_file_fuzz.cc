#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "definition/ignore_file.h"

// The first line is a path, the rest an ignore file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  const std::string_view path = text.substr(0, end);
  const std::string_view patterns = end == std::string_view::npos ? "" : text.substr(end + 1);
  const auto file = cloche::definition::IgnoreFile::parse(patterns, "f");
  if (!file.has_value() || path.empty()) {
    return 0;
  }
  // A final "everything" or "nothing" has the last word.
  const auto all = cloche::definition::IgnoreFile::parse(std::string(patterns) + "\n**\n", "f");
  const auto none = cloche::definition::IgnoreFile::parse(std::string(patterns) + "\n!**\n", "f");
  if ((all.has_value() && !all->ignores(path)) || (none.has_value() && none->ignores(path))) {
    std::abort();
  }
  static_cast<void>(file->ignores(path));
  return 0;
}
