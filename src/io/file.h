// Writing files so that a crash leaves the old content or the new, never half.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::io {

// Writes to a temporary name beside it, syncs, renames, syncs the folder. Creates missing parents.
// A link at `path` is replaced, not followed. `mode` is what the umask leaves of it.
// kUnavailable: disk full; kPermission.
Status write_file_atomically(const std::string& path, std::string_view content,
                             std::uint32_t mode = 0644);

// Like mkdir -p, and a power cut does not undo it. kConflict: a file stands in the way.
Status make_directories(const std::string& path);

}  // namespace cloche::io
