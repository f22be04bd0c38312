// Single files of an image, read out of its layers without unpacking them.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <stop_token>
#include <string>

#include "blob/blob_store.h"
#include "core/result.h"
#include "image/manifest.h"

namespace cloche::image {

// The contents by path, as the topmost layer that has each leaves it; whiteouts count. A wanted
// path
// ("etc/os-release") that ends with "/*" is every file directly in that directory. Only regular
// files; links are not followed. Memory: what is wanted, and a few buffers.
// kNotFound: a layer is not in the store. kInvalid: a wanted file is larger than `limit_bytes`, or
// there are more than 10,000. kCorrupt, kUnsupported: a layer that cannot be read, or over 16 GiB
// of them. kCancelled.
Result<std::map<std::string, std::string>> read_image_files(const blob::BlobStore& blobs,
                                                            const Manifest& manifest,
                                                            std::span<const std::string> wanted,
                                                            std::size_t limit_bytes,
                                                            const std::stop_token& stop = {});

}  // namespace cloche::image
