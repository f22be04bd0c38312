#include "build/base_image.h"

#include "core/text.h"
#include "image/image_index.h"

namespace cloche::build {

namespace {

// The platform's manifest of a manifest or an index that the store has.
Result<Digest> manifest_of(const Digest& digest, const image::Platform& platform,
                           const image::Layout& layout) {
  if (const auto index = image::read_image_index(layout.blobs(), digest)) {
    return TRY(index->pick(platform)).digest;
  }
  return digest;
}

// "python:3.11@sha256:..." names the digest; else the name's manifest.
Result<Digest> find(std::string_view reference, const image::Layout& layout) {
  const std::size_t at = reference.find("@sha256:");
  if (at == std::string_view::npos) {
    return TRY(layout.find(reference)).digest;
  }
  Digest digest = TRY(Digest::parse(reference.substr(at + 1)));
  if (!layout.blobs().contains(digest)) {
    return fail(ErrorKind::kNotFound, "the workspace has no image {}", printable(reference));
  }
  return digest;
}

}  // namespace

Result<image::BaseImage> local_base(std::string_view reference, const image::Platform& platform,
                                    const image::Layout& layout) {
  image::BaseImage out;
  out.reference = reference;
  if (reference == kScratch) {
    out.config.platform = platform;
    return out;
  }
  out.digest = TRY(manifest_of(TRY(find(reference, layout)), platform, layout));
  out.manifest = TRY(image::read_manifest(layout.blobs(), out.digest));
  out.config = TRY(image::read_image_config(layout.blobs(), out.manifest.config));
  TRY(image::check_layers(out.manifest, out.config));
  if (image::suits(out.config.platform, platform) == 0) {
    return fail(ErrorKind::kInvalid, "the base image {} is for {}, not for {}",
                printable(reference), out.config.platform.to_string(), platform.to_string())
        .with_hint("choose a base for the platform, or --platform for the base");
  }
  return out;
}

}  // namespace cloche::build
