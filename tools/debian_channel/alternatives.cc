#include "debian_channel/alternatives.h"

#include <cstddef>

#include "core/text.h"

namespace cloche::debian_channel {
namespace {

// Lines that end with a backslash go on in the next.
std::vector<std::string> logical_lines(std::string_view script) {
  std::vector<std::string> lines;
  bool goes_on = false;
  for (std::string_view line : split_lines(script)) {
    line = trim(line);
    const bool open = line.ends_with('\\');
    if (open) {
      line.remove_suffix(1);
    }
    if (!goes_on) {
      lines.emplace_back();
    }
    lines.back() += " " + std::string(line);
    goes_on = open;
  }
  return lines;
}

bool is_path(std::string_view word) {
  return word.starts_with('/') && word.find_first_of("$\"'`*?;") == std::string_view::npos;
}

}  // namespace

std::vector<AlternativeLink> alternative_links(std::string_view script) {
  std::vector<AlternativeLink> links;
  for (const std::string& line : logical_lines(script)) {
    const std::string plain = collapse_blanks(line);
    const std::vector<std::string_view> words = split(plain, ' ');
    if (line.find("update-alternatives") == std::string::npos) {
      continue;
    }
    for (std::size_t i = 0; i + 3 < words.size(); ++i) {
      const bool asked = words[i] == "--install" || words[i] == "--slave";
      if (asked && is_path(words[i + 1]) && is_path(words[i + 3])) {
        links.push_back({std::string(words[i + 1]), std::string(words[i + 3])});
      }
    }
  }
  return links;
}

}  // namespace cloche::debian_channel
