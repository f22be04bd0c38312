// Packages' archives as local files: downloaded in parallel, verified while they arrive, kept by
// content.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "io/http_client.h"
#include "package/conda/record.h"
#include "source/conda/channel.h"
#include "source/conda/credentials.h"
#include "source/package_file.h"

namespace cloche::source {

// A FileCache of archives. Many threads and processes may use one directory. The references outlive
// the object.
class PackageCache {
 public:
  PackageCache(std::string directory, io::HttpClient& client, const Credentials& credentials);

  // The archives' paths in the order of the records. Those of local channels (file://) are used in
  // place. The channels, when given, tell mirrors. Each archive has its record's size and sha256,
  // or its md5 where there is no sha256.
  // Errors are those of FileCache::fetch.
  Result<std::vector<std::string>> fetch(std::span<const conda::PackageRecord> records,
                                         std::span<const Channel> channels,
                                         const DownloadOptions& options,
                                         const std::stop_token& stop, Progress& progress);

 private:
  FileCache files_;
  const Credentials& credentials_;
};

}  // namespace cloche::source
