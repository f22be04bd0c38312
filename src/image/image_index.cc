#include "image/image_index.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/text.h"
#include "image/json_fields.h"
#include "image/media_type.h"

namespace cloche::image {
namespace {

std::string platforms_of(const std::vector<Descriptor>& manifests) {
  std::set<std::string> names;
  for (const Descriptor& one : manifests) {
    if (one.platform && !is_attestation(one)) {
      names.insert(printable(one.platform->to_string().substr(0, 100)));
    }
  }
  constexpr std::size_t kShown = 12;
  std::vector<std::string> shown(names.begin(), names.end());
  if (shown.size() > kShown) {
    shown.resize(kShown);
    shown.emplace_back("...");
  }
  return join(shown, ", ");
}

}  // namespace

bool is_attestation(const Descriptor& manifest) {
  return manifest.annotations.contains("vnd.docker.reference.type") ||
         (manifest.platform && manifest.platform->os == "unknown" &&
          manifest.platform->architecture == "unknown");
}

Result<Descriptor> ImageIndex::pick(const Platform& platform) const {
  const Descriptor* best = nullptr;
  int best_suits = 0;
  for (const Descriptor& one : manifests) {
    const int fits = one.platform ? suits(*one.platform, platform) : 0;
    if (fits > best_suits) {
      best = &one;
      best_suits = fits;
    }
  }
  if (best == nullptr && manifests.size() == 1 && !manifests[0].platform) {
    best = manifests.data();
  }
  if (best != nullptr) {
    return *best;
  }
  const std::string there_are = platforms_of(manifests);
  return fail(ErrorKind::kNotFound, "there is no image for {}", platform.to_string())
      .with_hint(there_are.empty() ? "" : "there are images for " + there_are);
}

std::string ImageIndex::to_json() const {
  Json json = Json::object();
  json.set("schemaVersion", 2).set("mediaType", kOciIndex);
  Json list = Json::array();
  for (const Descriptor& manifest : manifests) {
    list.push(image::to_json(manifest));
  }
  json.set("manifests", std::move(list));
  if (!annotations.empty()) {
    json.set("annotations", image::to_json(annotations));
  }
  return json.dump();
}

Result<ImageIndex> parse_image_index(std::string_view text, std::string_view media_type,
                                     std::size_t limit_bytes) {
  const Json json = TRY(parse_document(text, limit_bytes, "index"));
  TRY(check_document_type(json, media_type, true));
  if (!json["manifests"].is_array()) {
    return fail(ErrorKind::kInvalid, "the index: \"manifests\" is not a list");
  }
  ImageIndex index;
  for (const Json& manifest : json["manifests"].items()) {
    index.manifests.push_back(
        TRY(read_descriptor(manifest, fmt::format("manifest {}", index.manifests.size() + 1))));
  }
  index.annotations = TRY(text_map_field(json, "annotations", "the index"));
  return index;
}

}  // namespace cloche::image
