#include "definition/placeholder.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"

namespace cloche::definition {
namespace {

struct Brackets {
  std::string_view open;
  std::string_view close;
};

constexpr std::array<Brackets, 3> kBrackets = {{{"${{", "}}"}, {"{{", "}}"}, {"<", ">"}}};

// "<3.12,>=3" is a version range: a placeholder between < and > holds letters, blanks, "-" and "_".
bool is_angle_word(std::string_view inner) {
  inner = trim(inner);
  return !inner.empty() && std::ranges::all_of(inner, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || c == ' ' || c == '-' || c == '_';
  });
}

}  // namespace

std::string_view find_placeholder(std::string_view text) {
  for (const auto& [open, close] : kBrackets) {
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) {
      continue;
    }
    const std::size_t inner = begin + open.size();
    const std::size_t end = text.find(close, inner);
    if (end == std::string_view::npos) {
      continue;
    }
    if (open == "<" && !is_angle_word(text.substr(inner, end - inner))) {
      continue;
    }
    return text.substr(begin, end + close.size() - begin);
  }
  return {};
}

std::string placeholder_hint(std::string_view text) {
  const std::string_view found = find_placeholder(text);
  if (found.empty()) {
    return {};
  }
  return fmt::format("{} is a placeholder of a template: put the real value there first",
                     printable(found));
}

}  // namespace cloche::definition
