// cloche.lock, the file: YAML, one block for each package. docs/formats/lock.md specifies it.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/lock.h"

namespace cloche::lock {

// The same lock gives the same bytes; parse_cloche_lock gives the sorted lock back.
std::string write_cloche_lock(const Lock& lock);

// kInvalid with the line: no YAML, a key that is missing or has the wrong kind of value, a package
// twice. kUnsupported: a newer format version. Unknown keys are warnings.
Result<Lock> parse_cloche_lock(std::string_view text, const std::string& file,
                               Diagnostics& diagnostics);

}  // namespace cloche::lock
