#include "source/conda/package_notes.h"

namespace cloche::source {
namespace {

constexpr std::string_view kTypeLetters = "hsdu";  // in the order of PathType

}  // namespace

std::string print_paths(const std::vector<PlacedPath>& paths) {
  std::string text;
  for (const PlacedPath& placed : paths) {
    text += kTypeLetters[static_cast<std::size_t>(placed.entry.type)];
    text += placed.path;
    text += '\0';
  }
  return text;
}

std::optional<std::vector<PlacedPath>> parse_paths(std::string_view text) {
  std::vector<PlacedPath> paths;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    const std::size_t type = kTypeLetters.find(text[0]);
    if (end == std::string_view::npos || end < 2 || type == std::string_view::npos) {
      return std::nullopt;
    }
    PlacedPath& placed = paths.emplace_back();
    placed.path = text.substr(1, end - 1);
    placed.entry.type = static_cast<PathType>(type);
    text.remove_prefix(end + 1);
  }
  return paths;
}

std::string print_links(const SymbolicLinks& links) {
  std::string text;
  for (const auto& [path, target] : links) {
    text.append(path) += '\0';
    text.append(target) += '\0';
  }
  return text;
}

std::optional<SymbolicLinks> parse_links(std::string_view text) {
  SymbolicLinks links;
  while (!text.empty()) {
    const std::size_t middle = text.find('\0');
    const std::size_t end = middle == std::string_view::npos ? middle : text.find('\0', middle + 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    links.emplace(text.substr(0, middle), text.substr(middle + 1, end - middle - 1));
    text.remove_prefix(end + 1);
  }
  return links;
}

}  // namespace cloche::source
