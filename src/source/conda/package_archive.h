// A conda package on disk as two streams of entries: info/ and what is installed (CEP 35).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/tar_reader.h"
#include "io/temporary.h"

namespace cloche::source {

// "lib/a.so" for "./lib//a.so/". kInvalid: empty, absolute, with "..", a NUL byte, over 4,096
// bytes, or a component of over 255 bytes.
Result<std::string> package_path(std::string_view path);

// The entries of one of the two streams, in the archive's order, their paths as package_path()
// makes them. One thread. Nothing is held but buffers and the names that were seen.
// kInvalid, naming the entry: a path that package_path() refuses, the same path twice (a directory
// may be named again), a device, a FIFO, a link without target; content of over 64 MiB that is
// also more than 1,000 times the archive; more than 1,000,000 entries. kCorrupt: damaged or cut
// short.
class EntryStream {
 public:
  EntryStream(EntryStream&&) noexcept;
  ~EntryStream();

  // The next entry; false at the end.
  Result<bool> next(io::TarEntry& entry);

  // The next piece of the current file; "" at its end. What is not read is skipped.
  Result<std::string_view> content();

 private:
  friend class PackageArchive;
  struct State;
  explicit EntryStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Which of the two formats a file is, it says itself; its name does not matter.
// Any thread may open streams; each is independent of the others.
class PackageArchive {
 public:
  // A .conda is opened each time a stream is; a .tar.bz2, whose info/ may stand after the files,
  // is decompressed once, now, into a file in `temporary_directory` ("": $TMPDIR or /tmp) that goes
  // with this object: bzip2 gives 30 MB/s, so a second pass would cost more than the file.
  // kInvalid: neither format, or a .conda without one info and one pkg tarball; kUnsupported: a
  // format version other than 2, tarballs that the ZIP file compresses; kCorrupt.
  static Result<PackageArchive> open(const std::string& path,
                                     const std::string& temporary_directory = "");

  const std::string& path() const { return path_; }
  std::uint64_t file_bytes() const { return file_bytes_; }
  const std::string& temporary_directory() const { return temporary_directory_; }

  // The entries below info/.
  Result<EntryStream> info() const { return stream(true); }

  // All others.
  Result<EntryStream> contents() const { return stream(false); }

 private:
  PackageArchive() = default;
  Status check_conda() const;
  Status unpack_tar_bz2();
  Result<EntryStream> stream(bool info) const;

  std::string path_;
  std::string temporary_directory_;
  std::uint64_t file_bytes_ = 0;
  std::optional<io::TemporaryFile> tar_;  // of a .tar.bz2
};

}  // namespace cloche::source
