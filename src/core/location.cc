#include "core/location.h"

#include <algorithm>

#include <fmt/format.h>

namespace cloche {

std::string Location::to_string() const {
  std::string out = file.empty() ? "line" : file;
  if (line > 0) {
    out += (file.empty() ? " " : ":") + std::to_string(line);
    if (column > 0) {
      out += ":" + std::to_string(column);
    }
  }
  return out;
}

std::string caret_excerpt(const Location& at, std::string_view line_text) {
  constexpr std::size_t kWidth = 100;
  const std::size_t column = at.column > 0 ? static_cast<std::size_t>(at.column) - 1 : 0;
  const std::size_t begin = column > kWidth / 2 ? column - kWidth / 2 : 0;
  std::string shown(line_text.substr(std::min(begin, line_text.size()), kWidth));
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\t') {
      c = ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      c = '?';
    }
  }
  std::string out = fmt::format("{:>5} | {}", at.line, shown);
  if (at.column > 0) {
    out += fmt::format("\n{:>5} | {:>{}}", "", "^", std::min(column - begin, shown.size()) + 1);
  }
  return out;
}

}  // namespace cloche
