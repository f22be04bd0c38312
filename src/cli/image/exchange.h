// Images from and to container registries, for the commands that need one.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "cli/channels.h"
#include "cli/context.h"
#include "core/json.h"
#include "image/layout.h"
#include "image/registry_client.h"

namespace cloche::cli {

// Fetches what `from` is into the workspace's layout, where it is called `name`.
// As RegistryClient::pull.
Result<image::PulledImage> pull_image(const std::string& from, const std::string& name,
                                      const image::Platform& platform, const image::Layout& layout,
                                      ChannelAccess& access, const std::stop_token& stop,
                                      Context& context);

// Sends an image of the layout; as RegistryClient::push.
Result<image::PushedImage> push_image(const image::Descriptor& manifest, const std::string& to,
                                      const image::PushOptions& options,
                                      const image::Layout& layout, ChannelAccess& access,
                                      const std::stop_token& stop, Context& context);

// {"reference", "digest", "present", "mounted", "uploaded", "uploaded_bytes"}
Json pushed_record(const image::PushedImage& pushed, const std::string& to);

// One line about that record.
std::string pushed_text(const Json& pushed);

}  // namespace cloche::cli
