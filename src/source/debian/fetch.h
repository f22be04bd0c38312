// .deb files of records, in the package cache. For whoever unpacks them.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "package/debian/record.h"
#include "source/package_file.h"

namespace cloche::source {

// Their paths, in their order: downloaded in parallel by their `url`s, verified by size and sha256.
// Hosts are told what apt_auth.conf(5) of this machine says to them.
// Those of file: archives are used in place. Errors are those of FileCache::fetch.
Result<std::vector<std::string>> fetch_debs(FileCache& cache,
                                            std::span<const debian::PackageRecord> records,
                                            const DownloadOptions& options,
                                            const std::stop_token& stop, Progress& progress);

}  // namespace cloche::source
