// Which licence a channel's text names, as software bills of materials want it (SPDX 2.3, Annex D,
// "SPDX license expressions").
#pragma once

#include <string>
#include <string_view>

namespace cloche::lock {

enum class LicenseKind {
  kNone,        // the channel says nothing
  kId,          // one identifier of the SPDX list: "MIT"
  kExpression,  // "MIT OR Apache-2.0", "LicenseRef-Public-Domain"
  kName,        // anything else: "BSD 3-Clause", "Proprietary"
};

// The list is the part of SPDX's that conda channels use; an identifier that is not on it counts as
// a name, which is never wrong.
LicenseKind license_kind(std::string_view text);

}  // namespace cloche::lock
