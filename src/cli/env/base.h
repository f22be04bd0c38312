// The base image of a definition, for a command that builds on it.
#pragma once

#include <stop_token>
#include <string>

#include "cli/channels.h"
#include "cli/context.h"
#include "definition/environment.h"
#include "image/environment_image.h"
#include "image/layout.h"

namespace cloche::cli {

// kUnsupported: a Dockerfile or build context. kNotFound: the workspace has no such image.
Result<image::BaseImage> find_base(const definition::Definition& definition,
                                   const std::string& platform, const image::Layout& layout,
                                   ChannelAccess& access, const std::stop_token& stop,
                                   Context& context);

}  // namespace cloche::cli
