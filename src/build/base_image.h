// The base that an environment's layers are put onto: found by its reference.
#pragma once

#include <string>
#include <string_view>

#include "core/progress.h"
#include "core/result.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "image/platform.h"

namespace cloche::build {

// No base at all: the image holds the environment and nothing else. Docker's word.
inline constexpr std::string_view kScratch = "scratch";

// An image that the workspace has (built or imported) under this name, or by digest; or "scratch".
// kNotFound: it has none; kInvalid: it is for another platform.
Result<image::BaseImage> local_base(std::string_view reference, const image::Platform& platform,
                                    const image::Layout& layout);

}  // namespace cloche::build
