// The state file beside a cached repodata.json: docs/formats/repodata-cache.md. For the fetchers
// of this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "source/conda/file_stamp.h"

namespace cloche::source {

struct RepodataState {
  std::string url;       // of the subdir, without credentials
  std::string file;      // the data's name in the cache; "" for a missing subdir
  std::string previous;  // the data before it, which a reader may still have open
  std::string variant;   // "repodata.json.zst"
  bool missing = false;  // the channel has no such subdir

  Digest digest;
  FileStamp stamp;

  std::string etag;
  std::string last_modified;
  std::int64_t max_age_s = 0;
  std::int64_t checked_at_ms = 0;
  std::map<std::string, std::int64_t, std::less<>> absent;  // variant -> when it was not there

  bool fresh_at(std::int64_t now_ms) const;
};

// The files of one subdir's cache: a place under the cache's directory.
struct RepodataPlace {
  std::string directory;
  std::string key;  // of the subdir's URL

  static RepodataPlace of(const std::string& directory, std::string_view subdir_url);
  std::string state_path() const { return directory + "/" + key + ".state.json"; }
  std::string data_name(const Digest& digest, std::string_view variant) const;
};

// Nothing where there is no state, or none that can be believed: it is made anew then.
std::optional<RepodataState> read_state(const RepodataPlace& place, std::string_view url);
Status write_state(const RepodataPlace& place, const RepodataState& state);

// The state of the copy before this one, if it is whole: its name has the beginning of its hash.
// When the server last vouched for it is not known; it was then at the latest that it was written.
std::optional<RepodataState> earlier_copy(const RepodataPlace& place, const RepodataState& now);

// Seconds; 0 when the answer must be asked for again each time (RFC 9111, section 5.2.2).
std::int64_t max_age_of(std::string_view cache_control);

// The file's hash: the state's own while the stamp is the same, else its bytes are read. `changed`
// tells that the state's digest and stamp were set.
Result<Digest> known_digest(const std::string& path, RepodataState& state, std::int64_t now_ms,
                            bool& changed);

}  // namespace cloche::source
