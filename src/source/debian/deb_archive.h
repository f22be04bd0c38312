// A Debian package on disk: what it says of itself, and its files as a stream (deb(5)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/decompress.h"
#include "io/tar_reader.h"

namespace cloche::source {

// "usr/bin/a" for "./usr//bin/a/"; "" for the root itself. kInvalid: with "..", a NUL byte, over
// 4,096 bytes, a component of over 255 bytes, more than 128 components.
Result<std::string> debian_path(std::string_view path);

// The entries of the data member in the archive's order: paths as debian_path() makes them, the
// root itself left out; a hard link's target likewise. One thread. Held are buffers and names.
// Whatever the order of entries, nothing lies below what is no directory, a hard link leads to a
// file that came before, and a directory alone may come twice.
// Errors name the entry or the member. kInvalid: what debian_path() refuses or the above excludes,
// a device, a FIFO, a link without target; content of over 64 MiB that is also more than 1,000
// times the archive. kCorrupt: damaged or cut short; also found at the end, since what follows the
// last entry is read too.
class DebStream {
 public:
  struct State;
  explicit DebStream(std::unique_ptr<State> state);  // DebArchive's
  DebStream(DebStream&&) noexcept;
  ~DebStream();

  // The next entry; false at the end.
  Result<bool> next(io::TarEntry& entry);

  // The next piece of the current file; "" at its end. What is not read is skipped.
  Result<std::string_view> content();

 private:
  std::unique_ptr<State> state_;
};

// A file of the control member: "control", "md5sums", "postinst".
struct ControlFile {
  std::string content;
  std::uint32_t mode = 0644;  // 0755 of what may be executed: the scripts
};
using ControlFiles = std::map<std::string, ControlFile, std::less<>>;

// Format 2.x with control.tar and data.tar, each plain or with gzip, xz or zstd (bzip2 in data.tar,
// as long ago). Any thread may open streams; each is independent of the others.
class DebArchive {
 public:
  // Looks at the members' headers; with `sha256` (64 hex digits) reads the whole file first.
  // kInvalid: no Debian package; kUnsupported: a format or compression that is unknown; kCorrupt:
  // cut short, or not the bytes of that hash. kNotFound, ...: the file cannot be read.
  static Result<DebArchive> open(const std::string& path, const std::string& sha256 = "");

  const std::string& path() const { return path_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  // All files of the control member, at most 64 MiB together and 1,000 of them; among them one
  // "control". kInvalid: folders, links, names of other than letters, digits and "_.+-".
  Result<ControlFiles> control() const;

  Result<DebStream> data() const;

 private:
  struct Member {
    std::string name;  // "data.tar.xz"
    io::Compression compression = io::Compression::kNone;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };

  DebArchive() = default;
  Status find_members();
  Result<std::unique_ptr<DebStream::State>> stream(const Member& member) const;

  std::string path_;
  std::uint64_t file_bytes_ = 0;
  Member control_;
  Member data_;
};

}  // namespace cloche::source
