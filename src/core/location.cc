#include "core/location.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/credentials.h"
#include "core/text.h"

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

namespace {

bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; }

}  // namespace

std::string caret_excerpt(const Location& at, std::string_view line_text) {
  const std::string safe_text = star_passwords(line_text);
  constexpr std::size_t kWidth = 100;
  const std::size_t column = at.column > 0 ? static_cast<std::size_t>(at.column) - 1 : 0;
  std::size_t begin = std::min(column > (kWidth / 2) ? column - (kWidth / 2) : 0, safe_text.size());
  while (begin > 0 && begin < safe_text.size() && is_utf8_continuation(safe_text[begin])) {
    --begin;
  }
  const std::string_view shown = std::string_view(safe_text).substr(begin, kWidth);
  std::string out = fmt::format("{:>5} | {}", at.line, masked(shown));
  if (at.column > 0) {
    const std::size_t before = display_width(masked(shown.substr(0, column - begin)));
    out += fmt::format("\n{:>5} | {:>{}}", "", "^", before + 1);
  }
  return out;
}

}  // namespace cloche
