// conda's explicit files: one URL a line after @EXPLICIT (CEP 23). docs/formats/lock-exchange.md.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/formats.h"
#include "lock/lock.h"

namespace cloche::lock {

// In the order of installing, as CEP 23 asks. pip's and apt's lines are left out, with a warning.
Result<std::string> write_explicit(const Lock& lock, const ExportOptions& options,
                                   Diagnostics& diagnostics);

// What the URLs say: every package is incomplete. The platform is that of the comment `#
// platform:`, else of the URLs, else the one asked for. kInvalid with the line: a line that is no
// URL of a conda package, a package twice. kUnsupported: a path or a variable, which mean something
// else on another machine.
Result<Lock> parse_explicit(std::string_view text, const std::string& file,
                            const ImportOptions& options, Diagnostics& diagnostics);

}  // namespace cloche::lock
