#include "image/archive_layer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "blob/frame.h"
#include "core/files.h"
#include "image/media_type.h"
#include "io/decompress.h"
#include "io/file.h"

namespace cloche::image {
namespace {

constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kBufferBytes = std::size_t{128} << 10U;
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20U;  // below which no ratio is asked
constexpr std::uint64_t kMostRatio = 500;

// Passes bytes on and keeps them as a blob.
class KeepingReader : public io::Reader {
 public:
  KeepingReader(io::Reader& source, blob::BlobStore::Writer& blob) : source_(source), blob_(blob) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = TRY(source_.read(buffer));
    TRY(blob_.append({buffer.data(), count}));
    bytes += count;
    return count;
  }

  std::uint64_t bytes = 0;

 private:
  io::Reader& source_;
  blob::BlobStore::Writer& blob_;
};

Result<StoredLayer> keep_compressed(io::Reader& source, io::Compression compression,
                                    std::uint64_t limit_bytes, const blob::BlobStore& store,
                                    const std::stop_token& stop) {
  blob::BlobStore::Writer blob = TRY(store.writer());
  KeepingReader kept(source, blob);
  const auto expanded = io::decompress(kept, compression);
  BoundedReader bounded(*expanded, limit_bytes, stop);
  Hasher hasher;
  std::string buffer(kBufferBytes, '\0');
  while (const std::size_t count = TRY(bounded.read(buffer))) {
    hasher.update(std::string_view(buffer).substr(0, count));
  }
  const bool gzip = compression == io::Compression::kGzip;
  StoredLayer layer;
  layer.diff_id = hasher.finish();
  layer.blob.size_bytes = kept.bytes;
  layer.blob.media_type = gzip ? kOciLayerGzip : kOciLayerZstd;
  layer.blob.digest = TRY(std::move(blob).commit());
  return layer;
}

Result<StoredLayer> compress(io::Reader& source, const blob::BlobStore& store) {
  blob::BlobStore::Writer blob = TRY(store.writer());
  blob::FrameCompressor compressor(blob::SegmentCompression::kZstd);
  blob::FrameBuffer frame_room;
  Hasher hasher;
  StoredLayer layer;
  layer.blob.media_type = kOciLayerZstd;
  std::string buffer(blob::kFrameBytes, '\0');
  do {
    const std::size_t count = TRY(io::read_full(source, buffer));
    const std::string_view bytes = std::string_view(buffer).substr(0, count);
    if (count == 0 && layer.blob.size_bytes > 0) {
      break;
    }
    hasher.update(bytes);
    const std::string_view frame = TRY(compressor.compress(bytes, frame_room));
    layer.blob.size_bytes += frame.size();
    TRY(blob.append(frame));
    if (count < buffer.size()) {
      break;
    }
  } while (true);
  layer.diff_id = hasher.finish();
  layer.blob.digest = TRY(std::move(blob).commit());
  return layer;
}

io::Compression compression_of(LayerCompression layer) {
  switch (layer) {
    case LayerCompression::kGzip:
      return io::Compression::kGzip;
    case LayerCompression::kZstd:
      return io::Compression::kZstd;
    case LayerCompression::kNone:
      break;
  }
  return io::Compression::kNone;
}

}  // namespace

Result<std::size_t> BoundedReader::read(std::span<char> buffer) {
  if (stop_.stop_requested()) {
    return fail(ErrorKind::kCancelled, "the import was stopped");
  }
  const std::size_t count = TRY(source_.read(buffer));
  if (count > left_) {
    return fail(ErrorKind::kInvalid, "the file holds far more data than an honest one of its size")
        .with_hint("it may have been made to fill the disk");
  }
  left_ -= count;
  return count;
}

Result<std::size_t> ContinuedReader::read(std::span<char> buffer) {
  if (taken_ == head_.size()) {
    return rest_.read(buffer);
  }
  const std::size_t count = head_.copy(buffer.data(), buffer.size(), taken_);
  taken_ += count;
  return count;
}

std::uint64_t expanded_limit(std::uint64_t file_bytes, std::uint64_t limit_bytes) {
  const std::uint64_t by_ratio =
      file_bytes > limit_bytes / kMostRatio ? limit_bytes : file_bytes * kMostRatio;
  return std::min(limit_bytes, std::max(by_ratio, kFreeBytes));
}

Result<StoredLayer> store_layer(io::Reader& source, std::uint64_t limit_bytes,
                                const blob::BlobStore& store, const std::stop_token& stop) {
  std::string head(kHeadBytes, '\0');
  head.resize(TRY(io::read_full(source, head)));
  const io::Compression compression = io::compression_of_content(head);
  ContinuedReader whole(head, source);
  BoundedReader bounded(whole, limit_bytes, stop);
  if (compression == io::Compression::kGzip || compression == io::Compression::kZstd) {
    return keep_compressed(bounded, compression, limit_bytes, store, stop);
  }
  const auto expanded = io::decompress(bounded, compression);
  BoundedReader tar(*expanded, limit_bytes, stop);
  return compress(tar, store);
}

Result<ExpandedLayer> expand_layer(const Descriptor& blob, const Digest& diff_id,
                                   const blob::BlobStore& store, const std::stop_token& stop) {
  const std::string work = join_path(store.root(), "tmp");
  TRY(io::make_directories(work));
  ExpandedLayer layer{.file = TRY(io::TemporaryFile::create(work))};
  io::FileReader file = TRY(io::FileReader::open(TRY(store.path(blob.digest))));
  const LayerCompression compression = TRY(layer_compression(blob.media_type));
  const auto expanded = io::decompress(file, compression_of(compression));
  BoundedReader bounded(*expanded, std::uint64_t{1} << 40U, stop);
  Hasher hasher;
  std::string buffer(kBufferBytes, '\0');
  while (const std::size_t count = TRY(bounded.read(buffer))) {
    const std::string_view bytes = std::string_view(buffer).substr(0, count);
    hasher.update(bytes);
    layer.size_bytes += count;
    TRY(layer.file.write(bytes));
  }
  layer.file.close();
  if (hasher.finish() != diff_id) {
    return fail(ErrorKind::kCorrupt, "the layer {} does not hold {}", blob.digest.to_string(),
                diff_id.to_string());
  }
  return layer;
}

}  // namespace cloche::image
