// The lines of a Dockerfile as BuildKit joins them, each byte with the place it came from.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/location.h"
#include "core/result.h"

namespace cloche::definition {

// Lines joined at their continuations. Comments and blank lines in between are gone.
struct LogicalLine {
  // Bytes of `text` from `offset` on stand in the file at line and column.
  struct Piece {
    std::size_t offset = 0;
    int line = 0;
    int column = 0;
  };

  std::string text;
  std::vector<Piece> pieces;  // by offset; never empty
  int last_line = 0;
  int empty_line = 0;  // the first blank line inside a continuation; 0 when there is none

  const Piece& piece_at(std::size_t offset) const;
};

// Reads a text from top to bottom. The text and the line table must outlive the reader.
class LineReader {
 public:
  LineReader(const std::vector<std::string_view>& lines, std::string file);

  // The parser directives at the top; sets escape(). kInvalid: one twice, a bad escape character.
  Result<std::map<std::string, std::string>> read_directives();

  // The next line that says something, or nothing at the end. kInvalid: a line over 64 KiB.
  Result<std::optional<LogicalLine>> next();

  // The lines up to `terminator`, each with "\n", tabs at their start stripped if asked for.
  // kInvalid: the text ends first; the error stands at `opener`.
  Result<std::string> heredoc_body(std::string_view terminator, bool strip_tabs,
                                   const Location& opener);

  const std::string& file() const { return file_; }
  char escape() const { return escape_; }
  int last_line() const { return static_cast<int>(position_); }  // the last line read, from 1

  Location location(const LogicalLine& logical, std::size_t offset) const;
  std::string_view line(int number) const;
  Error error(Location at, std::string message) const;

 private:
  Result<std::string_view> take_line();
  bool take_continuation(std::string_view& line) const;

  const std::vector<std::string_view>* lines_;
  std::string file_;
  std::size_t position_ = 0;
  char escape_ = '\\';
};

}  // namespace cloche::definition
