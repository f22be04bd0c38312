// pixi's pixi.lock (rattler: crates/rattler_lock). docs/formats/lock-exchange.md.
#pragma once

#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/formats.h"
#include "lock/lock.h"

namespace cloche::lock {

// Version 6, with one environment, `default`: newer pixi reads it too, while version 7 still
// changed its shape from release to release when this was written.
Result<std::string> write_pixi_lock(const Lock& lock, const ExportOptions& options,
                                    Diagnostics& diagnostics);

// Versions 4 to 7: one environment and one platform of it. kNotFound: no such environment, with the
// ones that there are. kInvalid with the line: a missing key, a package that an environment names
// but the list does not hold, a package twice. kUnsupported: another version, packages that are
// built from source, packages by path.
Result<Lock> parse_pixi_lock(std::string_view text, const std::string& file,
                             const ImportOptions& options, Diagnostics& diagnostics);

}  // namespace cloche::lock
