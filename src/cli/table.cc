#include "cli/table.h"

#include <algorithm>

#include "cli/terminal.h"
#include "core/check.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kGap = 2;

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t shown = display_width(text);
  return std::string(text) + std::string(width > shown ? width - shown : 0, ' ');
}

// At most `width` columns, "..." at the end where something is missing.
std::string cut(std::string_view text, std::size_t width) {
  constexpr std::size_t kDots = 3;
  if (display_width(text) <= width || width <= kDots) {
    return std::string(text);
  }
  std::size_t end = text.size();
  while (end > 0 && (display_width(text.substr(0, end)) > width - kDots ||
                     !is_valid_utf8(text.substr(0, end)))) {
    --end;
  }
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  CHECK(cells.size() == headers_.size());
  for (std::string& cell : cells) {
    cell = printable(cell);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::render(const Style& style) const {
  std::vector<std::size_t> widths;
  std::size_t before_last = 0;
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    std::size_t width = headers_[i].size();
    for (const auto& row : rows_) {
      width = std::max(width, display_width(row[i]));
    }
    widths.push_back(width);
    before_last += i + 1 < headers_.size() ? width + kGap : 0;
  }
  const auto available = static_cast<std::size_t>(style.width);
  const std::size_t last_width =
      available == 0 ? std::string::npos : std::max(available, before_last + 10) - before_last;

  std::string out;
  const auto add_row = [&](const std::vector<std::string>& row, bool header) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      line += padded(row[i], widths[i] + kGap);
    }
    line += cut(row.back(), last_width);
    line = trim_right(line);
    out += (header ? colored(line, "1", style) : line) + "\n";
  };
  add_row(headers_, true);
  for (const auto& row : rows_) {
    add_row(row, false);
  }
  return out;
}

void Sheet::add(std::string_view label, std::string_view value) {
  if (value.empty()) {
    return;
  }
  bool first = true;
  for (const std::string_view line : split_lines(value)) {
    lines_.emplace_back(first ? label : "", printable(line));
    first = false;
  }
}

void Sheet::add(std::string_view label, const std::vector<std::string>& values) {
  bool first = true;
  for (const std::string& value : values) {
    lines_.emplace_back(first ? label : "", printable(value));
    first = false;
  }
}

std::string Sheet::render(const Style& style) const {
  std::size_t width = 0;
  for (const auto& [label, value] : lines_) {
    width = std::max(width, label.size());
  }
  std::string out;
  for (const auto& [label, value] : lines_) {
    const std::string name = padded(label, width + kGap);
    out +=
        std::string(trim_right((label.empty() ? name : colored(name, "1", style)) + value)) + "\n";
  }
  return out;
}

}  // namespace cloche::cli
