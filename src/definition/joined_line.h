// The lines of a requirements file as pip joins them: continuations, comments, blanks
// (pip: req/req_file.py, preprocess).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/location.h"
#include "core/result.h"

namespace cloche::definition {

// One line after joining: no comment, no blanks at the ends, every blank a space; never empty.
class JoinedLine {
 public:
  const std::string& text() const { return text_; }

  // Where a byte of the text stands in the file, and the text of that line.
  Location at(std::size_t offset, const std::string& file) const;
  std::string_view source(std::size_t offset) const;

 private:
  friend class LineJoiner;
  struct Piece {
    std::size_t begin = 0;  // in the text before blanks at its beginning were taken away
    int line = 0;
    std::size_t column = 0;   // of the source, where the piece begins; bytes from 0
    std::string_view source;  // the whole physical line
  };
  const Piece& piece(std::size_t offset) const;

  std::string text_;
  std::size_t trimmed_ = 0;  // how many blanks were taken away
  std::vector<Piece> pieces_;
};

// `text` must outlive the result. kInvalid with the line: a line that is longer than 64 KiB once
// joined, or more than 100,000 lines.
Result<std::vector<JoinedLine>> joined_lines(std::string_view text, const std::string& file);

}  // namespace cloche::definition
