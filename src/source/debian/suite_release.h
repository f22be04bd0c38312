// The Releases of suites: asked for, verified, kept.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "source/debian/apt_auth.h"
#include "source/debian/apt_sources.h"
#include "source/debian/archive.h"
#include "source/debian/release.h"
#include "source/debian/release_cache.h"
#include "source/debian/signature.h"

namespace cloche::source {

// One suite on its way to its Release.
struct Suite {
  const AptSource* source = nullptr;
  std::string url;    // of the folder that has the Release; may hold credentials
  std::string shown;  // the same without them
  TrustedKeys keys;
  std::optional<CachedRelease> cached;
  bool asks = false;
  Release release;

  bool is_flat() const { return source->suite.ends_with('/'); }
};

bool is_local(std::string_view uri);               // "file:..."
std::string local_path(std::string_view url);      // of one that is
std::string without_slash(std::string_view text);  // at its end

inline constexpr std::string_view kFetchingArchives = "fetching archives";

// One thread; what it is given outlives it.
class SuiteReleases {
 public:
  // Keeps them below `directory`. `now_ms`: when a Release must be valid.
  SuiteReleases(std::string directory, io::HttpClient& client, FileSource& files,
                std::int64_t now_ms, const ArchiveOptions& options, const std::stop_token& stop,
                Progress& progress)
      : directory_(std::move(directory)),
        client_(client),
        files_(files),
        now_ms_(now_ms),
        options_(options),
        stop_(stop),
        progress_(progress),
        auth_(AptAuth::load(files, kAptDirectory)) {}

  // A suite with its keys, with what is cached of it, and whether it is to be asked for. kNotFound:
  // no keyring; kUnavailable: offline, and nothing is cached.
  Result<Suite> begin(const AptSource& source) const;

  // Asks for all that are to be asked for at once, and reads all. Errors as ArchiveCache::open().
  Status fetch(std::span<Suite> suites);

  // With what its host is told.
  io::HttpUrl url_of(std::string url) const;

  const std::string& directory() const { return directory_; }

 private:
  static std::string identity(const Suite& suite);
  Status take_release(Suite& suite, const Result<io::HttpResponse>& response,
                      const std::string& content);
  Status take_detached(Suite& suite);
  Status read_local_release(Suite& suite);
  Status keep(Suite& suite, const std::string& file, const std::string& signature,
              const std::string& etag, const std::string& last_modified);
  Status parse(Suite& suite) const;
  Status check_dates(const Suite& suite) const;

  std::string directory_;
  io::HttpClient& client_;
  FileSource& files_;
  std::int64_t now_ms_;
  const ArchiveOptions& options_;
  const std::stop_token& stop_;
  Progress& progress_;
  AptAuth auth_;
};

}  // namespace cloche::source
