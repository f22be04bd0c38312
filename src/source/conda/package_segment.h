// conda packages as segments of an image (docs/formats/segment.md).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/thread_pool.h"
#include "package/conda/environment_prefix.h"
#include "package/conda/record.h"
#include "source/conda/bytecode.h"
#include "source/conda/prefix_install.h"
#include "source/conda/prefix_plan.h"

namespace cloche::source {

struct SegmentOptions {
  std::string prefix = std::string(conda::kEnvironmentPrefix);
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
  // With it, the segments of noarch Python packages hold their sources' bytecode; they have keys of
  // their own.
  CompileBytecode compile = {};
};

struct PackageSegment {
  blob::Segment segment;
  Json key;           // the inputs that decided it
  bool made = false;  // now; false: it was there
};

struct PackageSegments {
  std::vector<PackageSegment> segments;  // of each package, in their order
  std::vector<Clobber> clobbers;         // by path
  std::vector<LinkScript> scripts;       // in the order of the packages; none was run
};

// Gives the archives of some of the packages (places in the list), downloaded and verified.
using FetchPackages =
    std::function<Result<std::vector<std::string>>(std::span<const std::size_t> packages)>;

// The segments of the packages of one environment, in the order of installation (dependencies
// first). What is in the store is found without the archive; `fetch` is called for the rest, once,
// and in rare cases a second time. The segments are made several at once, the largest first.
//
// Each holds its package's files below the prefix and the package's conda-meta record, without what
// is the environment's (which specs asked for it). Of a path that several packages bring, the last
// in order keeps it (see PrefixPlan): the others' segments are made without it, under a key of
// their own, so that the segments may become layers in any order.
//
// Files that a package has below another's symbolic link are where the link leads.
//
// Errors of packages name the package: see PackageFiles. kUnsupported: a record without a hash, a
// file below another package's link that leads out of the environment. kInvalid: one package
// twice, two of one package's files in one place. kCancelled. kUnavailable: the disk is full.
Result<PackageSegments> package_segments(const std::vector<conda::PackageRecord>& packages,
                                         const SegmentOptions& options, const FetchPackages& fetch,
                                         blob::SegmentStore& store, io::ThreadPool& pool,
                                         Progress& progress, const std::stop_token& stop = {});

}  // namespace cloche::source
