// From a lock to an image: segments of its packages, grouped into layers, on a base.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "build/build_record.h"
#include "build/build_request.h"
#include "build/lock_environment.h"
#include "core/progress.h"
#include "core/result.h"
#include "source/conda/package_segment.h"

namespace cloche::build {

// Why bytecode cannot be had here: no container can; "" where it can, or is not asked for.
// kCancelled.
Result<std::string> why_no_bytecode(const BuildRequest& request, const std::string& cache,
                                    const std::stop_token& stop, Progress& progress);

struct BuildOutcome {
  image::Descriptor manifest;
  Digest key;
  bool found = false;             // nothing was done: the image was there
  std::size_t layers = 0;         // of the environment
  std::uint64_t layer_bytes = 0;  // compressed, of the environment
  std::size_t packages = 0;
  std::size_t packages_made = 0;  // whose segments were made now
  std::vector<source::Clobber> clobbers;
  std::vector<source::LinkScript> scripts;  // not run
  std::vector<std::string> scripts_run;     // packages whose post-link script was
  std::string without_bytecode;             // why; "": it has what it needs
};

// Finds the image or makes it, and remembers it under its key. The name in the layout is the
// caller's to give. The same lock, base and definition give the same digest on every machine that
// can compile bytecode, and another one, under another key, on all that cannot.
// Debian packages stand between the base and the conda packages (debian_install.h).
// kInvalid: a post-link or maintainer script failed.
// kUnsupported: scripts and Debian packages where there are no containers; pip packages, which are
// not built yet; a Dockerfile as base; packages whose lock is not complete. kCorrupt, kUnavailable,
// ...: as fetching and making segments say.
Result<BuildOutcome> build_environment(const BuildRequest& wanted, const Channels& channels,
                                       const std::stop_token& stop, Progress& progress);

}  // namespace cloche::build
