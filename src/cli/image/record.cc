#include "cli/image/record.h"

#include "cli/messages.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

Json names(const std::vector<std::string>& packages) {
  Json out = Json::array();
  for (const std::string& one : packages) {
    out.push(one);
  }
  return out;
}

Json sizes(const std::vector<std::uint64_t>& package_bytes) {
  Json out = Json::array();
  for (const std::uint64_t one : package_bytes) {
    out.push(static_cast<std::int64_t>(one));
  }
  return out;
}

// What made each layer, by the history, as far as that accounts for them.
std::vector<std::string> steps_of(const image::ImageConfig& config) {
  std::vector<std::string> out;
  for (const image::History& step : config.history) {
    if (!step.empty_layer) {
      out.push_back(step.created_by);
    }
  }
  out.resize(config.diff_ids.size());
  return out;
}

std::string label(const image::ImageConfig& config, std::string_view name) {
  const auto found = config.labels.find(std::string(name));
  return found == config.labels.end() ? "" : found->second;
}

}  // namespace

image::Layout layout_of(Context& context) { return image::Layout(context.workspace_directory()); }

Result<FoundImage> read_image(const std::string& name, const Digest& digest,
                              const image::Platform& platform, const image::Layout& layout) {
  FoundImage out;
  out.name = name;
  out.digest = digest;
  if (const auto index = image::read_image_index(layout.blobs(), digest)) {
    out.digest = TRY(index->pick(platform)).digest;
  }
  out.documents.manifest = TRY(image::read_manifest(layout.blobs(), out.digest));
  const image::Manifest& manifest = out.documents.manifest;
  out.documents.config = TRY(image::read_image_config(layout.blobs(), manifest.config));
  TRY(image::check_layers(manifest, out.documents.config));
  out.size_bytes = manifest.to_json().size();
  // Labels are anybody's words: an image whose labels contradict each other is shown without.
  if (auto environment = image::environment_of(out.documents)) {
    out.environment = std::move(*environment);
  }
  return out;
}

Result<FoundImage> find_image(const std::string& name, const std::string& platform,
                              const image::Layout& layout) {
  const image::Platform wanted = TRY(image::parse_platform(platform));
  if (name.starts_with("sha256:")) {
    return read_image(name, TRY(Digest::parse(name)), wanted, layout);
  }
  return read_image(name, TRY(layout.find(name)).digest, wanted, layout);
}

std::uint64_t total_bytes(const FoundImage& image) {
  std::uint64_t out = image.size_bytes + image.documents.manifest.config.size_bytes;
  for (const image::Descriptor& layer : image.documents.manifest.layers) {
    out += layer.size_bytes;
  }
  return out;
}

Json image_side(const FoundImage& image) {
  Json out;
  out.set("name", image.name)
      .set("digest", image.digest.to_string())
      .set("size", static_cast<std::int64_t>(total_bytes(image)));
  return out;
}

Json base_record(const FoundImage& image) {
  const std::string reference = label(image.documents.config, image::kBaseNameLabel);
  const std::string digest = label(image.documents.config, image::kBaseDigestLabel);
  if (reference.empty() && digest.empty()) {
    return {};
  }
  Json out;
  out.set("reference", text_or_null(reference)).set("digest", text_or_null(digest));
  return out;
}

Json layer_records(const FoundImage& image) {
  const image::Manifest& manifest = image.documents.manifest;
  const std::vector<std::string> steps = steps_of(image.documents.config);
  const std::size_t below = image.environment ? image.environment->base_layers : 0;
  Json out = Json::array();
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const bool ours = image.environment && i >= below;
    Json record;
    record.set("digest", manifest.layers[i].digest.to_string())
        .set("diff_id", image.documents.config.diff_ids[i].to_string())
        .set("size", static_cast<std::int64_t>(manifest.layers[i].size_bytes))
        .set("base", image.environment ? Json(!ours) : Json())
        .set("packages",
             ours ? names(image.environment->layers[i - below].packages) : Json::array())
        .set("package_sizes",
             ours ? sizes(image.environment->layers[i - below].package_bytes) : Json::array())
        .set("created_by", text_or_null(steps[i]));
    out.push(std::move(record));
  }
  return out;
}

std::string short_digest(std::string_view digest) {
  constexpr std::size_t kShown = 19;  // "sha256:" and 12 digits
  return std::string(digest.substr(0, kShown));
}

}  // namespace cloche::cli
