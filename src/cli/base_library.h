// Which C library a base image has, remembered in the cache.
#pragma once

#include <stop_token>
#include <string_view>

#include "cli/context.h"
#include "image/environment_image.h"
#include "image/glibc.h"
#include "image/layout.h"

namespace cloche::cli {

// Nothing known for "scratch". A layer that cannot be read is told as a note, and nothing is known.
// kCancelled.
Result<image::CLibrary> base_library(const image::BaseImage& base, const image::Layout& layout,
                                     const std::stop_token& stop, Context& context);

// The same for a base that the workspace may have or not.
Result<image::CLibrary> base_library(std::string_view reference, std::string_view platform,
                                     const std::stop_token& stop, Context& context);

}  // namespace cloche::cli
