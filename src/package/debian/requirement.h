// A Debian package as a person asks for it: NAME, NAME=VERSION, NAME:ARCH, NAME/SUITE.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::debian {

// Names: Debian Policy 5.6.1; versions: 5.6.12.
struct Requirement {
  std::string name;
  std::string architecture;
  std::string version;
  std::string suite;

  std::string to_string() const;
  bool operator==(const Requirement&) const = default;
};

// kInvalid with a hint ("git==1.2": did you mean git=1.2?).
Result<Requirement> parse_requirement(std::string_view text);

}  // namespace cloche::debian
