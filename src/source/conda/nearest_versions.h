// The versions that a message offers where nothing fits.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "package/conda/version.h"
#include "package/conda/version_spec.h"

namespace cloche::source {

// Of `versions`, which ascend: the two below and the two above each version that the constraint
// names, ascending, each once, at most six; the four newest where it names none.
std::vector<std::string> nearest_versions(const conda::VersionSpec& constraint,
                                          std::span<const conda::Version> versions);

}  // namespace cloche::source
