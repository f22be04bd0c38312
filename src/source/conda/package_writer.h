// A conda package made from files, and a channel made from packages: the reverse of
// package_archive.h. Every byte is decided by what is put in. For tools that make test channels.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "blob/tar_writer.h"
#include "core/json.h"
#include "core/result.h"
#include "source/conda/package_metadata.h"

namespace cloche::source {

// What a package installs, as a compressed tar, written as the files come. One thread.
// Paths are as package_path() makes them: anything else is a bug of the caller. kInvalid: one that
// is there already, which two files of a Debian package may come to.
class PayloadWriter {
 public:
  using Sink = std::function<Status(std::string_view)>;

  struct File {
    std::string path;
    bool executable = false;
    std::int64_t mtime_s = blob::kFixedTime;
    std::string placeholder = {};  // "": nothing is replaced
    FileMode mode = FileMode::kText;
  };

  // zstd's level: 3 is quick, 19 is what conda-forge uploads.
  explicit PayloadWriter(Sink sink, int level = 3);
  ~PayloadWriter();
  PayloadWriter(PayloadWriter&&) noexcept;

  Status file(const File& file, std::string_view content);
  Status symlink(const std::string& path, const std::string& target);

  // Ends the archive; what paths.json has to say, sorted by path.
  Result<std::vector<PathEntry>> finish();

 private:
  struct Compressor;

  Status note(const std::string& path);

  std::unique_ptr<Compressor> compressor_;
  blob::TarWriter tar_;  // writes into it
  std::vector<PathEntry> paths_;
  std::unordered_set<std::string> seen_;
};

// info/paths.json, and the older info/files and info/has_prefix that conda's tools still write.
std::string paths_json_text(const std::vector<PathEntry>& paths);
void add_path_lists(const std::vector<PathEntry>& paths, std::map<std::string, std::string>& info);

// An archive of both parts: `payload` is what a PayloadWriter wrote, `info` the files below info/
// ("index.json" -> content). ".conda" or, when the name ends so, ".tar.bz2". Replaces the file.
Status write_package(const std::string& path, std::string_view payload,
                     const std::map<std::string, std::string>& info);

// A line of repodata.json: the package's index.json with size and hashes of its archive.
// kInvalid: the index is no object.
Result<Json> repodata_record(const Json& index, const std::string& archive_path);

// Writes <directory>/<subdir>/repodata.json and repodata.json.zst, records by file name.
Status write_repodata(const std::string& directory, const std::string& subdir,
                      const std::map<std::string, Json>& records);

}  // namespace cloche::source
