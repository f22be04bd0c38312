// Debian's copyright files.
#pragma once

#include <string>
#include <string_view>

namespace cloche::debian_channel {

// The short name of the licence of most files ("BSD-3-Clause"): of the paragraph `Files: *`, of a
// file in the machine-readable form
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
// "" for any other text.
std::string short_license(std::string_view copyright);

}  // namespace cloche::debian_channel
