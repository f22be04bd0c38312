// The interpreter that packages of one environment bring, and what it compiles for images.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "package/conda/record.h"
#include "source/conda/package_files.h"
#include "source/conda/prefix_plan.h"

namespace cloche::source {

// "sha256:...", or "md5:..." where the channel says no more.
std::string archive_identity(const conda::PackageRecord& record);

// python and what it depends on, in the order of the packages; without noarch Python packages,
// which an interpreter does not need (pip is one, in a circle with it).
std::vector<std::size_t> interpreter_packages(const std::vector<conda::PackageRecord>& packages);

// What decides bytecode besides the source: the packages that the interpreter and its standard
// library come from. A minor version is not enough, since compilers are mended too. "": there is no
// interpreter.
std::string interpreter_identity(
    const std::vector<conda::PackageRecord>& packages, const Placement& placement,
    const std::function<const std::vector<PlacedPath>&(std::size_t package)>& paths_of);

// The sources below site-packages of a noarch Python package, sorted, as in an installation (conda:
// conda/core/path_actions.py, CompileMultiPycAction). Where another package brings the bytecode,
// that one is taken.
std::vector<std::string> compiled_sources(const conda::PackageRecord& record,
                                          const std::vector<PlacedPath>& paths, std::size_t package,
                                          const PrefixPlan& plan, const Placement& placement);

}  // namespace cloche::source
