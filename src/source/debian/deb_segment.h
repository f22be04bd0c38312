// Debian packages as segments of an image (docs/formats/debian-segment.md).
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blob/segment_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/thread_pool.h"
#include "source/debian/deb_contents.h"

namespace cloche::source {

// A package by what it is locked as.
struct DebFile {
  std::string name;
  std::string version;
  std::string architecture;  // "amd64", "all"
  std::string sha256;        // 64 hex digits
};

// A directory that is a symbolic link where the packages go: what they have below `path` goes below
// `target`. Both plain: "bin", "usr/bin".
struct DirectoryAlias {
  std::string path;
  std::string target;

  auto operator<=>(const DirectoryAlias&) const = default;
};

// The aliases of a system whose /usr is merged, for these top-level directories of packages.
std::vector<DirectoryAlias> merged_usr(std::span<const std::string> directories);
// Those of which a merged system may have links: bin, sbin, lib and lib32, lib64, ...
std::span<const std::string_view> merged_directories();

// The path with the longest alias that it lies in (or is) replaced.
std::string aliased_path(std::span<const DirectoryAlias> aliases, std::string_view path);

struct DebSegmentOptions {
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
  std::vector<DirectoryAlias> aliases = {};
};

struct DebSegment {
  blob::Segment segment;
  Json key;           // the inputs that decided it
  bool made = false;  // now; false: it was there
  DebContents contents;
  std::vector<std::string> lost;  // paths that are another package's, as the package has them
};

// Gives the .deb files of some of the packages (places in the list), downloaded and verified.
using FetchDebs =
    std::function<Result<std::vector<std::string>>(std::span<const std::size_t> packages)>;

// The segments of packages that are unpacked beside each other, in this order. What is in the store
// is found without the archive; `fetch` is called once for the rest. Made several at once.
//
// Each holds the files of the data member with their owners, modes, hard links and times, and what
// dpkg knows of the package: var/lib/dpkg/info/NAME[:ARCHITECTURE].list and all of its control
// files but `control` itself, which is in the contents. A file that two packages have is that
// one's which Replaces the other; the other's segment is made without it, under a key of its own.
//
// Errors name the package. kInvalid: what DebArchive refuses, a name, version or architecture other
// than promised, one package twice. kConflict: two packages have one path and neither replaces the
// other (a diversion would be needed, or they cannot be together). kCancelled. kUnavailable: the
// disk is full.
Result<std::vector<DebSegment>> deb_segments(std::span<const DebFile> packages,
                                             const DebSegmentOptions& options,
                                             const FetchDebs& fetch, blob::SegmentStore& store,
                                             io::ThreadPool& pool, Progress& progress,
                                             const std::stop_token& stop = {});

}  // namespace cloche::source
