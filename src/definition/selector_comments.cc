#include "definition/selector_comments.h"

#include <algorithm>

#include "core/text.h"
#include "package/conda/platform.h"
#include "package/conda/selector.h"

namespace cloche::definition {
namespace {

constexpr auto kNone = std::string_view::npos;

// How many bytes long the line break at `i` is; 0 when there is none. YAML 1.1, "b-char".
std::size_t break_length(std::string_view text, std::size_t i) {
  if (text[i] == '\r') {
    return text.substr(i, 2) == "\r\n" ? 2 : 1;
  }
  if (text[i] == '\n') {
    return 1;
  }
  if (text.substr(i, 2) == "\xc2\x85") {
    return 2;
  }
  const std::string_view three = text.substr(i, 3);
  return three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9" ? 3 : 0;
}

std::vector<std::string_view> yaml_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = break_length(text, i);
    if (length > 0) {
      lines.push_back(text.substr(begin, i - begin));
      begin = i + length;
    }
    i += std::max<std::size_t>(length, 1);
  }
  lines.push_back(text.substr(begin));
  return lines;
}

// Behind the closing quote of the quoted scalar that opens at `i`; npos when it is not closed.
std::size_t behind_quoted(std::string_view line, std::size_t i) {
  const char quote = line[i];
  for (++i; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      return i + 1;
    }
  }
  return kNone;
}

// The comment of a line from its '#' on; "" when there is none.
std::string_view comment_of(std::string_view line) {
  bool token_start = true;
  for (std::size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (token_start && (c == '"' || c == '\'')) {
      i = behind_quoted(line, i);
      token_start = false;
      continue;
    }
    if (c == '#' && (i == 0 || is_blank(line[i - 1]))) {
      return line.substr(i);
    }
    token_start = is_blank(c) || c == '[' || c == '{' || c == ',';
    ++i;
  }
  return {};
}

void warn_of_typo(const Error& error, std::string_view expression, const Location& at,
                  Diagnostics& diagnostics) {
  const bool near = error.hint.starts_with("did you mean");
  const bool subdir = conda::is_known_subdir(trim(expression));
  if (near || subdir) {
    diagnostics.warn(
        "conda-unknown-selector", {at.file, at.line, 0},
        "[" + printable(expression) + "] is no selector, so the line always counts",
        near ? error.hint : "a selector names parts of a platform: [linux64], [osx and arm64]");
  }
}

// The expression in "# [expression]", wherever in the comment such a '#' stands.
std::string selector_in(std::string_view comment, const Location& at, Diagnostics& diagnostics) {
  for (std::size_t hash = 0; hash != kNone; hash = comment.find('#', hash)) {
    const std::size_t open = comment.find_first_not_of("# \t", hash);
    if (open == kNone) {
      break;
    }
    hash = open;
    if (comment[open] != '[') {
      continue;
    }
    const std::string_view rest = comment.substr(open + 1, 256);
    const std::size_t close = rest.find(']');
    if (close == kNone) {
      continue;
    }
    auto selector = conda::canonical_selector(rest.substr(0, close));
    if (selector.has_value()) {
      return *selector;
    }
    warn_of_typo(selector.error(), rest.substr(0, close), at, diagnostics);
  }
  return {};
}

}  // namespace

SelectorComments::SelectorComments(std::string_view text) : lines_(yaml_lines(text)) {}

std::string SelectorComments::of_line(const Location& at, Diagnostics& diagnostics) {
  const auto index = static_cast<std::size_t>(at.line - 1);
  if (at.line < 1 || index >= lines_.size() || lines_[index].find('#') == kNone) {
    return {};
  }
  const auto known = known_.find(at.line);
  if (known != known_.end()) {
    return known->second;
  }
  std::string selector = selector_in(comment_of(lines_[index]), at, diagnostics);
  known_.emplace(at.line, selector);
  return selector;
}

}  // namespace cloche::definition
