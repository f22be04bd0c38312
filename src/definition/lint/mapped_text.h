// Text put together from pieces of a file, each byte of which remembers where it stands there: how
// a rule that looks at a RUN command over several lines can name, and mend, the exact place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloche::definition {

struct MappedText {
  std::string text;
  std::vector<std::uint32_t> offsets;  // of each byte of `text`, in the file

  void push(char c, std::size_t offset) {
    text.push_back(c);
    offsets.push_back(static_cast<std::uint32_t>(offset));
  }

  // Where byte `i` stands in the file; for the end, one past the last byte's place.
  std::size_t offset(std::size_t i) const {
    if (i < offsets.size()) {
      return offsets[i];
    }
    return offsets.empty() ? 0 : offsets.back() + std::size_t{1};
  }

  // Text all of whose bytes stand at one place: what was made up, or cannot be told apart.
  static MappedText at(std::string_view text, std::size_t offset) {
    return {std::string(text),
            std::vector<std::uint32_t>(text.size(), static_cast<std::uint32_t>(offset))};
  }
};

}  // namespace cloche::definition
