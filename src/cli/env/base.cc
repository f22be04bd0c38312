#include "cli/env/base.h"

#include "blob/lease.h"
#include "build/base_image.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "package/oci/reference.h"

namespace cloche::cli {
namespace {

// "python:3.11@sha256:..." where the lock says which one it was.
std::string exact_reference(const std::string& reference, const lock::Lock& lock) {
  const bool known = lock.base_image && !lock.base_image->digest.empty() &&
                     reference.find('@') == std::string::npos && reference != build::kScratch;
  return known ? reference + "@" + lock.base_image->digest : reference;
}

Result<image::BaseImage> pull_base(const std::string& reference, const std::string& exact,
                                   const image::Platform& platform, const image::Layout& layout,
                                   ChannelAccess& access, const std::stop_token& stop,
                                   Context& context) {
  TRY(layout.create());
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  image::RegistryClient client(TRY(image::registry_options(access.surroundings().environment)));
  auto pulled =
      client.pull(TRY(oci::parse_reference(exact)), platform, layout.blobs(), {}, stop, progress);
  progress.clear();
  image::PulledImage image =
      TRY(std::move(pulled).context("fetching the base image {}", reference));
  TRY(layout.set(reference, image.resolved.manifest));
  return image::BaseImage{.reference = reference,
                          .digest = image.resolved.manifest.digest,
                          .manifest = std::move(image.manifest),
                          .config = std::move(image.config)};
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
  return pull_base(reference, exact, platform, request.layout, access, stop, context);
}

Result<image::PushedImage> push_image(const image::Descriptor& manifest, const std::string& to,
                                      const image::BaseImage& base, const image::Layout& layout,
                                      ChannelAccess& access, const std::stop_token& stop,
                                      Context& context) {
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  image::RegistryClient client(TRY(image::registry_options(access.surroundings().environment)));
  image::PushOptions options;
  if (!base.digest.empty()) {
    if (auto source = oci::parse_reference(base.reference)) {
      options.sources.push_back(std::move(*source));
    }
  }
  auto pushed =
      client.push(layout.blobs(), manifest, TRY(oci::parse_reference(to)), options, stop, progress);
  progress.clear();
  return pushed;
}

}  // namespace cloche::cli
