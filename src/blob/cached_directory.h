// Directories of a cache that evictions may take (blob/eviction.h).
#pragma once

#include <string>

namespace cloche::blob {

// Whether the directory is there; then it counts as used now, and no eviction takes it within the
// next hour. `root`: the folder that it stands in.
bool use_directory(const std::string& root, const std::string& path);

}  // namespace cloche::blob
