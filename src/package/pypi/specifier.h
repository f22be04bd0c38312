// Version specifiers: ">=1.2,<2" (PEP 440, "Version specifiers").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::pypi {

class Scanner;

// One clause. The version is as written, but for blanks; it may hold ${VARIABLES}, and is then
// checked for its letters only.
struct Specifier {
  std::string op;       // "==", "!=", "<=", ">=", "<", ">", "~=", "==="
  std::string version;  // without the wildcard
  bool wildcard = false;

  std::string to_string() const { return op + version + (wildcard ? ".*" : ""); }
  bool operator==(const Specifier&) const = default;
};

// The clauses of ">=1.2, <2": an empty text has none. kInvalid with the column and a hint
// (">=1.0.*": did you mean >=1.0?).
Result<std::vector<Specifier>> parse_specifiers(std::string_view text);

// The same inside a longer text: reads clauses as long as there are any, then stops.
Result<std::vector<Specifier>> read_specifiers(Scanner& scan);

// ">=1.2,<2".
std::string to_string(const std::vector<Specifier>& specifiers);

}  // namespace cloche::pypi
