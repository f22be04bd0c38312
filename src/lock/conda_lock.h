// conda-lock's conda-lock.yml, version 1 (CEP 37). docs/formats/lock-exchange.md.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/formats.h"
#include "lock/lock.h"

namespace cloche::lock {

Result<std::string> write_conda_lock(const Lock& lock, const ExportOptions& options,
                                     Diagnostics& diagnostics);

// The packages of one platform and the categories asked for; others are counted in a note. conda's
// are incomplete, but for their dependencies. kInvalid with the line: a missing key, a hash that is
// none, a package twice in a category, a URL that says another name or version, no package for the
// platform. kUnsupported: another version of the format.
Result<Lock> parse_conda_lock(std::string_view text, const std::string& file,
                              const ImportOptions& options, Diagnostics& diagnostics);

}  // namespace cloche::lock
