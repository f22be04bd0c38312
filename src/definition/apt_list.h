// Our `apt` key and --apt: Debian packages, as a list or as a file with one or several a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "definition/environment.h"

namespace cloche::definition {

inline constexpr std::size_t kMaxAptPackages = 10'000;

// NAME, NAME=VERSION, NAME:ARCH, NAME/SUITE (package/debian/requirement.h) each; blanks around them
// do not matter. kInvalid: malformed, or more than kMaxAptPackages.
Result<AptSection> read_apt_items(const std::vector<Line>& items);

// The text of a file: packages between blanks, '#' begins a comment.
Result<AptSection> parse_apt_list(std::string_view text, const std::string& file);

// A file that parses to the same packages.
std::string write_apt_list(const AptSection& apt);

}  // namespace cloche::definition
