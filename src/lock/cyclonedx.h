// A CycloneDX 1.5 software bill of materials in JSON (https://cyclonedx.org/docs/1.5/json/).
// docs/formats/sbom.md says what stands where.
#pragma once

#include <string>

#include "core/diagnostic.h"
#include "core/result.h"
#include "lock/formats.h"
#include "lock/lock.h"

namespace cloche::lock {

// The same lock gives the same bytes: no time, and a serial number out of the lock's digest.
Result<std::string> write_cyclonedx(const Lock& lock, const ExportOptions& options,
                                    Diagnostics& diagnostics);

}  // namespace cloche::lock
