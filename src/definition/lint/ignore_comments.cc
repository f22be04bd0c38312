#include "definition/lint/ignore_comments.h"

#include <algorithm>

#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kMark = "ignore=";

bool is_rule_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

bool is_comment(std::string_view line) { return trim_left(line).starts_with('#'); }

// Where the names begin in "# cloche: ignore=..."; npos when the line has no such comment.
std::size_t names_begin(std::string_view line) {
  const std::size_t hash = line.find('#');
  if (hash == std::string_view::npos) {
    return hash;
  }
  const std::size_t word = line.find("cloche:", hash);
  if (word == std::string_view::npos ||
      !trim(line.substr(line.rfind('#', word) + 1, word - line.rfind('#', word) - 1)).empty()) {
    return std::string_view::npos;
  }
  const std::size_t mark = line.find(kMark, word);
  return mark == std::string_view::npos || !trim(line.substr(word + 7, mark - word - 7)).empty()
             ? std::string_view::npos
             : mark + kMark.size();
}

}  // namespace

IgnoreComments::IgnoreComments(const SourceFile& file) : file_(&file) {
  if (file.text().find(kMark) == std::string::npos) {
    return;
  }
  for (int number = 1; number <= file.line_count(); ++number) {
    const std::string_view line = file.line(number);
    std::size_t at = names_begin(line);
    while (at < line.size()) {
      std::size_t end = at;
      while (end < line.size() && is_rule_letter(line[end])) {
        ++end;
      }
      if (end > at) {
        entries_.push_back(
            {number, static_cast<int>(at) + 1, std::string(line.substr(at, end - at))});
        by_line_.emplace(number, entries_.back().rule);
      }
      if (end >= line.size() || line[end] != ',') {
        break;
      }
      at = std::min(line.find_first_not_of(' ', end + 1), line.size());
    }
  }
}

bool IgnoreComments::names(int line, std::string_view rule) const {
  const auto [begin, end] = by_line_.equal_range(line);
  return std::any_of(begin, end, [&](const auto& entry) { return entry.second == rule; });
}

bool IgnoreComments::silences(int line, std::string_view rule) const {
  if (by_line_.empty()) {
    return false;
  }
  if (names(line, rule)) {
    return true;
  }
  for (int above = line - 1; above > 0 && is_comment(file_->line(above)); --above) {
    if (names(above, rule)) {
      return true;
    }
  }
  return false;
}

}  // namespace cloche::definition
