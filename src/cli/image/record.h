// An image of the workspace as commands find it and print it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "core/json.h"
#include "image/environment_image.h"
#include "image/layout.h"

namespace cloche::cli {

struct FoundImage {
  std::string name;  // as typed
  Digest digest;     // of the manifest
  std::uint64_t size_bytes = 0;
  image::ImageDocuments documents;
  std::optional<image::Environment> environment;  // of ours
};

// The images of the workspace, which need not exist.
image::Layout layout_of(Context& context);

// By name, or by the manifest's digest ("sha256:..."). Of an index, the image for the platform.
// kNotFound, kCorrupt.
Result<FoundImage> find_image(const std::string& name, const std::string& platform,
                              const image::Layout& layout);

// The image of a manifest's or an index's digest.
Result<FoundImage> read_image(const std::string& name, const Digest& digest,
                              const image::Platform& platform, const image::Layout& layout);

// The layers, the config and the manifest: what a registry would hold.
std::uint64_t total_bytes(const FoundImage& image);

// {"name", "digest", "size"}
Json image_side(const FoundImage& image);

// {"reference", "digest"}; null where the image does not say.
Json base_record(const FoundImage& image);

// {"digest", "diff_id", "size", "base", "packages", "package_sizes", "created_by"} of each layer,
// the lowest first. "base": below the environment; null in an image that has none. "package_sizes":
// compressed, of each package; empty where the image does not say.
Json layer_records(const FoundImage& image);

// "sha256:0123456789ab"
std::string short_digest(std::string_view digest);

}  // namespace cloche::cli
