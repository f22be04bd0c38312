#include "debian_channel/deb_source.h"

#include <utility>

#include "core/digest.h"
#include "core/files.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/process.h"

namespace cloche::debian_channel {

DebSource::DebSource(std::string mirror, std::string suite, std::string cache_directory)
    : mirror_(std::move(mirror)),
      suite_(std::move(suite)),
      cache_directory_(std::move(cache_directory)) {}

Result<std::vector<debian::PackageRecord>> DebSource::records(Progress&) {
  const io::ProcessResult index =
      TRY(io::run_process({.argv = {"sh", "-c",
                                    "curl -sSf " + mirror_ + "/dists/" + suite_ +
                                        "/main/binary-amd64/Packages.xz | xz -d"},
                           .output_limit_bytes = std::size_t{1} << 30U}));
  if (!index.ok()) {
    return fail(ErrorKind::kUnavailable, "{}", index.errors);
  }
  std::vector<debian::PackageRecord> out;
  debian::ParagraphReader reader(index.output);
  debian::Paragraph paragraph;
  while (TRY(reader.next(paragraph))) {
    out.push_back(TRY(debian::read_record(paragraph)));
  }
  return out;
}

Result<FetchedPackages> DebSource::fetch(std::span<const debian::PackageRecord> packages,
                                         Progress&) {
  FetchedPackages out;
  const std::string folder = join_path(cache_directory_, "debs");
  TRY(io::make_directories(folder));
  io::DiskFiles disk;
  std::string list;
  for (const debian::PackageRecord& one : packages) {
    const std::string path = join_path(folder, one.sha256 + ".deb");
    out.paths.push_back(path);
    if (!disk.kind(path)) {
      ++out.downloaded;
      out.downloaded_bytes += one.size_bytes;
      list += "url=" + mirror_ + "/" + one.filename + "\noutput=" + path + "\n";
    }
  }
  if (!list.empty()) {
    const io::ProcessResult done = TRY(io::run_process(
        {.argv = {"curl", "-sSf", "--parallel", "--parallel-max", "8", "-K", "-"}, .input = list}));
    if (!done.ok()) {
      return fail(ErrorKind::kUnavailable, "{}", done.errors);
    }
  }
  return out;
}

}  // namespace cloche::debian_channel
