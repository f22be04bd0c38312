#include "build/environment_layer.h"

#include <utility>

#include "core/check.h"
#include "image/media_type.h"

namespace cloche::build {

Result<image::EnvironmentLayer> make_layer(std::span<const NamedSegment> segments,
                                           blob::SegmentStore& store, const image::Layout& layout,
                                           const std::stop_token& stop) {
  CHECK(!segments.empty());
  const blob::SegmentCompression compression = segments.front().segment.compression;
  image::EnvironmentLayer out;
  std::vector<blob::Segment> members;
  for (const NamedSegment& one : segments) {
    members.push_back(one.segment);
    out.packages.push_back(one.name);
    out.package_bytes.push_back(one.segment.size_bytes - blob::layer_end(compression).size());
  }
  const blob::SegmentStore::Layer layer = TRY(store.put_layer(members, layout.blobs(), stop));
  out.diff_id = layer.diff_id;
  out.blob.digest = layer.digest;
  out.blob.size_bytes = layer.size_bytes;
  out.blob.media_type = image::layer_media_type(compression == blob::SegmentCompression::kZstd
                                                    ? image::LayerCompression::kZstd
                                                    : image::LayerCompression::kGzip);
  return out;
}

}  // namespace cloche::build
