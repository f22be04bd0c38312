// A tar archive as a stream of entries: POSIX ustar and pax, GNU tar's extensions, and what V7
// wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "io/reader.h"

namespace cloche::io {

enum class TarKind { kFile, kDirectory, kSymlink, kHardlink, kDevice, kFifo };

struct TarEntry {
  std::string path;  // as the archive has it, without a final slash
  TarKind kind = TarKind::kFile;
  std::uint32_t mode = 0;        // 07777
  std::uint64_t size_bytes = 0;  // files only
  std::int64_t mtime_s = 0;      // seconds since 1970 UTC, not negative
  std::string link_target;       // symlinks and hard links
  std::uint64_t uid = 0;         // the names of owners are not read
  std::uint64_t gid = 0;
  std::uint64_t device_major = 0;  // devices only
  std::uint64_t device_minor = 0;
  bool block_device = false;
  std::vector<std::pair<std::string, std::string>>
      xattrs;  // SCHILY.xattr.*, in the archive's order
};

// One thread. Read entries with next(), and, if wanted, a file's content with content() before the
// following next(). Nothing of a file is held but one buffer, so files may be of any size.
// Understood: the prefix field, GNU long names and links (L, K), base-256 numbers, pax headers'
// path, linkpath, size, mtime, uid, gid and SCHILY.xattr. kUnsupported: sparse and multi-volume
// files, kinds that are unknown. kCorrupt: a wrong checksum, data that ends within an entry.
// kInvalid: over 1,000,000 entries, a name of more than 64 KiB, an extension header of more than 1
// MiB.
class TarReader {
 public:
  // `source` outlives it.
  explicit TarReader(Reader& source);

  // The next entry; false at the end of the archive: a block of zeros, or no more data.
  Result<bool> next(TarEntry& entry);

  // The next piece of the current file's content, valid until the next call; "" at its end.
  Result<std::string_view> content();

 private:
  struct Extension {
    std::string path;
    std::string link_target;
    std::optional<std::uint64_t> size_bytes;
    std::optional<std::uint64_t> uid;
    std::optional<std::uint64_t> gid;
    std::optional<std::int64_t> mtime_s;
    std::vector<std::pair<std::string, std::string>> xattrs;
    std::size_t xattr_bytes = 0;
  };

  Result<std::size_t> fill(std::size_t wanted);
  Result<bool> next_header(std::string_view& header);
  Result<std::string> extension_data(std::uint64_t bytes);
  static Status read_pax(std::string_view text, bool global, Extension& extension);
  static Status read_record(std::string_view key, std::string_view value, Extension& extension);
  static void read_owner(std::string_view header, const Extension& extension, TarEntry& entry);
  Status read_entry(std::string_view header, const Extension& extension, TarEntry& entry);

  Reader& source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // what is in the buffer and was not taken
  std::size_t end_ = 0;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_left_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace cloche::io
