// A layer's tar as it comes out of the store, for whoever looks for something in it.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/descriptor.h"
#include "io/reader.h"

namespace cloche::image {

// Decompressed. What is read is taken off `left`, and where that comes to 0 the layer seems to end.
// The references outlive the reader. kNotFound: the layer is not in the store; kUnsupported: a
// media type that is none of a layer. While reading: kCancelled, and as io::decompress.
Result<std::unique_ptr<io::Reader>> open_layer(const blob::BlobStore& blobs,
                                               const Descriptor& layer, std::uint64_t& left,
                                               const std::stop_token& stop);

}  // namespace cloche::image
