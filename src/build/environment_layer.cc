#include "build/environment_layer.h"

#include <utility>

#include "blob/blob_store.h"
#include "core/check.h"
#include "core/text.h"
#include "image/media_type.h"
#include "io/mapped_file.h"

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
    out.package_bytes.push_back(one.segment.size_bytes);
    out.blob.size_bytes += one.segment.size_bytes;
  }
  out.diff_id = TRY(store.layer_diff_id(members, stop));
  blob::BlobStore::Writer writer = TRY(layout.blobs().writer());
  for (const blob::Segment& segment : members) {
    const std::string path = TRY(store.blobs().path(segment.digest));
    TRY(writer.append(TRY(io::MappedFile::open(path)).bytes()));
  }
  const std::string& end = blob::layer_end(compression);
  TRY(writer.append(end));
  out.blob.size_bytes += end.size();
  out.blob.digest = TRY(std::move(writer).commit());
  out.blob.media_type = image::layer_media_type(compression == blob::SegmentCompression::kZstd
                                                    ? image::LayerCompression::kZstd
                                                    : image::LayerCompression::kGzip);
  return out;
}

}  // namespace cloche::build
