// A segment: a tar stream without its end, compressed in independent pieces. Segments put one after
// another, and layer_end() after them, are a layer; nothing is compressed again. A segment's blob
// is the layer that holds it alone, so that most layers are a second name of a segment's file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "blob/blob_store.h"
#include "blob/tar_writer.h"
#include "core/digest.h"
#include "core/result.h"
#include "io/thread_pool.h"

namespace cloche::blob {

// The format of docs/formats/segment.md. A change of any byte that a segment's blob may have is a
// new version.
inline constexpr int kSegmentFormat = 2;

enum class SegmentCompression { kZstd, kGzip };

// "zstd", "gzip".
std::string_view to_string(SegmentCompression compression);
Result<SegmentCompression> parse_compression(std::string_view text);

// Everything that decides the compressed bytes: method, level, size of the pieces, and the
// library's version, of which each may compress a little differently: "zstd-1.5.4-level3-4194304".
std::string compression_identity(SegmentCompression compression);

// What is known of a segment; the bytes are blobs of a store.
struct Segment {
  SegmentCompression compression = SegmentCompression::kZstd;
  Digest digest;                 // of the blob: the pieces and layer_end()
  std::uint64_t size_bytes = 0;  // of the blob
  Digest diff_id;                // of the layer that holds this segment alone, uncompressed
  std::uint64_t tar_bytes = 0;   // uncompressed, without an end
  Digest index;                  // the SegmentIndex's blob
  std::uint64_t index_bytes = 0;
  std::uint64_t entries = 0;

  bool operator==(const Segment&) const = default;
};

// What a layer ends with, compressed: the end of a tar archive.
const std::string& layer_end(SegmentCompression compression);

// Whether `a` comes before `b` in a segment: by bytes, '/' before all others, so that a directory
// is followed by all that lies in it.
bool comes_before(std::string_view a, std::string_view b);

// Makes one segment. Used by one thread, which works together with the pool's on the compression.
// Memory: about 40 MB. The same calls give the same bytes, whatever the pool.
class SegmentWriter {
 public:
  // The store and the pool outlive the writer.
  static Result<SegmentWriter> create(const BlobStore& store, SegmentCompression compression,
                                      io::ThreadPool& pool);
  SegmentWriter(SegmentWriter&&) noexcept;
  ~SegmentWriter();

  // Entries in the order of comes_before(). Directories above an entry that were not written are
  // written before it, with mode 0755 and the fixed time. kInvalid: out of order, twice, or no
  // plain relative path.
  Status directory(const std::string& path, std::uint32_t mode = 0755);
  Status symlink(const std::string& path, const std::string& target);
  Status hardlink(const std::string& path, const std::string& existing);

  // A file as a whole.
  Status file(const std::string& path, std::string_view content, std::uint32_t mode = 0644,
              std::int64_t mtime_s = kFixedTime);

  // A file, or anything with xattrs; of a file the content must follow, exactly as much as was
  // said. `sha256`: of the content, where it is known; else it is computed.
  Status entry(const TarHeader& header, const std::string& sha256 = "");
  Status content(std::string_view bytes);

  // Stores the segment, its bytes synced, and its index. kUnavailable: the disk is full.
  Result<Segment> finish() &&;

 private:
  class Body;
  explicit SegmentWriter(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace cloche::blob
