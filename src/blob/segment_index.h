// What a segment holds, without reading it: for comparing images, bills of materials, and reading
// one file out of the middle. docs/formats/segment.md says each byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "io/tar_reader.h"

namespace cloche::blob {

struct IndexEntry {
  std::string path;
  io::TarKind kind = io::TarKind::kFile;
  std::uint32_t mode = 0;
  std::uint64_t size_bytes = 0;  // files only
  std::uint64_t offset = 0;      // of the content in the uncompressed stream; files only
  std::int64_t mtime_s = 0;
  std::string sha256 = {};       // of the content, 64 hex digits; "" for what is no file
  std::string link_target = {};  // of links

  bool operator==(const IndexEntry&) const = default;
};

// A piece of the stream that was compressed on its own: where it begins is the sum of those before.
struct IndexFrame {
  std::uint32_t compressed_bytes = 0;
  std::uint32_t tar_bytes = 0;

  bool operator==(const IndexFrame&) const = default;
};

struct SegmentIndex {
  std::vector<IndexFrame> frames;
  std::vector<IndexEntry> entries;  // in the order of the stream

  bool operator==(const SegmentIndex&) const = default;
};

std::string print_index(const SegmentIndex& index);

// kCorrupt: not an index, or cut short; kUnsupported: of another version.
Result<SegmentIndex> parse_index(std::string_view bytes);

}  // namespace cloche::blob
