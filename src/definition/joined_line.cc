#include "definition/joined_line.h"

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "definition/python_text.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxLines = 100'000;

// Every blank made spaces, byte for byte, so that columns stay.
std::string with_spaces(std::string_view line) {
  std::string out(line);
  for (std::size_t at = 0; at < line.size();) {
    const bool plain = line[at] >= ' ' && line[at] < '\x7f';
    const std::size_t length = plain ? 0 : python_blank_length(line.substr(at, 3));
    for (std::size_t i = 0; i < length; ++i) {
      out[at + i] = ' ';
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

// pip's COMMENT_RE, "(^|\s+)#.*$": where the comment and the blanks before it begin.
std::size_t comment_begin(std::string_view line) {
  std::size_t mark = line.find('#');
  while (mark != std::string_view::npos && mark > 0 && line[mark - 1] != ' ') {
    mark = line.find('#', mark + 1);
  }
  return mark == std::string_view::npos ? line.size() : trim_right(line.substr(0, mark)).size();
}

bool is_comment_line(std::string_view line) { return trim_left(line).starts_with('#'); }

}  // namespace

const JoinedLine::Piece& JoinedLine::piece(std::size_t offset) const {
  const auto behind = std::ranges::upper_bound(pieces_, offset + trimmed_, {}, &Piece::begin);
  return behind == pieces_.begin() ? pieces_.front() : *(behind - 1);
}

Location JoinedLine::at(std::size_t offset, const std::string& file) const {
  const Piece& one = piece(offset);
  const std::size_t column = one.column + offset + trimmed_ - one.begin;
  return {file, one.line, static_cast<int>(std::min(column, one.source.size())) + 1};
}

std::string_view JoinedLine::source(std::size_t offset) const { return piece(offset).source; }

// Joins as pip does: a '\' at a line's end goes on with the next line, but a comment line ends it.
// All backslashes at both ends of a continued line are taken away (pip: line.strip("\\")).
class LineJoiner {
 public:
  explicit LineJoiner(const std::string& file) : file_(file) {}

  Result<std::vector<JoinedLine>> join(std::string_view text) {
    int number = 0;
    for (const std::string_view source : python_lines(text)) {
      ++number;
      const std::string line = with_spaces(source);
      const bool comment = is_comment_line(line);
      if (comment || !line.ends_with('\\')) {
        // The blank makes '#' begin a comment wherever the line before ended.
        add(comment ? " " + line : line, number, source, 0);
        TRY(finish());
      } else {
        const std::size_t begin = std::min(line.find_first_not_of('\\'), line.size());
        const std::size_t end = line.find_last_not_of('\\') + 1;
        add(std::string_view(line).substr(begin, std::max(begin, end) - begin), number, source,
            begin);
        TRY(check_length());
      }
    }
    TRY(finish());
    return std::move(out_);
  }

 private:
  void add(std::string_view text, int number, std::string_view source, std::size_t column) {
    current_.pieces_.push_back({current_.text_.size(), number, column, source});
    current_.text_ += text;
  }

  Status check_length() const {
    if (current_.text_.size() > kMaxLineBytes) {
      return fail(ErrorKind::kInvalid, "the line is longer than {} bytes", kMaxLineBytes)
          .with_location({file_, current_.pieces_.front().line, 0});
    }
    return {};
  }

  Status finish() {
    JoinedLine line = std::exchange(current_, {});
    line.text_.resize(comment_begin(line.text_));
    const std::string_view kept = trim(line.text_);
    if (kept.empty()) {
      return {};
    }
    line.trimmed_ = line.text_.size() - trim_left(line.text_).size();
    line.text_ = std::string(kept);
    std::swap(line, current_);
    TRY(check_length());
    if (out_.size() == kMaxLines) {
      return fail(ErrorKind::kInvalid, "the file has more than {} lines", kMaxLines)
          .with_location({file_, current_.pieces_.front().line, 0});
    }
    out_.push_back(std::exchange(current_, {}));
    return {};
  }

  const std::string& file_;
  JoinedLine current_;
  std::vector<JoinedLine> out_;
};

Result<std::vector<JoinedLine>> joined_lines(std::string_view text, const std::string& file) {
  return LineJoiner(file).join(text);
}

}  // namespace cloche::definition
