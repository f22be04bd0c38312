#include "cli/env/base.h"

#include "build/base_image.h"
#include "cli/image/exchange.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

// "python:3.11@sha256:..." where the lock says which one it was.
std::string exact_reference(const std::string& reference, const lock::Lock& lock) {
  const bool known = lock.base_image && !lock.base_image->digest.empty() &&
                     reference.find('@') == std::string::npos && reference != build::kScratch;
  return known ? reference + "@" + lock.base_image->digest : reference;
}

}  // namespace

Result<image::BaseImage> find_base(const BaseRequest& request, ChannelAccess& access,
                                   const std::stop_token& stop, Context& context) {
  const std::string reference(definition::image_reference(request.definition));
  if (reference.empty()) {
    return fail(ErrorKind::kUnsupported, "Dockerfiles are not executed yet")
        .with_hint("build it with another tool and name the image as the base");
  }
  const image::Platform platform = TRY(image::parse_platform(request.lock.platform));
  const std::string exact = exact_reference(reference, request.lock);
  auto local = build::local_base(exact, platform, request.layout);
  if (local) {
    local->reference = reference;
    return local;
  }
  if (local.error().kind != ErrorKind::kNotFound) {
    return local;
  }
  if (request.offline) {
    return fail(ErrorKind::kNotFound, "the workspace does not have the base image {}",
                printable(reference))
        .with_hint("fetch it without --offline, or import it: cloche image import");
  }
  image::PulledImage image =
      TRY(pull_image(exact, reference, platform, request.layout, access, stop, context)
              .context("fetching the base image {}", reference));
  return image::BaseImage{.reference = reference,
                          .digest = image.resolved.manifest.digest,
                          .manifest = std::move(image.manifest),
                          .config = std::move(image.config)};
}

}  // namespace cloche::cli
