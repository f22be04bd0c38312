// From a lock to an image: segments of its packages, grouped into layers, on a base.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/segment.h"
#include "build/lock_environment.h"
#include "core/json.h"
#include "core/progress.h"
#include "core/result.h"
#include "definition/environment.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "lock/lock.h"
#include "source/conda/package_segment.h"

namespace cloche::build {

struct BuildRequest {
  const definition::Definition& definition;
  const lock::Lock& lock;
  const image::BaseImage& base;
  const image::Layout& layout;  // where the image goes: the workspace's
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
  // Bytecode for noarch Python packages, which ship none: compiled by the environment's own Python
  // in a container, and so only where one can be had (see compiles_bytecode).
  bool bytecode = true;
  // Post-link scripts of packages, run in a container. Without: they are told of.
  bool scripts = true;
  bool offline = false;
  // Use nothing that an earlier build made: to compare with it.
  bool from_nothing = false;
};

// What packages ask of the machine and the base that run them: "__glibc >=2.17,<3.0.a0".
std::vector<std::string> needs_of(const lock::Lock& lock);

// Whether this build has anything to compile and could run it: there are noarch Python packages and
// a Python for this machine's processor, on a base that has files. Whether a container can be had
// is not asked.
bool compiles_bytecode(const BuildRequest& request);

// Why bytecode cannot be had here: no container can; "" where it can, or is not asked for.
// kCancelled.
Result<std::string> why_no_bytecode(const BuildRequest& request, const std::string& cache,
                                    const std::stop_token& stop, Progress& progress);

// Everything that decides the image, as an object of texts; its digest is the key that builds are
// found by. The lock counts by its contents, so definitions that are written differently share an
// image.
Json build_inputs(const BuildRequest& request);

// The image of the key, where it was built and is still whole; nothing else.
Result<std::optional<image::Descriptor>> find_build(const BuildRequest& request);

// The build that has most inputs in common with this request, for saying why it is not a look-up:
// the names of the inputs that differ ("base", "contents"), with both values. Nothing where nothing
// was ever built.
struct ChangedInput {
  std::string name;
  std::string before;
  std::string now;
};
struct Relative {
  Digest manifest;
  std::vector<ChangedInput> changed;
};
Result<std::optional<Relative>> nearest_build(const BuildRequest& request);

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
