// Debian's archive for one suite: what it has, and its files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "package/debian/record.h"

namespace cloche::debian_channel {

struct FetchedPackages {
  std::vector<std::string> paths;  // of the archives, in the order of what was asked for
  std::uint64_t downloaded = 0;    // archives that were not there before
  std::uint64_t downloaded_bytes = 0;
};

class DebSource {
 public:
  DebSource(std::string mirror, std::string suite, std::string cache_directory);

  Result<std::vector<debian::PackageRecord>> records(Progress& progress);
  Result<FetchedPackages> fetch(std::span<const debian::PackageRecord> packages,
                                Progress& progress);

 private:
  std::string mirror_;
  std::string suite_;
  std::string cache_directory_;
};

}  // namespace cloche::debian_channel
