#include "image/manifest.h"

#include <array>

#include <fmt/format.h>

#include "core/text.h"
#include "image/image_index.h"
#include "image/json_fields.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

bool is_one_of(std::string_view text, std::string_view a, std::string_view b) {
  return text == a || text == b;
}

bool is_manifest_type(std::string_view type) {
  return is_one_of(type, kOciManifest, kDockerManifest);
}

bool is_index_type(std::string_view type) {
  return is_one_of(type, kOciIndex, kDockerManifestList);
}

bool has(const Json& json, std::string_view key) { return json.find(key) != nullptr; }

Error contradiction(std::string_view said, std::string_view is) {
  return fail(ErrorKind::kInvalid, "the document calls itself {}, but is {}",
              printable(said.substr(0, 200)), is)
      .with_hint("whoever stores it may be attacking you: do not use this image");
}

Error unsupported_schema() {
  return fail(ErrorKind::kUnsupported, "the manifest is of Docker's schema 1, given up in 2019")
      .with_hint("push the image again with any present engine");
}

// CVE-2021-41190: one text that two readers take for different images.
Result<bool> looks_like_index(const Json& json) {
  if (has(json, "fsLayers") || has(json, "signatures") || json["schemaVersion"] == Json(1)) {
    return unsupported_schema();
  }
  const bool index = has(json, "manifests");
  const bool manifest = has(json, "config") || has(json, "layers");
  if (index && manifest) {
    return fail(ErrorKind::kInvalid, "the document is both an index and an image's manifest")
        .with_hint("whoever stores it may be attacking you: do not use this image");
  }
  if (!index && !manifest) {
    return fail(ErrorKind::kInvalid, "the document is neither a manifest nor an index");
  }
  if (json["schemaVersion"] != Json(2)) {
    return fail(ErrorKind::kInvalid, "the document has no \"schemaVersion\": 2");
  }
  return index;
}

Result<std::string> media_type_of(const Json& json) {
  const bool index = TRY(looks_like_index(json));
  std::string said = TRY(text_field(json, "mediaType", "the document"));
  if (said.empty()) {
    return std::string(index ? kOciIndex : kOciManifest);
  }
  if (!is_manifest_type(said) && !is_index_type(said)) {
    return fail(ErrorKind::kUnsupported, "a document of the type {} cannot be read",
                printable(said.substr(0, 200)));
  }
  if (is_index_type(said) != index) {
    return contradiction(said, index ? "an index" : "an image's manifest");
  }
  return said;
}

Status check_config_type(const Descriptor& config) {
  if (is_one_of(config.media_type, kOciConfig, kDockerConfig)) {
    return {};
  }
  return fail(ErrorKind::kUnsupported, "this is no image: its config is of the type {}",
              printable(config.media_type.substr(0, 200)));
}

Descriptor in_oci(Descriptor descriptor) {
  descriptor.media_type = oci_media_type(descriptor.media_type);
  return descriptor;
}

}  // namespace

Status check_document_type(const Json& json, std::string_view media_type, bool index) {
  const std::string type = TRY(media_type_of(json));
  if (is_index_type(type) != index) {
    return fail(ErrorKind::kInvalid, "an {} was expected, and this is an {}",
                index ? "index" : "image's manifest", index ? "image's manifest" : "index");
  }
  // What a server calls it counts as well; types that say nothing ("text/plain") do not.
  const std::string came_as(trim(media_type.substr(0, media_type.find(';'))));
  if ((is_index_type(came_as) && !index) || (is_manifest_type(came_as) && index)) {
    return contradiction(came_as, index ? "an index" : "an image's manifest");
  }
  return {};
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view media_type) {
  const Json json = TRY(parse_document(text, kMaxManifestBytes, "manifest"));
  TRY(check_document_type(json, media_type, false));
  Manifest manifest;
  manifest.config = TRY(read_descriptor(json["config"], "the manifest's config"));
  TRY(check_config_type(manifest.config));
  const Json& layers = json["layers"];
  if (!layers.is_array() || layers.items().size() > kMaxLayers) {
    return fail(ErrorKind::kInvalid, "the manifest: \"layers\" is not a list of at most {}",
                kMaxLayers);
  }
  for (const Json& layer : layers.items()) {
    const std::string what = fmt::format("layer {}", manifest.layers.size() + 1);
    manifest.layers.push_back(TRY(read_descriptor(layer, what)));
    TRY(layer_compression(manifest.layers.back().media_type).context("in {}", what));
  }
  manifest.annotations = TRY(text_map_field(json, "annotations", "the manifest"));
  return manifest;
}

std::string Manifest::to_json() const {
  Json json = Json::object();
  json.set("schemaVersion", 2).set("mediaType", kOciManifest);
  json.set("config", image::to_json(in_oci(config)));
  Json list = Json::array();
  for (const Descriptor& layer : layers) {
    list.push(image::to_json(in_oci(layer)));
  }
  json.set("layers", std::move(list));
  if (!annotations.empty()) {
    json.set("annotations", image::to_json(annotations));
  }
  return json.dump();
}

Result<std::string> document_media_type(std::string_view text) {
  return media_type_of(TRY(parse_document(text, kMaxManifestBytes, "manifest")));
}

bool is_index(std::string_view media_type) { return is_index_type(media_type); }

}  // namespace cloche::image
