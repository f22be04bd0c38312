#include "cli/env/base.h"

#include <fmt/format.h>

#include "build/base_image.h"
#include "build/bootstrap.h"
#include "cli/bootstrapping.h"
#include "cli/image/exchange.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

// In a lock: lock::BaseImage::origin.
constexpr std::string_view kBootstrap = "bootstrap";

// "python:3.11@sha256:..." where the lock says which one it was.
std::string exact_reference(const std::string& reference, const lock::Lock& lock) {
  const bool known = lock.base_image && !lock.base_image->digest.empty() &&
                     reference.find('@') == std::string::npos && reference != build::kScratch;
  return known ? reference + "@" + lock.base_image->digest : reference;
}

// Only where nobody answers: a registry that says no has said something.
bool is_out_of_reach(const Error& error, const std::string& exact, const std::string& reference) {
  return error.kind == ErrorKind::kUnavailable && exact == reference;
}

Result<image::BaseImage> make_base(const std::string& suite, const std::string& reference,
                                   const BaseRequest& request, const image::Platform& platform,
                                   ChannelAccess& access, const std::stop_token& stop,
                                   Context& context) {
  const build::Bootstrapped made =
      TRY(bootstrap_image({.suite = suite, .platform = request.lock.platform}, reference,
                          request.layout, access, stop, context));
  const std::string locked = request.lock.base_image ? request.lock.base_image->digest : "";
  if (!locked.empty() && locked != made.manifest.digest.to_string()) {
    return fail(ErrorKind::kConflict, "Debian's archive gives {} as {} now, and the lock has {}",
                printable(reference), made.manifest.digest.to_string(), locked)
        .with_hint(
            "import the image that the lock has, or lock anew: cloche env lock --update-all");
  }
  return build::local_base(reference, platform, request.layout);
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
  const auto suite = build::bootstrap_suite(reference);
  if (suite && request.lock.base_image && request.lock.base_image->origin == kBootstrap) {
    return make_base(*suite, reference, request, platform, access, stop, context);
  }
  auto pulled = pull_image(exact, reference, platform, request.layout, access, stop, context)
                    .context("fetching the base image {}", reference);
  if (suite && !pulled && is_out_of_reach(pulled.error(), exact, reference)) {
    Diagnostics said;
    said.note("base-bootstrapped", {},
              fmt::format("no container registry is in reach ({}); {} is made of Debian's archive",
                          pulled.error().message, printable(reference)),
              "what its registry has under this name is another image, with other files");
    context.say(said);
    return make_base(*suite, reference, request, platform, access, stop, context);
  }
  image::PulledImage image = TRY(std::move(pulled));
  return image::BaseImage{.reference = reference,
                          .digest = image.resolved.manifest.digest,
                          .manifest = std::move(image.manifest),
                          .config = std::move(image.config)};
}

}  // namespace cloche::cli
