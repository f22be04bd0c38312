#include "image/environment_image.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/json.h"
#include "core/text.h"
#include "image/json_fields.h"

namespace cloche::image {

namespace {

// "created" of everything made here: a time would make two builds of one lock differ.
constexpr std::string_view kCreated = "1970-01-01T00:00:00Z";
constexpr std::string_view kHistoryStart = "cloche: ";
constexpr std::string_view kContentsStart = "cloche environment: ";  // of layers without packages
// What a base without PATH is taken to have: Docker's own default.
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// All of them: what a layer holds is read back from it (packages_of).
std::string layer_history(const EnvironmentLayer& layer) {
  return layer.packages.empty() ? std::string(kContentsStart) + layer.contents
                                : std::string(kHistoryStart) + join(layer.packages, ", ");
}

// The sizes are for people: of a layer of one package they are the layer's.
Descriptor annotated(const EnvironmentLayer& layer) {
  Descriptor out = layer.blob;
  out.annotations.erase(std::string(kPackageBytesAnnotation));
  if (layer.packages.size() > 1 && layer.package_bytes.size() == layer.packages.size()) {
    std::vector<std::string> sizes;
    sizes.reserve(layer.package_bytes.size());
    for (const std::uint64_t size : layer.package_bytes) {
      sizes.push_back(std::to_string(size));
    }
    out.annotations[std::string(kPackageBytesAnnotation)] = join(sizes, " ");
  }
  return out;
}

// Nothing where the annotation does not give one for each.
std::vector<std::uint64_t> package_bytes_of(const Descriptor& blob, std::size_t packages) {
  std::vector<std::uint64_t> out;
  const auto found = blob.annotations.find(std::string(kPackageBytesAnnotation));
  if (packages == 1) {
    out.push_back(blob.size_bytes);
  } else if (found != blob.annotations.end()) {
    for (const std::string_view one : split(found->second, ' ')) {
      std::from_chars(one.data(), one.data() + one.size(), out.emplace_back());
    }
  }
  return out.size() == packages ? out : std::vector<std::uint64_t>();
}

std::vector<std::string> packages_of(std::string_view history) {
  std::vector<std::string> out;
  if (!history.starts_with(kHistoryStart)) {
    return out;
  }
  history.remove_prefix(kHistoryStart.size());
  for (const std::string_view one : split(history, ',')) {
    out.emplace_back(trim(one));
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
  if (!(path + ":").starts_with(prefix + "/bin:")) {  // as a base with an environment has it
    config.set_variable("PATH", prefix + "/bin:" + path);
  }
  config.set_variable("CONDA_PREFIX", prefix);
  config.set_variable("CONDA_DEFAULT_ENV", prefix);
  config.set_variable("AZUREML_CONDA_ENVIRONMENT_PATH", prefix);
  config.set_variable("AZUREML_ENVIRONMENT_IMAGE", "True");
  for (const auto& [name, value] : settings.variables) {
    config.set_variable(name, value);
  }
}

void set_labels(ImageConfig& config, const BaseImage& base, const EnvironmentSettings& settings) {
  std::erase_if(config.labels, [](const auto& one) { return one.first.starts_with(kLabelPrefix); });
  config.labels.erase(std::string(kBaseNameLabel));
  config.labels.erase(std::string(kBaseDigestLabel));
  if (!base.digest.empty()) {
    config.labels[std::string(kBaseNameLabel)] = base.reference;
    config.labels[std::string(kBaseDigestLabel)] = base.digest.to_string();
  }
  config.labels[std::string(kBaseLayersLabel)] = std::to_string(base.manifest.layers.size());
  config.labels[std::string(kPackagesLabel)] = settings.packages.to_string();
  if (!settings.needs.empty()) {
    config.labels[std::string(kNeedsLabel)] = join(settings.needs, "; ");
  }
  if (!settings.variables.empty()) {
    config.labels[std::string(kVariablesLabel)] = to_json(settings.variables).canonical();
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

std::string_view label_of(const ImageConfig& config, std::string_view name) {
  const auto found = config.labels.find(std::string(name));
  return found == config.labels.end() ? std::string_view() : found->second;
}

Error broken_label(std::string_view name) {
  return fail(ErrorKind::kInvalid, "the image's label {} is not as cloche writes it", name)
      .with_hint("only images that cloche env build made can be rebased");
}

Result<std::size_t> base_layer_count(const ImageConfig& config) {
  const std::string_view text = label_of(config, kBaseLayersLabel);
  std::size_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || stop != text.data() + text.size() || count > config.diff_ids.size()) {
    return broken_label(kBaseLayersLabel);
  }
  return count;
}

Result<EnvironmentSettings> settings_of(const ImageConfig& config) {
  EnvironmentSettings out;
  const auto packages = Digest::parse(label_of(config, kPackagesLabel));
  if (!packages) {
    return broken_label(kPackagesLabel);
  }
  out.packages = *packages;
  for (const std::string_view spec : split(label_of(config, kNeedsLabel), ';')) {
    if (!trim(spec).empty()) {
      out.needs.emplace_back(trim(spec));
    }
  }
  const std::string_view variables = label_of(config, kVariablesLabel);
  if (!variables.empty()) {
    const auto json = parse_json(variables);
    if (!json || !json->is_object()) {
      return broken_label(kVariablesLabel);
    }
    for (const auto& [name, value] : json->members()) {
      if (!value.is_string()) {
        return broken_label(kVariablesLabel);
      }
      out.variables[name] = value.as_string();
    }
  }
  return out;
}

// The steps that stand for layers; the last of them are the topmost layers'.
std::vector<const History*> layer_steps(const ImageConfig& config) {
  std::vector<const History*> out;
  for (const History& step : config.history) {
    if (!step.empty_layer) {
      out.push_back(&step);
    }
  }
  return out;
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
    out.manifest.layers.push_back(annotated(layer));
    out.config.diff_ids.push_back(layer.diff_id);
    out.config.history.push_back(
        {.created = std::string(kCreated), .created_by = layer_history(layer)});
  }
  set_variables(out.config, settings);
  set_labels(out.config, base, settings);
  return out;
}

Result<std::optional<Environment>> environment_of(const ImageDocuments& image) {
  if (label_of(image.config, kPackagesLabel).empty()) {
    return std::optional<Environment>();
  }
  TRY(check_layers(image.manifest, image.config));
  Environment out;
  out.base_layers = TRY(base_layer_count(image.config));
  out.settings = TRY(settings_of(image.config));
  const std::vector<const History*> steps = layer_steps(image.config);
  const std::size_t layers = image.manifest.layers.size();
  const std::size_t own = layers - out.base_layers;
  if (steps.size() < own) {
    return fail(ErrorKind::kInvalid, "the image's history does not account for its layers");
  }
  for (std::size_t i = 0; i < own; ++i) {
    EnvironmentLayer& layer = out.layers.emplace_back();
    const std::string_view step = steps[steps.size() - own + i]->created_by;
    layer.blob = image.manifest.layers[out.base_layers + i];
    layer.diff_id = image.config.diff_ids[out.base_layers + i];
    layer.packages = packages_of(step);
    layer.package_bytes = package_bytes_of(layer.blob, layer.packages.size());
    if (step.starts_with(kContentsStart)) {
      layer.contents = step.substr(kContentsStart.size());
    }
  }
  return std::optional(std::move(out));
}

Result<ImageDocuments> rebase(const ImageDocuments& image, const BaseImage& onto) {
  const std::optional<Environment> environment = TRY(environment_of(image));
  if (!environment) {
    return fail(ErrorKind::kInvalid, "the image has no environment of cloche's to put elsewhere")
        .with_hint("only images that cloche env build made can be rebased");
  }
  const bool debian = std::ranges::find(environment->layers, kConfiguredLayer,
                                        &EnvironmentLayer::contents) != environment->layers.end();
  if (debian) {
    return fail(ErrorKind::kUnsupported,
                "the image has Debian packages, which were configured for its own base")
        .with_hint("build the environment on the other base: cloche env build");
  }
  return compose(onto, environment->layers, environment->settings);
}

}  // namespace cloche::image
