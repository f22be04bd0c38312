// A dependency on a Python distribution: PEP 508 (dependency specifiers), plus pip's forms for URLs
// and paths. docs/formats/requirements.md, "A requirement".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::pypi {

// Name in PEP 503's normal form: lower case, runs of '-', '_' and '.' made one '-'.
std::string normal_name(std::string_view name);

struct Requirement {
  std::string name;                 // as written; "" for a bare URL or path that does not tell
  std::vector<std::string> extras;  // as written, sorted, unique
  std::string specifier;            // ">=1.2,<2" canonical: no blanks, in the order written
  std::string url;                  // after '@', or the whole of a bare URL or path
  bool bare = false;   // the URL or path stands alone; the name, if any, was read out of it
  std::string marker;  // canonical blanks and double quotes; "" for none

  // Whether exactly one version fits: ==1.2 (no wildcard), ===x, or a URL with a hash or a VCS
  // commit.
  bool exact() const;
  // == (also ==1.2.*), ===, ~=, or a range with an upper bound; or any URL.
  bool pinned() const;

  // A requirement that parses to this one again.
  std::string to_string() const;

  bool operator==(const Requirement&) const = default;
};

// `text` is a single requirement without pip's options and comments. ${VARIABLES} may stand in a
// URL, a path or a version, and stay. kInvalid with the column in the error's location (line 1) and
// a hint: "numpy=1.2" gives "did you mean numpy==1.2?". No error repeats a password.
Result<Requirement> parse_requirement(std::string_view text);

// What stands behind pip's -e: a path or a VCS URL, which may end with [extras]; or "name @ URL".
Result<Requirement> parse_editable(std::string_view text);

}  // namespace cloche::pypi
