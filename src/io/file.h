// Writing files so that a crash leaves the old content or the new, never half.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::io {

// Writes to a temporary name beside it, syncs, renames, syncs the folder. Creates missing parents.
// kUnavailable: disk full; kPermission.
Status write_file_atomically(const std::string& path, std::string_view content,
                             std::uint32_t mode = 0644);

Status make_directories(const std::string& path);

// A unique file name in the directory for work in progress, removed by its owner's destructor
// unless kept.
std::string environment_variable(const char* name);  // "" when unset

// Turns errno into an Error that says what was being done to which path, with a remedy where there
// is one.
Error system_error(int error_number, std::string_view doing, std::string_view path);

}  // namespace cloche::io
