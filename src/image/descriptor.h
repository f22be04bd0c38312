// Content named by its digest, size and type: how the documents of an image point at each other.
// OCI image-spec, descriptor.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "image/platform.h"

namespace cloche::image {

// Sorted, so that they are written in one order.
using Annotations = std::map<std::string, std::string>;

inline constexpr std::string_view kRefNameAnnotation = "org.opencontainers.image.ref.name";

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size_bytes = 0;
  Annotations annotations = {};
  std::optional<Platform> platform = {};  // in an index
  std::string artifact_type = {};

  bool operator==(const Descriptor&) const = default;
};

// `what` names it in errors: "layer 3". kInvalid: no digest in the exact form, no size or one over
// 1 TiB, no media type. kUnsupported: "urls", which would have the content fetched from anywhere
// (CVE-2020-15157); a digest by another algorithm than sha256.
Result<Descriptor> read_descriptor(const Json& json, std::string_view what);
Json to_json(const Descriptor& descriptor);

}  // namespace cloche::image
