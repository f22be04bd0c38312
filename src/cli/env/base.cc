#include "cli/env/base.h"

#include "build/base_image.h"

namespace cloche::cli {

Result<image::BaseImage> find_base(const definition::Definition& definition,
                                   const std::string& platform, const image::Layout& layout,
                                   ChannelAccess& /*access*/, const std::stop_token& /*stop*/,
                                   Context& /*context*/) {
  const std::string reference(definition::image_reference(definition));
  if (reference.empty()) {
    return fail(ErrorKind::kUnsupported, "Dockerfiles are not executed yet")
        .with_hint("build it with another tool and name the image as the base");
  }
  return build::local_base(reference, TRY(image::parse_platform(platform)), layout);
}

}  // namespace cloche::cli
