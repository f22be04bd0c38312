#include "image/environment_image.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/text.h"

namespace cloche::image {

namespace {

// "created" of everything made here: a time would make two builds of one lock differ.
constexpr std::string_view kCreated = "1970-01-01T00:00:00Z";
// What a base without PATH is taken to have: Docker's own default.
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string layer_history(const EnvironmentLayer& layer) {
  constexpr std::size_t kMostListed = 12;
  std::string out = "cloche: ";
  for (std::size_t i = 0; i < std::min(layer.packages.size(), kMostListed); ++i) {
    out += (i == 0 ? "" : ", ") + layer.packages[i];
  }
  if (layer.packages.size() > kMostListed) {
    out += fmt::format(" and {} more", layer.packages.size() - kMostListed);
  }
  return out;
}

// A base whose history does not account for its layers gets one that does.
void complete_history(ImageConfig& config) {
  const auto counted = std::ranges::count(config.history, false, &History::empty_layer);
  for (auto i = static_cast<std::size_t>(counted); i < config.diff_ids.size(); ++i) {
    config.history.push_back({.created = std::string(kCreated), .created_by = "base layer"});
  }
}

void set_variables(ImageConfig& config, const EnvironmentSettings& settings) {
  const std::string prefix(kEnvironmentPrefix);
  const std::string path = config.variable("PATH").value_or(std::string(kDefaultPath));
  config.set_variable("PATH", prefix + "/bin:" + path);
  config.set_variable("CONDA_PREFIX", prefix);
  config.set_variable("CONDA_DEFAULT_ENV", prefix);
  config.set_variable("AZUREML_CONDA_ENVIRONMENT_PATH", prefix);
  config.set_variable("AZUREML_ENVIRONMENT_IMAGE", "True");
  for (const auto& [name, value] : settings.variables) {
    config.set_variable(name, value);
  }
}

void set_base_labels(ImageConfig& config, const BaseImage& base) {
  config.labels[std::string(kBaseLayersLabel)] = std::to_string(base.manifest.layers.size());
  config.labels.erase(std::string(kBaseNameLabel));
  config.labels.erase(std::string(kBaseDigestLabel));
  if (!base.digest.empty()) {
    config.labels[std::string(kBaseNameLabel)] = base.reference;
    config.labels[std::string(kBaseDigestLabel)] = base.digest.to_string();
  }
}

Status check_count(std::size_t count) {
  if (count <= kMostLayers) {
    return {};
  }
  return fail(ErrorKind::kInvalid, "the image would have {} layers; engines take {}", count,
              kMostLayers)
      .with_hint("choose a base with fewer layers");
}

std::optional<std::size_t> base_layer_count(const ImageConfig& config) {
  const auto label = config.labels.find(std::string(kBaseLayersLabel));
  if (label == config.labels.end()) {
    return std::nullopt;
  }
  std::size_t count = 0;
  const char* const end = label->second.data() + label->second.size();
  const auto [stop, error] = std::from_chars(label->second.data(), end, count);
  const bool valid = error == std::errc() && stop == end && count <= config.diff_ids.size();
  return valid ? std::optional(count) : std::nullopt;
}

}  // namespace

Result<ImageDocuments> compose(const BaseImage& base, const std::vector<EnvironmentLayer>& layers,
                               const EnvironmentSettings& settings) {
  TRY(check_count(base.manifest.layers.size() + layers.size()));
  ImageDocuments out{.manifest = base.manifest, .config = base.config};
  out.manifest.annotations.clear();
  complete_history(out.config);
  out.config.created = kCreated;
  for (const EnvironmentLayer& layer : layers) {
    out.manifest.layers.push_back(layer.blob);
    out.config.diff_ids.push_back(layer.diff_id);
    out.config.history.push_back(
        {.created = std::string(kCreated), .created_by = layer_history(layer)});
  }
  set_variables(out.config, settings);
  set_base_labels(out.config, base);
  out.config.labels[std::string(kContentsLabel)] = settings.contents.to_string();
  if (!settings.needs.empty()) {
    out.config.labels[std::string(kNeedsLabel)] = join(settings.needs, "; ");
  }
  return out;
}

Result<ImageDocuments> rebase(const ImageDocuments& image, const BaseImage& onto) {
  const std::optional<std::size_t> below = base_layer_count(image.config);
  const auto contents = image.config.labels.find(std::string(kContentsLabel));
  if (!below || contents == image.config.labels.end()) {
    return fail(ErrorKind::kInvalid, "the image has no environment of cloche's to put elsewhere")
        .with_hint("only images that cloche env build made can be rebased");
  }
  const std::size_t own = image.config.diff_ids.size() - *below;
  TRY(check_count(onto.manifest.layers.size() + own));
  ImageDocuments out{.manifest = onto.manifest, .config = image.config};
  out.manifest.annotations = image.manifest.annotations;
  out.config.diff_ids = onto.config.diff_ids;
  out.config.platform = onto.config.platform;
  ImageConfig lower = onto.config;
  complete_history(lower);
  out.config.history = lower.history;
  for (std::size_t i = *below; i < image.config.diff_ids.size(); ++i) {
    out.manifest.layers.push_back(image.manifest.layers[i]);
    out.config.diff_ids.push_back(image.config.diff_ids[i]);
  }
  const auto steps = static_cast<std::ptrdiff_t>(std::min(own, image.config.history.size()));
  out.config.history.insert(out.config.history.end(), image.config.history.end() - steps,
                            image.config.history.end());
  // The base's own variables, below those that the environment set.
  for (const std::string& entry : onto.config.env) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos && !image.config.variable(entry.substr(0, equals))) {
      out.config.env.push_back(entry);
    }
  }
  set_base_labels(out.config, onto);
  return out;
}

}  // namespace cloche::image
