#include "source/debian/fetch.h"

#include <string_view>

#include "core/files.h"
#include "io/disk_files.h"
#include "source/debian/apt_auth.h"

namespace cloche::source {
namespace {

PackageFile file_of(const debian::PackageRecord& record, const AptAuth& auth) {
  PackageFile out;
  out.name = base_name(record.url);
  out.url = record.url;
  out.size_bytes = record.size_bytes;
  out.sha256 = record.sha256;
  constexpr std::string_view kLocal = "file:";
  if (record.url.starts_with(kLocal)) {
    std::string_view path = std::string_view(record.url).substr(kLocal.size());
    while (path.starts_with("//")) {
      path.remove_prefix(1);
    }
    out.path = path;
  } else {
    out.urls = {{record.url, auth.headers(record.url)}};
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> fetch_debs(FileCache& cache,
                                            std::span<const debian::PackageRecord> records,
                                            const DownloadOptions& options,
                                            const std::stop_token& stop, Progress& progress) {
  io::DiskFiles machine;
  const AptAuth auth = AptAuth::load(machine, kAptDirectory);
  std::vector<PackageFile> files;
  files.reserve(records.size());
  for (const debian::PackageRecord& record : records) {
    files.push_back(file_of(record, auth));
  }
  return cache.fetch(files, options, stop, progress);
}

}  // namespace cloche::source
