// Packages' archives as local files: downloaded in parallel, verified while they arrive, kept by
// content.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/blob_store.h"
#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "package/conda/record.h"
#include "source/conda/channel.h"
#include "source/conda/credentials.h"

namespace cloche::source {

struct DownloadOptions {
  bool offline = false;  // only what is there already
};

// A blob store of archives, and partial downloads beside it:
//   <directory>/blobs/sha256/<hex>   the archives
//   <directory>/partial/<key>        continued by the next download; key: "sha256-<hex>",
//   "md5-<hex>" <directory>/md5/<hex>            the sha256 of an archive whose channel names only
//   its md5
// Many threads and processes may use one directory. The references outlive the object.
class PackageCache {
 public:
  PackageCache(std::string directory, io::HttpClient& client, const Credentials& credentials);

  // The archives' paths in the order of the records. Those of local channels (file://) are used in
  // place. The channels, when given, tell mirrors. Each archive has its record's size and sha256,
  // or its md5 where there is no sha256.
  //   kCorrupt      it has not, at none of the mirrors: names package and URL; nothing is kept
  //   kUnsupported  the record has no hash, so that nothing could be verified
  //   kUnavailable, kPermission, kNotFound, kCancelled as the HTTP client has them; what did arrive
  //   is kept, and partial files are continued
  Result<std::vector<std::string>> fetch(std::span<const conda::PackageRecord> records,
                                         std::span<const Channel> channels,
                                         const DownloadOptions& options,
                                         const std::stop_token& stop, Progress& progress);

 private:
  std::string directory_;
  blob::BlobStore store_;
  io::HttpClient& client_;
  const Credentials& credentials_;
};

}  // namespace cloche::source
