// The list of members of a ZIP file (PKWARE APPNOTE.TXT 6.3), zip64 included.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "io/descriptor.h"
#include "io/reader.h"

namespace cloche::io {

struct ZipMember {
  std::string name;          // as the archive has it
  std::uint16_t method = 0;  // 0: stored, 8: deflated
  bool encrypted = false;
  std::uint64_t stored_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t header_offset = 0;
};

// An open archive. Readers of its members may be used by several threads at once, each by one.
class ZipDirectory {
 public:
  // kCorrupt: no ZIP file, or one that is cut short or contradicts itself; kUnsupported: split over
  // several files. At most 65,536 members.
  static Result<ZipDirectory> open(const std::string& path);

  const std::vector<ZipMember>& members() const { return members_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  // The bytes of a stored member; the archive outlives the reader. kUnsupported: compressed or
  // encrypted. The CRC is not checked: what conda keeps in ZIP files has its own hashes.
  Result<std::unique_ptr<Reader>> read(const ZipMember& member) const;

 private:
  ZipDirectory(std::string path, Descriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  struct Span {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t count = 0;
  };
  Result<std::string> bytes_at(std::uint64_t offset, std::uint64_t bytes) const;
  Result<Span> find_directory() const;
  Result<Span> find_zip64_directory(std::uint64_t locator_offset) const;
  Status read_members(const Span& directory);

  std::string path_;
  Descriptor file_;
  std::uint64_t file_bytes_ = 0;
  std::vector<ZipMember> members_;
};

}  // namespace cloche::io
