#include "image/media_type.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"

namespace cloche::image {
namespace {

struct Layer {
  std::string_view media_type;
  LayerCompression compression;
};

constexpr std::array<Layer, 7> kLayers{{
    {kOciLayer, LayerCompression::kNone},
    {kOciLayerGzip, LayerCompression::kGzip},
    {kOciLayerZstd, LayerCompression::kZstd},
    {kDockerLayer, LayerCompression::kNone},
    {kDockerLayerGzip, LayerCompression::kGzip},
    {kDockerLayerZstd, LayerCompression::kZstd},
    // What old versions of buildah pushed beside Docker's manifests.
    {"application/vnd.docker.image.rootfs.diff.tar+zstd", LayerCompression::kZstd},
}};

struct Pair {
  std::string_view docker;
  std::string_view oci;
};

constexpr std::array<Pair, 3> kDocuments{{
    {kDockerManifestList, kOciIndex},
    {kDockerManifest, kOciManifest},
    {kDockerConfig, kOciConfig},
}};

}  // namespace

Result<LayerCompression> layer_compression(std::string_view media_type) {
  const auto* const found = std::ranges::find(kLayers, media_type, &Layer::media_type);
  if (found != kLayers.end()) {
    return found->compression;
  }
  const bool elsewhere = media_type.contains("nondistributable") || media_type.contains("foreign");
  return fail(ErrorKind::kUnsupported, "a layer of the type {} {}",
              printable(media_type.substr(0, 200)),
              elsewhere ? "is not kept in registries: it may be fetched only from its maker"
                        : "cannot be read")
      .with_hint(elsewhere ? "take another base image: one whose registry has all its layers"
                           : "tar, tar+gzip and tar+zstd are read");
}

std::string_view layer_media_type(LayerCompression compression) {
  const auto* const found = std::ranges::find(kLayers, compression, &Layer::compression);
  return found->media_type;  // OCI's stand first
}

std::string_view oci_media_type(std::string_view media_type) {
  const auto* const document = std::ranges::find(kDocuments, media_type, &Pair::docker);
  if (document != kDocuments.end()) {
    return document->oci;
  }
  const auto* const layer = std::ranges::find(kLayers, media_type, &Layer::media_type);
  return layer != kLayers.end() ? layer_media_type(layer->compression) : media_type;
}

}  // namespace cloche::image
