// Paths that several packages have, and whose they are.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "package/debian/record.h"
#include "source/debian/deb_contents.h"
#include "source/debian/deb_segment.h"

namespace cloche::source {

struct NamedContents {
  debian::PackageRecord record;
  const DebContents* contents = nullptr;
};

// For each package the paths (as it has them) that are another's, sorted: dpkg lets a package take
// a file of another that it Replaces, in whatever order they are unpacked (Policy 7.6.1).
// Directories are shared. kConflict: two have one path and neither replaces the other, or what is a
// directory for one is none for the other; both are named.
Result<std::vector<std::vector<std::string>>> lost_paths(std::span<const NamedContents> packages,
                                                         std::span<const DirectoryAlias> aliases);

}  // namespace cloche::source
