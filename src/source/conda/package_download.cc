#include "source/conda/package_download.h"

#include <algorithm>
#include <utility>

#include "source/conda/channel_url.h"

namespace cloche::source {
namespace {

using conda::PackageRecord;

PackageFile file_of(const PackageRecord& record, std::span<const Channel> channels,
                    const Credentials& credentials) {
  PackageFile out;
  out.name = record.file_name;
  out.url = record.url;
  out.size_bytes = record.size_bytes;
  out.sha256 = record.sha256;
  out.md5 = record.md5;
  out.origin = "channel";
  if (record.url.starts_with("file:")) {
    out.path = path_of_file_url(record.url);
    return out;
  }
  const auto channel = std::ranges::find(channels, record.channel, &Channel::url);
  out.urls = channel == channels.end() ? std::vector<io::HttpUrl>{credentials.authorize(record.url)}
                                       : request_urls(*channel, record.url, credentials);
  return out;
}

}  // namespace

PackageCache::PackageCache(std::string directory, io::HttpClient& client,
                           const Credentials& credentials)
    : files_(std::move(directory), client), credentials_(credentials) {}

Result<std::vector<std::string>> PackageCache::fetch(std::span<const PackageRecord> records,
                                                     std::span<const Channel> channels,
                                                     const DownloadOptions& options,
                                                     const std::stop_token& stop,
                                                     Progress& progress) {
  std::vector<PackageFile> files;
  files.reserve(records.size());
  for (const PackageRecord& record : records) {
    files.push_back(file_of(record, channels, credentials_));
  }
  return files_.fetch(files, options, stop, progress);
}

}  // namespace cloche::source
