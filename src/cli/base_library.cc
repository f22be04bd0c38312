#include "cli/base_library.h"

#include <fmt/format.h>

#include "build/base_image.h"
#include "cli/channels.h"
#include "core/files.h"
#include "core/text.h"

namespace cloche::cli {

Result<image::CLibrary> base_library(const image::BaseImage& base, const image::Layout& layout,
                                     const std::stop_token& stop, Context& context) {
  if (base.digest.empty()) {
    return image::CLibrary{};
  }
  auto found =
      image::c_library_of(layout.blobs(), base.digest, base.manifest,
                          join_path(cache_directory(process_surroundings()), "glibc"), stop);
  if (!found && found.error().kind == ErrorKind::kCancelled) {
    return std::move(found).error();
  }
  if (!found || found->kind == image::CLibrary::Kind::kUnknown) {
    Diagnostics diagnostics;
    diagnostics.note("unknown-glibc", {},
                     fmt::format("which glibc {} has is not known: {}", printable(base.reference),
                                 found ? "none was found in its layers" : found.error().message),
                     "say it with CONDA_OVERRIDE_GLIBC, or --virtual-package __glibc=VERSION");
    context.say(diagnostics);
    return image::CLibrary{};
  }
  return found;
}

Result<image::CLibrary> base_library(std::string_view reference, std::string_view platform,
                                     const std::stop_token& stop, Context& context) {
  const image::Layout layout(context.workspace_directory());
  const auto wanted = image::parse_platform(platform);
  if (reference.empty() || !wanted) {
    return image::CLibrary{};
  }
  const auto base = build::local_base(reference, *wanted, layout);
  return base ? base_library(*base, layout, stop, context) : image::CLibrary{};
}

}  // namespace cloche::cli
