// A list of manifests, one for each platform: OCI's image index, Docker's manifest list, and the
// index.json of a layout.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "image/descriptor.h"
#include "image/manifest.h"
#include "image/platform.h"

namespace cloche::image {

struct ImageIndex {
  std::vector<Descriptor> manifests;
  Annotations annotations;

  // As Manifest::to_json.
  std::string to_json() const;

  // The manifest that suits the platform best, the first of equals. Attestations (platform
  // "unknown/unknown") are none. One that does not say its platform is taken only when it is the
  // only one. kNotFound, with the platforms that there are.
  Result<Descriptor> pick(const Platform& platform) const;

  bool operator==(const ImageIndex&) const = default;
};

// Whether it is buildkit's note about another manifest of the index, and no image.
bool is_attestation(const Descriptor& manifest);

// As parse_manifest.
Result<ImageIndex> parse_image_index(std::string_view text, std::string_view media_type = "",
                                     std::size_t limit_bytes = kMaxManifestBytes);

}  // namespace cloche::image
