// The media types of images: those of OCI (image-spec, media-types.md), which are written, and
// those of Docker (distribution, manifest-v2-2.md), which are read too.
#pragma once

#include <string_view>

#include "core/result.h"

namespace cloche::image {

inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

inline constexpr std::string_view kDockerManifestList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayerZstd =
    "application/vnd.docker.image.rootfs.diff.tar.zstd";

enum class LayerCompression { kNone, kGzip, kZstd };

// How a layer's blob holds its tar. kUnsupported: a layer that is not to be had from the registry
// ("foreign", "nondistributable"), an encrypted one, and whatever else.
Result<LayerCompression> layer_compression(std::string_view media_type);

// OCI's name for it.
std::string_view layer_media_type(LayerCompression compression);

// OCI's name for a type of Docker's; any other type as it is.
std::string_view oci_media_type(std::string_view media_type);

}  // namespace cloche::image
