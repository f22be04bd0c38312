// Layers of an environment: segments one after another, and the end of a tar.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "blob/segment_store.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "image/layout.h"

namespace cloche::build {

// A segment and what image documents call it: "numpy 1.26.4".
struct NamedSegment {
  std::string name;
  blob::Segment segment;
};

// Puts the layer of these segments into the layout's blobs, as SegmentStore::put_layer does.
Result<image::EnvironmentLayer> make_layer(std::span<const NamedSegment> segments,
                                           blob::SegmentStore& store, const image::Layout& layout,
                                           const std::stop_token& stop);

}  // namespace cloche::build
