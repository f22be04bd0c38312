// A suite's Release as it was verified last, kept on disk. For the fetcher of this folder only.
// docs/formats/debian-archive-cache.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::source {

struct CachedRelease {
  std::string url;   // of the suite, without credentials
  std::string keys;  // TrustedKeys::identity() of what it was verified with; "" for trusted sources
  std::string file_sha256;  // of InRelease as it came, or of Release and Release.gpg
  std::string text;         // what was signed
  std::string etag;         // of InRelease
  std::string last_modified;
  std::int64_t checked_at_ms = 0;
  std::vector<std::string> indexes;  // names of the index files that were made for it
};

// Nothing where there is none, or none that can be believed: it is fetched anew then.
std::optional<CachedRelease> read_cached_release(const std::string& directory,
                                                 const std::string& url);
// The text first, then the state that names it: a crash in between leaves nothing to believe.
Status write_cached_release(const std::string& directory, const CachedRelease& release);

}  // namespace cloche::source
