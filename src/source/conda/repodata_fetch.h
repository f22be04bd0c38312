// repodata.json of channels as local files: fetched when they have to be, cached, checked.
// Layout and rules of the cache: docs/formats/repodata-cache.md.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/diagnostic.h"
#include "core/digest.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/decompress.h"
#include "io/http_client.h"
#include "source/conda/channel.h"
#include "source/conda/credentials.h"
#include "source/conda/file_stamp.h"

namespace cloche::source {

struct RepodataFile {
  Channel channel;
  std::string subdir;
  bool missing = false;  // the channel has no such subdir: no packages; the rest is empty
  bool sharded = false;  // an index of shards (CEP 16): for sharded_index.h
  std::string path;      // in the cache, or in place for a local channel
  io::Compression compression = io::Compression::kNone;
  // In hexadecimal digits; another one when the file's bytes, as they are stored, may be others:
  // their sha256, or for a local channel a hash of the stamp.
  std::string content_key;
  std::uint64_t size_bytes = 0;
  FileStamp stamp;     // of a local channel's file
  std::string url;     // the file's own, without credentials: what base_url (CEP 15) starts from
  bool stale = false;  // the channel could not be asked; this is what it said at checked_at_ms
  std::int64_t checked_at_ms = 0;
};

struct RepodataOptions {
  bool refresh = false;  // ask even where the cached copy is fresh
  bool offline = false;  // ask nobody; cached copies of any age, with a warning
  // Use the cached copy of a channel that does not answer, with a warning.
  bool allow_stale = false;
  // Take the index of shards where a remote channel offers one, instead of repodata.json.
  bool use_shards = false;
};

// Many threads and processes may use one directory at once. The references outlive the object.
class RepodataCache {
 public:
  RepodataCache(std::string directory, io::HttpClient& client, const Credentials& credentials,
                Clock& clock);

  // A file for each subdir, in their order; all are asked at once. Fresh ones cost a read of their
  // state, no more.
  //   kNotFound     no such channel: neither the platform's subdir nor noarch (nearest name as
  //                 hint)
  //   kUnavailable  a channel does not answer (the cached copy is offered), or offline and nothing
  //                 is cached
  //   kPermission, kCancelled as the HTTP client has them; kCorrupt: something that is no repodata
  Result<std::vector<RepodataFile>> fetch(std::span<const ChannelSubdir> subdirs,
                                          const RepodataOptions& options,
                                          const std::stop_token& stop, Progress& progress,
                                          Diagnostics& diagnostics);

  // Forgets a cached copy that turned out to be damaged, so that the next fetch() asks for all of
  // it. The copy before it takes its place where it is still there: returns its age in words ("3
  // hours"), else nothing. Leaves local channels alone.
  Result<std::string> discard(const RepodataFile& file);

 private:
  std::string directory_;
  io::HttpClient& client_;
  const Credentials& credentials_;
  Clock& clock_;
};

}  // namespace cloche::source
