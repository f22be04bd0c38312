#include "definition/lint/source_file.h"

#include <algorithm>
#include <utility>

namespace cloche::definition {

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  starts_.push_back(0);
  for (std::size_t i = 0; i + 1 < text_.size(); ++i) {
    if (text_[i] == '\n') {
      starts_.push_back(i + 1);
    }
  }
}

std::string_view SourceFile::line(int number) const {
  if (number < 1 || number > line_count()) {
    return "";
  }
  const std::size_t begin = starts_[static_cast<std::size_t>(number) - 1];
  std::string_view line = std::string_view(text_).substr(begin);
  line = line.substr(0, line.find('\n'));
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

Location SourceFile::location(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::ranges::upper_bound(starts_, offset);
  const auto line = static_cast<int>(after - starts_.begin());
  return {name_, line, static_cast<int>(offset - *std::prev(after)) + 1};
}

std::size_t SourceFile::offset(int line, int column) const {
  if (line < 1) {
    return 0;
  }
  if (line > line_count()) {
    return text_.size();
  }
  const std::size_t begin = starts_[static_cast<std::size_t>(line) - 1];
  return std::min(begin + static_cast<std::size_t>(std::max(column, 1)) - 1, text_.size());
}

const SourceFile& Sources::get(const std::string& name) {
  const auto found = known_.find(name);
  if (found != known_.end()) {
    return found->second;
  }
  auto text = files_.read(name, kMaxTextBytes);
  return add(name, text.has_value() ? std::move(*text) : std::string());
}

const SourceFile& Sources::add(const std::string& name, std::string text) {
  return known_.insert_or_assign(name, SourceFile(name, std::move(text))).first->second;
}

}  // namespace cloche::definition
