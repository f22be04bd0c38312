// The system calls of a container.
#pragma once

#include "core/json.h"

namespace cloche::runtime {

// The runtime-spec's "seccomp" object (config-linux.md): what container engines allow by default
// (containers-common's seccomp.json of Debian 12), without io_uring, namespaces, mounts and keys.
// What is refused knowingly gives EPERM, what is unknown ENOSYS, so that C libraries fall back.
Json seccomp_filter();

}  // namespace cloche::runtime
