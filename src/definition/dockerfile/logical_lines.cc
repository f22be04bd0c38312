#include "definition/dockerfile/logical_lines.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{64} << 10U;  // BuildKit's scanner has the same

struct Directive {
  std::string key;  // lower case
  std::string_view value;
};

// "# key = value". Any other line, a blank one too, ends the directives.
std::optional<Directive> parse_directive(std::string_view line) {
  line = trim(line);
  if (!line.starts_with('#')) {
    return std::nullopt;
  }
  line = trim_left(line.substr(1));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view key = trim_right(line.substr(0, equals));
  const std::string_view value = trim(line.substr(equals + 1));
  if (key.empty() || value.empty() || !std::ranges::all_of(key, is_letter)) {
    return std::nullopt;
  }
  return Directive{.key = to_lower(key), .value = value};
}

bool is_comment(std::string_view line) { return trim_left(line).starts_with('#'); }

std::string_view without_tabs(std::string_view line) {
  return line.substr(std::min(line.find_first_not_of('\t'), line.size()));
}

}  // namespace

const LogicalLine::Piece& LogicalLine::piece_at(std::size_t offset) const {
  const auto after = std::ranges::upper_bound(pieces, offset, {}, &Piece::offset);
  return after == pieces.begin() ? *after : *std::prev(after);
}

LineReader::LineReader(const std::vector<std::string_view>& lines, std::string file)
    : lines_(&lines), file_(std::move(file)) {}

std::string_view LineReader::line(int number) const {
  const auto index = static_cast<std::size_t>(number) - 1;
  return number > 0 && index < lines_->size() ? (*lines_)[index] : std::string_view();
}

Error LineReader::error(Location at, std::string message) const {
  const std::string excerpt(line(at.line));
  return fail(ErrorKind::kInvalid, "{}", message).with_location(std::move(at), excerpt);
}

Location LineReader::location(const LogicalLine& logical, std::size_t offset) const {
  const LogicalLine::Piece& piece = logical.piece_at(offset);
  const int column = piece.column + static_cast<int>(offset - std::min(offset, piece.offset));
  return {file_, piece.line, column};
}

Result<std::map<std::string, std::string>> LineReader::read_directives() {
  std::map<std::string, std::string> directives;
  for (; position_ < lines_->size(); ++position_) {
    const auto directive = parse_directive((*lines_)[position_]);
    if (!directive ||
        (directive->key != "syntax" && directive->key != "escape" && directive->key != "check")) {
      break;
    }
    const Location at{file_, static_cast<int>(position_) + 1, 1};
    if (!directives.emplace(directive->key, directive->value).second) {
      return error(at, "the parser directive " + directive->key + " is given twice");
    }
    if (directive->key == "escape") {
      if (directive->value != "\\" && directive->value != "`") {
        return error(at, "the escape directive takes \\ or ` and nothing else");
      }
      escape_ = directive->value.front();
    }
  }
  return directives;
}

Result<std::string_view> LineReader::take_line() {
  const std::string_view line = (*lines_)[position_++];
  if (line.size() > kMaxLineBytes) {
    return error({file_, last_line(), 1}, "the line is longer than 64 KiB")
        .with_hint("break it with a continuation, or COPY a file instead");
  }
  return line;
}

// Removes the continuation mark with the blanks after it. A doubled escape character is a literal
// one.
bool LineReader::take_continuation(std::string_view& line) const {
  const std::size_t last = line.find_last_not_of(" \t");
  if (last == std::string_view::npos || line[last] != escape_ ||
      (last > 0 && line[last - 1] == escape_)) {
    return false;
  }
  line = line.substr(0, last);
  return true;
}

Result<std::optional<LogicalLine>> LineReader::next() {
  LogicalLine out;
  bool continued = false;
  while (position_ < lines_->size()) {
    std::string_view line = TRY(take_line());
    if (is_comment(line)) {
      continue;
    }
    if (trim(line).empty()) {
      out.empty_line = continued && out.empty_line == 0 ? last_line() : out.empty_line;
      continue;
    }
    const std::size_t indent =
        continued ? 0 : static_cast<std::size_t>(trim_left(line).data() - line.data());
    line.remove_prefix(indent);
    continued = take_continuation(line);
    out.pieces.push_back(
        {.offset = out.text.size(), .line = last_line(), .column = static_cast<int>(indent) + 1});
    out.text += line;
    if (!continued && !trim(out.text).empty()) {
      break;
    }
  }
  if (trim(out.text).empty()) {
    return std::optional<LogicalLine>();
  }
  out.last_line = last_line();
  return std::optional(std::move(out));
}

Result<std::string> LineReader::heredoc_body(std::string_view terminator, bool strip_tabs,
                                             const Location& opener) {
  std::string body;
  while (position_ < lines_->size()) {
    std::string_view line = TRY(take_line());
    if (strip_tabs) {
      line = without_tabs(line);
    }
    if (line == terminator) {
      return body;
    }
    body.append(line).append("\n");
  }
  return error(opener, "the heredoc " + printable(terminator) + " is never closed")
      .with_hint("write " + printable(terminator) + " alone on a line after its text");
}

}  // namespace cloche::definition
