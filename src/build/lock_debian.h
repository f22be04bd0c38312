// From a definition's apt packages to exact ones: solved against what the base has installed.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "build/debian_base.h"
#include "build/lock_environment.h"
#include "core/diagnostic.h"
#include "core/progress.h"
#include "core/result.h"
#include "definition/environment.h"
#include "lock/lock.h"
#include "source/debian/apt_sources.h"
#include "source/debian/archive.h"

namespace cloche::build {

// The archives of a release, open. For whoever solves more than a definition: making a base image.
// As ArchiveCache::open and sources_for.
Result<source::Archives> open_archives(const source::OsRelease& release,
                                       const std::string& architecture, const DebianSources& given,
                                       const source::ArchiveOptions& options,
                                       const Channels& channels, const std::stop_token& stop,
                                       Progress& progress, Diagnostics& diagnostics);

// Fills the lock's Debian part but for its requirements and reasons, which lock::bind() gives.
// kConflict: no solution, told with the definition's lines; kNotFound, kInvalid: a package that the
// archive does not have, with its line. Else as open_archives and source::solve.
Status lock_debian(const LockRequest& request, const definition::AptSection& apt,
                   const DebianBase& base, const Channels& channels, const std::stop_token& stop,
                   Progress& progress, Diagnostics& diagnostics, LockOutcome& out);

}  // namespace cloche::build
