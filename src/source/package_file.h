// Packages' files, of whatever ecosystem, on this disk: downloaded in parallel, verified while they
// arrive, kept by content.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"

namespace cloche::source {

struct PackageFile {
  std::string name;                     // for messages: "numpy-1.26.4-0.conda"
  std::string url;                      // the same, without credentials
  std::vector<io::HttpUrl> urls = {};   // where it is, with what those hosts are told
  std::string path = {};                // of one that is on this disk already: used in place
  std::uint64_t size_bytes = 0;         // 0: not known
  std::string sha256 = {};              // 64 hex digits or ""
  std::string md5 = {};                 // 32 hex digits or ""; counts where there is no sha256
  std::string_view origin = "archive";  // for messages: what the file is of
};

struct DownloadOptions {
  bool offline = false;  // only what is there already
};

// A blob store of files, and partial downloads beside it:
//   <directory>/blobs/sha256/<hex>   the files
//   <directory>/partial/<key>        continued by the next download; key: "sha256-<hex>",
//                                    "md5-<hex>"
//   <directory>/md5/<hex>            the sha256 of a file of which only the md5 was known
// Many threads and processes may use one directory. The client outlives the object.
class FileCache {
 public:
  FileCache(std::string directory, io::HttpClient& client);

  // Their paths, in their order. Each file has its size and sha256, or its md5 where there is no
  // sha256.
  //   kCorrupt      it has not, at none of its places: names file and URL; nothing is kept
  //   kUnsupported  there is no hash, so that nothing could be verified
  //   kUnavailable, kPermission, kNotFound, kCancelled as the HTTP client has them; what did arrive
  //   is kept, and partial files are continued
  Result<std::vector<std::string>> fetch(std::span<const PackageFile> files,
                                         const DownloadOptions& options,
                                         const std::stop_token& stop, Progress& progress);

 private:
  std::string directory_;
  blob::BlobStore store_;
  io::HttpClient& client_;
};

}  // namespace cloche::source
