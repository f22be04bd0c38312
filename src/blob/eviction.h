// The cache of a person kept small: everything in it can be fetched or made again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "blob/garbage.h"
#include "core/digest.h"
#include "core/progress.h"
#include "core/result.h"

namespace cloche::blob {

struct EvictionOptions {
  std::optional<std::uint64_t> quota_bytes = {};  // nothing: only leftovers go
  bool dry_run = false;
  // What goes last: blobs that somebody is known to want again, and why ("locked here"); "" others.
  std::function<std::string(const Digest&)> wanted = {};
  // Of unpacked layers: whether something that runs stands on the directory of this path. It must
  // know of all that was begun more than `fresh_age_s` ago.
  std::function<bool(const std::string&)> in_use = {};
  std::int64_t fresh_age_s = 3600;     // unpacked layers that were used since then stay
  std::int64_t leftover_age_s = 3600;  // files under tmp/, and others called ".cloche-..."
  std::int64_t partial_age_s = 86400;  // downloads that were broken off
};

// Removes leftovers, and then what was used least recently until the cache is within its quota:
// first what nobody is known to want. What running work uses under a Lease stays, so a quota may be
// exceeded while it runs; so does what shares its bytes with an image, which it frees nothing of.
// Paths in the report are relative to the cache. As collect_garbage() else.
Result<GarbageReport> evict(const std::string& cache, const EvictionOptions& options,
                            const std::stop_token& stop, Progress& progress);

struct FolderUse {
  std::uint64_t count = 0;
  std::uint64_t size_bytes = 0;    // without:
  std::uint64_t shared_bytes = 0;  // second names of what images hold
};
// What a cache holds.
struct CacheUse {
  std::map<std::string, FolderUse> folders = {};  // "packages", "segments", ...
  std::uint64_t leftover_bytes = 0;               // that evict() without a quota would remove
};
Result<CacheUse> cache_use(const std::string& cache);

}  // namespace cloche::blob
