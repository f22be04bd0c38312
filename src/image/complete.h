// Whether a store has all of an image, and all of it fits together.
#pragma once

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/descriptor.h"

namespace cloche::image {

// The manifest, its config and layers, by digest, size and type; of an index, each manifest that is
// there, one at least. kNotFound: something is missing; kInvalid, kUnsupported: see parse_manifest.
// A layer that is not compressed must be the one that the config says; what is in compressed ones
// is seen when they are unpacked.
Status check_complete(const blob::BlobStore& store, const Descriptor& image);

}  // namespace cloche::image
