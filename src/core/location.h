// A place in a file that a person wrote.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace cloche {

// Line and column count from 1, columns in bytes; 0 means unknown.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  bool empty() const { return file.empty() && line == 0; }

  // "environment.yml:3:5", as far as the parts are known.
  std::string to_string() const;

  auto operator<=>(const Location&) const = default;
};

// The line and a caret below its column, for error messages:
//       3 | RUNN pip install
//         | ^
// What is not printable (core/text.h) is shown as '?', tabs as one blank, and a long line is cut
// around the column, so hostile input cannot reach the terminal; passwords in URLs are starred.
std::string caret_excerpt(const Location& at, std::string_view line_text);

}  // namespace cloche
