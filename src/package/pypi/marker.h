// Environment markers: `python_version < "3.11" and sys_platform == "linux"` (PEP 508).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace cloche::pypi {

class Scanner;

// Tests joined by "and" and "or" as written; "and" binds tighter. A group in parentheses is an
// operand of its own where it has more than one test.
struct Marker {
  // A variable or a text in quotes.
  struct Operand {
    bool variable = false;
    std::string text;  // the variable's present-day name, or the text without its quotes
    bool operator==(const Operand&) const = default;
  };
  struct Test {
    Operand left;
    std::string op;  // "<", "<=", "==", "!=", ">=", ">", "~=", "===", "in", "not in"
    Operand right;
    bool operator==(const Test&) const = default;
  };
  using Term = std::variant<Test, Marker>;

  std::vector<Term> terms;          // never empty once parsed
  std::vector<std::string> joints;  // between them: "and", "or"

  // One blank between words, double quotes (single ones round a text that holds a double quote).
  std::string to_string() const;

  bool operator==(const Marker&) const;
};

// kInvalid with the column and a hint (a variable that does not exist: the nearest; a version
// without quotes); nested deeper than 32.
Result<Marker> parse_marker(std::string_view text);

// The same inside a longer text, up to where the marker's grammar ends.
Result<Marker> read_marker(Scanner& scan);

}  // namespace cloche::pypi
