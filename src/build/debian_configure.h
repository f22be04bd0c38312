// The one container step in which Debian packages are configured after unpacking
// (docs/formats/debian-segment.md).
#pragma once

#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/segment_store.h"
#include "build/lower_root.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/thread_pool.h"
#include "source/debian/deb_segment.h"
#include "source/debian/dpkg_database.h"

namespace cloche::build {

// A change of what is run or of what becomes of the result is a new number: part of the key.
inline constexpr int kConfigureFormat = 2;

struct DirectoryAttributes {
  std::string path;
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

struct ConfigureRequest {
  const LowerRoot& base;                               // as it was before
  std::vector<std::string> lower = {};                 // with the packages, the lowest first
  std::vector<source::UnpackedPackage> packages = {};  // those that are in `lower`, in any order
  std::vector<std::string> archives = {};  // .deb files that dpkg itself unpacks, in this order
  std::vector<std::string> removes = {};   // installed packages that go
  std::vector<DirectoryAttributes> directories = {};  // what they have to be, where layers disagree
  std::map<std::string, std::string> files =
      {};                     // path -> content: others that the image is to have
  std::int64_t newest_s = 0;  // nothing in the result is younger
  std::string cache = {};     // where containers and temporary files are
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
};

// Writes dpkg's database as after unpacking, runs the preinst scripts and `dpkg --configure -a` of
// the image itself in a container without network, and makes a segment of what that changed. What
// differs from one time to the next (logs, caches, keys that are made, times) is made the same or
// left out, so the same request gives the same bytes.
// kInvalid: a script failed, with the end of what it said; kUnsupported: no containers here.
// By root, of the machine or of a namespace: runtime::run_as_root().
Result<blob::Segment> configure(const ConfigureRequest& request, const blob::BlobStore& blobs,
                                io::ThreadPool& pool, const std::stop_token& stop,
                                Progress& progress);

// The script that is run, for a reader of the code and for tests.
std::string configure_script(const ConfigureRequest& request);

// Makes what the container wrote independent of when and where it ran. For tests.
Status make_reproducible(const std::string& upper, std::int64_t newest_s);

}  // namespace cloche::build
