// A Debian package that was read, until it is written as a segment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "blob/segment.h"
#include "core/result.h"
#include "io/spill_buffer.h"
#include "package/debian/record.h"
#include "source/debian/deb_archive.h"
#include "source/debian/deb_contents.h"
#include "source/debian/deb_segment.h"

namespace cloche::source {

// "libc6:amd64" for Multi-Arch: same, else "bash": how dpkg names a package's files under
// var/lib/dpkg/info/ (dpkg: lib/dpkg/pkg-show.c, pnaw_nonambig of the native architecture's files).
std::string info_name(const debian::PackageRecord& record);

// One thread.
class UnpackedDeb {
 public:
  // Reads all of the archive. Large contents go to a temporary file in `directory`. Errors as
  // DebArchive's; kInvalid: conffiles that the package does not have; kCancelled.
  static Result<UnpackedDeb> read(const DebArchive& archive, const std::string& directory,
                                  const std::stop_token& stop);

  const DebContents& contents() const { return contents_; }
  const debian::PackageRecord& record() const { return record_; }

  // Everything but the lost paths (as the package has them). kInvalid: with these aliases two of
  // its paths fall on one, or one lies below what is no directory.
  Status write(std::span<const DirectoryAlias> aliases, const std::unordered_set<std::string>& lost,
               blob::SegmentWriter& segment);

 private:
  struct Item {
    std::string path;  // as the package has it
    io::TarKind kind = io::TarKind::kFile;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t mtime_s = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t at = 0;     // where the content begins
    std::string link_target;  // of a hard link: a path as the package has it
    std::string sha256;
    std::string md5;
    std::map<std::string, std::string> xattrs;
  };
  struct InOrder {
    bool operator()(std::string_view a, std::string_view b) const {
      return blob::comes_before(a, b);
    }
  };
  using Sorted = std::map<std::string, const Item*, InOrder>;

  explicit UnpackedDeb(const std::string& directory);
  Status read_data(const DebArchive& archive, const std::stop_token& stop);
  Status read_entry(DebStream& data, io::TarEntry& entry);
  Status describe(const ControlFiles& control);
  const Item& file_of(const Item& item) const;
  Result<Sorted> sorted(std::span<const DirectoryAlias> aliases,
                        const std::unordered_set<std::string>& lost) const;
  void add_info_files(const std::unordered_set<std::string>& lost,
                      std::map<std::string, ControlFile, InOrder>& out) const;
  std::string file_list(const std::unordered_set<std::string>& lost) const;
  std::string md5sums() const;
  Status write_item(const std::string& path, const Item& item,
                    std::map<const Item*, std::string>& written, blob::SegmentWriter& segment);

  io::SpillBuffer bytes_;
  std::vector<Item> items_;  // in the archive's order
  std::map<std::string, std::size_t, std::less<>> places_;
  ControlFiles control_;
  DebContents contents_;
  debian::PackageRecord record_;
};

}  // namespace cloche::source
