// An image for one platform: its config and its layers. OCI image-spec, manifest.md; Docker's
// "Image Manifest V 2, Schema 2" is read as the same.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "image/descriptor.h"

namespace cloche::image {

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // the lowest first
  Annotations annotations;

  // OCI's JSON: one line, fixed order of keys, Docker's media types as OCI's. The same value is
  // always the same bytes.
  std::string to_json() const;

  bool operator==(const Manifest&) const = default;
};

inline constexpr std::size_t kMaxManifestBytes = std::size_t{4} << 20U;  // as registries have it
inline constexpr std::size_t kMaxLayers = 512;                           // overlayfs takes fewer

// kInvalid: no manifest, too large, too many layers, or a document that is an index as well
// (CVE-2021-41190). kUnsupported: layers that lie elsewhere, a manifest of Docker's schema 1, one
// of something that is no image. `media_type` is what the document came as ("": unknown), which it
// must not contradict.
Result<Manifest> parse_manifest(std::string_view text, std::string_view media_type = "");

// What a manifest or an index with that text is; kInvalid when it is both or neither. The media
// type that the document names itself, or else the one that follows from its members.
Result<std::string> document_media_type(std::string_view text);

// What both parsers ask first: whether the document is an index, or not, in all that it and the
// media type it came as say.
Status check_document_type(const Json& json, std::string_view media_type, bool index);

// Whether a media type is an index's, OCI's or Docker's.
bool is_index(std::string_view media_type);

}  // namespace cloche::image
