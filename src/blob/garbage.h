// Garbage collection of a blob store while others work in it: what no root reaches goes.
//
// Nothing that is needed is ever lost, whoever dies when:
//   - what running work has written or used stays as long as its Lease lives (blob/lease.h);
//   - leases are read before the roots, so what a lease covered is a root by then, or still
//   covered;
//   - a blob goes under a lock that BlobStore::use() takes too, after a second look at its time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/progress.h"
#include "core/result.h"

namespace cloche::blob {

// Receives a digest that must stay, and why, in words for people ("image train:3").
using Keep = std::function<void(const Digest& digest, std::string_view why)>;

// Names everything that must stay. Whatever it cannot read is an error, and then nothing goes.
using Roots = std::function<Status(const Keep& keep)>;

struct GarbageOptions {
  bool dry_run = false;
  std::int64_t leftover_age_s = 3600;  // files under tmp/ that nobody has written to for so long go
};

struct GarbageReport {
  struct Removed {
    std::string path;  // relative to the root
    std::uint64_t size_bytes = 0;
    std::string why;  // "nothing refers to it", "left by a process that died"
  };
  struct Kept {
    std::uint64_t count = 0;
    std::uint64_t size_bytes = 0;
  };
  std::vector<Removed> removed;      // with dry_run: what would be; sorted by path
  std::map<std::string, Kept> kept;  // by why
  std::uint64_t removed_bytes = 0;
  std::uint64_t kept_bytes = 0;
};

// Collects in the store at `root`; a store that is not there has no garbage. One collection runs at
// a time, others wait. kUnsupported: the file system has no locks, so running work cannot be seen.
// kCancelled: what was removed until then stays removed.
Result<GarbageReport> collect_garbage(const std::string& root, const Roots& roots,
                                      const GarbageOptions& options, const std::stop_token& stop,
                                      Progress& progress);

}  // namespace cloche::blob
