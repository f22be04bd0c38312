// A package as the files that it becomes under a prefix: relocated, placed, and checked against
// what info/paths.json promises.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/result.h"
#include "package/conda/record.h"
#include "source/conda/package_archive.h"
#include "source/conda/package_metadata.h"

namespace cloche::source {

// Where and for which interpreter a package is placed.
struct Placement {
  std::string prefix;          // what the placeholder becomes: an absolute path
  std::string python_version;  // "3.11", of the python in the environment; "" when there is none
  std::string site_packages;   // "lib/python3.11/site-packages"

  // The placement that the environment's python record asks for (CEP 17); nullptr: none.
  static Placement of(std::string prefix, const conda::PackageRecord* python);
};

// Receives a package's files in one pass. An error that it returns ends the pass.
// Paths are relative to the prefix and plain; parents come before what lies in them, each once.
class FileSink {
 public:
  virtual ~FileSink() = default;

  virtual Status directory(const std::string& path) = 0;

  // A regular file; then its content in pieces, of exactly the size that was said; then the end
  // with the sha256 of what it became.
  struct File {
    const std::string& path;
    std::uint32_t mode;  // 0644 or 0755
    std::uint64_t size_bytes;
    std::int64_t mtime_s;  // seconds since 1970 UTC, as the package has it
  };
  virtual Status file(const File& file) = 0;
  virtual Status content(std::string_view piece) = 0;
  virtual Status file_end(const std::string& sha256) = 0;

  virtual Status symlink(const std::string& path, const std::string& target) = 0;

  // A second name of a file that came before.
  virtual Status hardlink(const std::string& path, const std::string& existing) = 0;
};

// A path under the prefix.
struct PlacedPath {
  enum class Kind { kPath, kEntryPoint };

  std::string path;
  Kind kind = Kind::kPath;
  PathEntry entry;               // as the package lists it; of an entry point only the path
  bool is_link = false;          // filled by deliver(): a symbolic link
  std::string sha256;            // filled by deliver(): of the content in the package
  std::string sha256_in_prefix;  // filled by deliver(): of what it became; "" for links
  std::uint64_t size_bytes = 0;  // filled by deliver(): of what it became
};

class PackageFiles {
 public:
  // Reads info/ and decides where each path goes. The record says whether it is noarch; when it
  // says nothing (an explicit list has only URLs), the package does.
  // kInvalid: what read_package_metadata() refuses; name, version or build are not the record's; a
  // noarch python package without a python; two paths that fall on one.
  static Result<PackageFiles> open(PackageArchive archive, const conda::PackageRecord& record,
                                   const Placement& placement);

  const PackageMetadata& metadata() const { return metadata_; }
  conda::Noarch noarch() const { return noarch_; }
  std::uint64_t archive_bytes() const { return archive_.file_bytes(); }

  // Where everything goes, in paths.json's order, then the entry points' scripts. A listed path
  // that an entry point takes the place of is left out.
  const std::vector<PlacedPath>& paths() const { return paths_; }

  // Its symbolic links, by where they go, with their targets: a pass through the archive.
  Result<std::map<std::string, std::string>> symbolic_links() const;

  // Passes through the package once, in the order of the archive; then come listed directories that
  // the archive does not have, then entry points. The same package and placement give the same
  // calls. A text whose prefix is replaced is one second younger than in the package, so that
  // bytecode which the package compiled from the old text is not taken for the new one's. What the
  // archive has and the package does not list is left out, as conda leaves it out. Errors name the
  // path. kCorrupt: a size or sha256 other than promised, a listed path that is missing, or of
  // another kind; kInvalid: a link below which other paths lie, a prefix that is too long for a
  // binary file; kUnsupported: a hard link to what is no file of this package before it. Then what
  // the sink received is worth nothing.
  Status deliver(FileSink& sink);

 private:
  class Delivery;

  PackageFiles(PackageArchive archive, PackageMetadata metadata, Placement placement)
      : archive_(std::move(archive)),
        metadata_(std::move(metadata)),
        placement_(std::move(placement)) {}

  Status place();

  PackageArchive archive_;
  PackageMetadata metadata_;
  Placement placement_;
  conda::Noarch noarch_ = conda::Noarch::kNone;
  std::vector<PlacedPath> paths_;
};

// What conda writes for an entry point (conda: conda/gateways/disk/create.py,
// python_entry_point_template; shebang: conda/core/portability.py).
std::string entry_point_script(const EntryPoint& point, const Placement& placement);

}  // namespace cloche::source
