// The only variable of programs that run on the host for a container: the runtime, hooks.
#pragma once

#include <string_view>

namespace cloche::runtime {

// Ends with a NUL, for execve().
inline constexpr std::string_view kHostPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace cloche::runtime
