// Debian packages put onto a base: layers of their segments, and one with what configuring them
// gives (docs/formats/debian-segment.md).
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "io/thread_pool.h"
#include "source/debian/deb_segment.h"

namespace cloche::build {

struct DebianInstall {
  const image::BaseImage& base;  // "scratch": a system of its own
  const image::Layout& layout;   // that has the base, and where the layers go
  std::vector<source::DebFile> packages;
  std::vector<std::string> removes = {};  // packages of the base that go
  // Only of a system of its own: whether /bin is usr/bin; else the base says.
  bool merged_usr = true;
  std::map<std::string, std::string> files = {};  // path -> content: others that it is to have
  std::string cache;                              // unpacked layers, containers
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
};

struct DebianLayers {
  std::vector<image::EnvironmentLayer> layers;  // the packages', then the configured state's
  std::size_t packages_made = 0;                // whose segments were made now
  bool configured = false;                      // now; false: the result was there
};

// The same packages on the same base give the same layers, whoever makes them. Packages that the
// base has in another version, or whose files meet files of the base, are unpacked by dpkg itself
// in the container, and so are part of the last layer. What configuring gives is remembered by
// the base's layers and the list of packages.
// As deb_segments() and configure(). kUnsupported: the base has no dpkg, or there are no
// containers.
Result<DebianLayers> install_debian(const DebianInstall& install, const source::FetchDebs& fetch,
                                    blob::SegmentStore& store, io::ThreadPool& pool,
                                    const std::stop_token& stop, Progress& progress);

}  // namespace cloche::build
