// Debian's archive for one suite: what it has, and its files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "package/debian/record.h"
#include "source/debian/archive.h"
#include "source/debian/universe.h"

namespace cloche::debian_channel {

// The packages of a suite by name: of each the one that apt would take. One thread.
class Available {
 public:
  explicit Available(std::vector<source::PackageSource> sources);

  // nullptr: there is none of that name. Stays as long as this object.
  const debian::PackageRecord* find(std::string_view name);

  // Those that say they provide it, by name.
  std::vector<const debian::PackageRecord*> providers(std::string_view name);

 private:
  const debian::PackageRecord* record(resolve::SolvableId id);

  std::vector<source::PackageSource> sources_;
  source::PackageUniverse universe_;
  std::map<std::uint32_t, debian::PackageRecord> records_;  // by id
};

struct FetchedPackages {
  std::vector<std::string> paths;  // of the archives, in the order of what was asked for
  std::uint64_t downloaded = 0;    // archives that were not there before
  std::uint64_t downloaded_bytes = 0;
};

class DebSource {
 public:
  // `mirror`: "" for what the machine's apt is configured with. The cache is Cloche's own.
  DebSource(std::string mirror, std::string suite, std::string cache_directory);

  // The suite with its updates and security updates, verified.
  Result<std::unique_ptr<Available>> open(const std::stop_token& stop, Progress& progress);

  Result<FetchedPackages> fetch(std::span<const debian::PackageRecord> packages,
                                const std::stop_token& stop, Progress& progress);

 private:
  std::string mirror_;
  std::string suite_;
  std::string cache_directory_;
  io::HttpClient client_;
};

}  // namespace cloche::debian_channel
