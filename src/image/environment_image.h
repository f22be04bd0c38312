// An environment's layers put onto a base: the config and the manifest that make them an image.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/result.h"
#include "image/config.h"
#include "image/manifest.h"
#include "package/conda/environment_prefix.h"

namespace cloche::image {

// Where an environment is in every image that has one; part of each segment's content.
using conda::kEnvironmentPrefix;

// Labels of the config (docs/formats/environment-image.md). What says which base it stands on is
// OCI's (annotations.md).
inline constexpr std::string_view kLabelPrefix = "dev.cloche.";
inline constexpr std::string_view kPackagesLabel = "dev.cloche.packages";
inline constexpr std::string_view kBaseLayersLabel = "dev.cloche.base-layers";
inline constexpr std::string_view kNeedsLabel = "dev.cloche.needs";
inline constexpr std::string_view kVariablesLabel = "dev.cloche.variables";
// Annotation of a layer with several packages: the bytes of each, compressed, in the history's
// order.
inline constexpr std::string_view kPackageBytesAnnotation = "dev.cloche.package-bytes";
inline constexpr std::string_view kBaseNameLabel = "org.opencontainers.image.base.name";
inline constexpr std::string_view kBaseDigestLabel = "org.opencontainers.image.base.digest";

struct BaseImage {
  std::string reference;  // as the definition has it
  Digest digest;          // of its manifest; empty for "scratch"
  Manifest manifest;
  ImageConfig config;
};

struct EnvironmentLayer {
  Descriptor blob;
  Digest diff_id;
  std::vector<std::string> packages;         // "numpy 1.26.4", for the history
  std::vector<std::uint64_t> package_bytes;  // of each, compressed; empty: not known
  std::string contents = {};                 // of a layer without packages: what it holds
};

// The contents of the layer that configuring Debian packages gave. It holds for its base alone.
inline constexpr std::string_view kConfiguredLayer = "dpkg --configure";

struct EnvironmentSettings {
  Digest packages;                               // of the lock (lock::packages_digest_of)
  std::map<std::string, std::string> variables;  // the definition's
  std::vector<std::string> needs;                // virtual packages that packages ask for, as specs
};

struct ImageDocuments {
  Manifest manifest;  // its config descriptor is put_image()'s to fill
  ImageConfig config;
};

// The base's layers, then the environment's. The environment's bin comes first in PATH; nothing
// says when or for whom it was made: the same base, layers and settings give the same documents.
// A base that holds an environment already is a base like others; its labels about it go.
// kInvalid: more layers than an engine takes (kMostLayers).
inline constexpr std::size_t kMostLayers = 127;
Result<ImageDocuments> compose(const BaseImage& base, const std::vector<EnvironmentLayer>& layers,
                               const EnvironmentSettings& settings);

// What compose() put onto the base, read back from the documents.
struct Environment {
  std::size_t base_layers = 0;
  std::vector<EnvironmentLayer> layers;
  EnvironmentSettings settings;
};

// Nothing for an image that has no environment of ours. kInvalid: its labels contradict each other.
Result<std::optional<Environment>> environment_of(const ImageDocuments& image);

// The same environment on another base: documents only, and those that compose() would have made
// there. The caller says whether the packages can live on it (unmet_needs).
// kInvalid: the image has no environment of ours; and what compose() says. kUnsupported: it has
// Debian packages, which were chosen and configured for its own base.
Result<ImageDocuments> rebase(const ImageDocuments& image, const BaseImage& onto);

}  // namespace cloche::image
