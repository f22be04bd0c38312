// A tar archive of which every byte is decided by its entries: POSIX ustar, with pax records only
// where ustar has no room. docs/formats/segment.md says each byte.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "io/tar_reader.h"

namespace cloche::blob {

// The time of everything that has no time of its own: 1980-01-02T00:00:00Z, the first day that ZIP
// files can tell in every time zone. (With 0, GNU tar warns and zipping an image's files fails.)
inline constexpr std::int64_t kFixedTime = 315'619'200;

// Files, directories and links; owners and groups are numbers, without names.
struct TarHeader {
  std::string path;  // relative, plain, without a final slash
  io::TarKind kind = io::TarKind::kFile;
  std::uint32_t mode = 0644;          // 07777; links are written with 0777
  std::uint64_t size_bytes = 0;       // files only
  std::int64_t mtime_s = kFixedTime;  // what ustar cannot hold becomes its nearest
  std::string link_target = {};       // of links; a hard link's is a path of the archive
  std::map<std::string, std::string> xattrs = {};  // "security.capability" -> bytes
  std::uint32_t uid = 0;                           // root
  std::uint32_t gid = 0;
};

// One thread. Writes entries one after another into the sink, whose error ends the writing; the end
// of an archive (two blocks of zeros) is not written, so that archives can be put together.
class TarWriter {
 public:
  using Sink = std::function<Status(std::string_view)>;

  explicit TarWriter(Sink sink) : sink_(std::move(sink)) {}

  // An entry; of a file the content must follow, exactly as much as was said.
  // kUnsupported: devices and FIFOs; an xattr whose name holds '='.
  Status entry(const TarHeader& header);
  Status content(std::string_view bytes);

  // How much was written.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status put(std::string_view bytes);
  Status pad(std::uint64_t size);

  Sink sink_;
  std::uint64_t bytes_ = 0;
  std::uint64_t size_ = 0;  // of the current file
  std::uint64_t left_ = 0;  // of its content
};

// What ends an archive.
inline constexpr std::size_t kTarEndBytes = 1024;  // zeros

}  // namespace cloche::blob
