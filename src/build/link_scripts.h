// Post-link scripts of conda packages, run when all files of an environment are there (CEP 34).
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "io/thread_pool.h"
#include "package/conda/record.h"

namespace cloche::build {

struct ScriptsRequest {
  const image::BaseImage& base;
  std::span<const image::EnvironmentLayer> layers;  // of all packages
  const image::Layout& layout;                      // with all these layers
  // Of the packages with a script, in the order of installation.
  std::span<const conda::PackageRecord> packages;
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
  const std::string& cache;  // for unpacked layers and containers
};

// Runs them one after another, as conda does (bash, or sh where there is none; PREFIX, PKG_NAME,
// PKG_VERSION, PKG_BUILDNUM, ROOT_PREFIX), in containers of the base and all layers without a
// network. What they changed is one segment, remembered by the base, the layers and the scripts;
// times are the fixed one. What they say to the user is noted.
// kInvalid: a script failed, with the end of what it said. kUnsupported: no containers here, or no
// shell in the image.
Result<blob::Segment> run_link_scripts(const ScriptsRequest& request, blob::SegmentStore& store,
                                       io::ThreadPool& pool, const std::stop_token& stop,
                                       Progress& progress);

}  // namespace cloche::build
