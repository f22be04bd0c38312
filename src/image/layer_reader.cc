#include "image/layer_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "image/media_type.h"
#include "io/decompress.h"

namespace cloche::image {
namespace {

// Counts, and stops reading when it was enough or somebody asked.
class LayerReader : public io::Reader {
 public:
  LayerReader(io::FileReader file, io::Compression compression, std::uint64_t& left,
              const std::stop_token& stop)
      : file_(std::move(file)),
        source_(io::decompress(file_, compression)),
        left_(left),
        stop_(stop) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    if (stop_.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    const std::size_t count = left_ == 0 ? 0 : TRY(source_->read(buffer));
    left_ -= std::min<std::uint64_t>(left_, count);
    return count;
  }

 private:
  io::FileReader file_;
  std::unique_ptr<io::Reader> source_;
  std::uint64_t& left_;
  const std::stop_token& stop_;
};

Result<io::Compression> compression_of(const Descriptor& layer) {
  constexpr std::array<io::Compression, 3> kSame = {io::Compression::kNone, io::Compression::kGzip,
                                                    io::Compression::kZstd};
  return kSame.at(static_cast<std::size_t>(TRY(layer_compression(layer.media_type))));
}

}  // namespace

Result<std::unique_ptr<io::Reader>> open_layer(const blob::BlobStore& blobs,
                                               const Descriptor& layer, std::uint64_t& left,
                                               const std::stop_token& stop) {
  const io::Compression compression = TRY(compression_of(layer));
  io::FileReader file = TRY(io::FileReader::open(TRY(blobs.path(layer.digest))));
  return std::unique_ptr<io::Reader>(
      std::make_unique<LayerReader>(std::move(file), compression, left, stop));
}

}  // namespace cloche::image
