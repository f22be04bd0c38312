// What a container changed, as a layer's entries (OCI image spec, layer.md).
#pragma once

#include <cstdint>
#include <limits>
#include <stop_token>
#include <string>

#include "blob/segment.h"
#include "core/result.h"

namespace cloche::runtime {

struct ChangeOptions {
  // Nothing is younger than this: what the container wrote was written now.
  std::int64_t newest_s = std::numeric_limits<std::int64_t>::max();
};

// Writes everything that is in a directory that an overlay had as its upper one
// (ContainerSpec::upper), once nothing has it mounted: files, directories and links with owners,
// modes, whole seconds of their times, hard links, security.capability and user.* attributes; of
// what was removed a file ".wh.NAME", of a directory that hides those below ".wh..wh..opq". The
// directory itself is left out, and so are sockets and FIFOs, which mean nothing later.
// The same tree gives the same entries, whatever the order of its directories.
// kUnsupported: devices, a name that begins with ".wh.", a directory that was moved without its
// files (redirect_dir). kCancelled, kUnavailable.
Status write_changes(const std::string& upper, const ChangeOptions& options,
                     blob::SegmentWriter& segment, const std::stop_token& stop);

}  // namespace cloche::runtime
