// A Debian package as a person asks for it: NAME, NAME=VERSION, NAME:ARCH, NAME/SUITE, as
// apt-get(8), "install", reads them.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::debian {

// Names: Debian Policy 5.6.1; versions: 5.6.12. At most one of version and suite is set.
struct Requirement {
  std::string name;
  std::string architecture;  // "amd64"
  std::string version;       // "1:2.39.5-0+deb12u1"; may end with apt's wildcard, "1:2.39*"
  std::string suite;         // "bookworm-backports"

  // Whether exactly one version fits: a version without a wildcard.
  bool exact() const { return !version.empty() && !version.ends_with('*'); }

  std::string to_string() const;
  bool operator==(const Requirement&) const = default;
};

// kInvalid with the column and a hint ("git==1.2": did you mean git=1.2?); kUnsupported: what apt
// understands and no lock can hold (patterns, tasks, removals, .deb files).
Result<Requirement> parse_requirement(std::string_view text);

}  // namespace cloche::debian
