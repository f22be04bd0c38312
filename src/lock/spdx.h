// An SPDX 2.3 software bill of materials in JSON (https://spdx.github.io/spdx-spec/v2.3/).
// docs/formats/sbom.md says what stands where.
#pragma once

#include <string>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/formats.h"
#include "lock/lock.h"

namespace cloche::lock {

// The same lock gives the same bytes: `created` is the newest package's time, and the namespace
// comes out of the lock's digest.
Result<std::string> write_spdx(const Lock& lock, const ExportOptions& options,
                               Diagnostics& diagnostics);

}  // namespace cloche::lock
