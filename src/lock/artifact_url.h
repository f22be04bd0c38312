// What the URL of a conda package says: https://host/channel/subdir/name-version-build.conda
// (CEP 26, "Distribution strings"; CEP 35).
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "package/conda/record.h"

namespace cloche::lock {

// Whether the text begins as a URL does, "https://": paths and names do not.
bool has_scheme(std::string_view text);

// The URL without a user's name, password or conda's token (/t/TOKEN/), query and fragment. A lock
// is passed on; credentials are not.
std::string without_credentials(std::string_view url);

// name, version, build, file name, subdir, channel and URL (without credentials); and, as they are
// usually written, the build number (what the build string ends with) and whether it is noarch
// Python ("py" in the build string), as rattler does for pixi.lock. kInvalid: no such URL, or parts
// that are no name, version or build.
Result<conda::PackageRecord> record_of_url(std::string_view url);

}  // namespace cloche::lock
