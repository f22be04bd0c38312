// Debian archives: their suites' Releases, verified, and the indexes of their packages, ready to
// solve with. docs/formats/debian-archive.md
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/diagnostic.h"
#include "core/files.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "source/debian/apt_sources.h"
#include "source/debian/release.h"
#include "source/debian/universe.h"

namespace cloche::source {

struct ArchiveOptions {
  bool refresh = false;  // ask even where the cached Release is fresh (of the last hour)
  bool offline = false;  // ask nobody
};

struct OpenedRelease {
  std::string uri;  // without credentials
  std::string suite;
  std::vector<std::string> components;
  Release release;
  std::string sha256;  // of its signed text
};

struct Archives {
  std::vector<OpenedRelease> releases;  // one for each source, in their order
  std::vector<PackageSource> packages;  // for PackageUniverse; by source, then component
};

// Many threads and processes may use one directory at once. The references outlive the object.
class ArchiveCache {
 public:
  // Keeps Releases and indexes below the directory (docs/formats/debian-archive-cache.md). `files`
  // is where keyrings and file: archives are.
  ArchiveCache(std::string directory, io::HttpClient& client, FileSource& files, Clock& clock);

  // All suites are asked at once, then all indexes that are not there yet. A component that a suite
  // does not have is a warning (apt-no-component).
  //   kPermission   a signature that is wrong, or by no trusted key
  //   kUnavailable  an archive does not answer, its Release has expired or lies in the future, or
  //                 offline and nothing is cached; a full disk
  //   kCorrupt      no Release, one of another suite, an index whose size or hash is not the one of
  //                 the Release (asked for once more before), or that cannot be read
  //   kNotFound     no such suite; no keyring; no gpgv
  //   kCancelled
  Result<Archives> open(std::span<const AptSource> sources, std::string_view architecture,
                        const ArchiveOptions& options, const std::stop_token& stop,
                        Progress& progress, Diagnostics& diagnostics);

 private:
  std::string directory_;
  io::HttpClient& client_;
  FileSource& files_;
  Clock& clock_;
};

// Debian's word for a platform of conda's: "amd64" for "linux-64", "arm64" for "linux-aarch64".
// kUnsupported: another one.
Result<std::string> debian_architecture(std::string_view platform);

}  // namespace cloche::source
