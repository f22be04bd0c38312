// errno as an Error.
#pragma once

#include <string_view>

#include "core/result.h"

namespace cloche::io {

// "cannot read environment.yml: no such file or directory", with a remedy where there is one.
// `doing` is a verb ("read", "create the directory"). Control characters of the path are shown
// escaped, so that a hostile name cannot reach the terminal.
// The kind: kNotFound, kPermission, kConflict and kInvalid where the path is to blame, kUnavailable
// where the machine is (disk full, too many open files).
Error system_error(int error_number, std::string_view doing, std::string_view path);

// kInvalid: a path with a NUL byte, of which the system would see only the part before it.
Status check_path(std::string_view path);

}  // namespace cloche::io
