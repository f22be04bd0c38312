#include "image/config.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"
#include "image/json_fields.h"

namespace cloche::image {
namespace {

constexpr std::string_view kWhat = "the image's config";
constexpr std::string_view kRun = "the image's config, \"config\"";

// Members of "config" that have a field of their own. The others of Docker's that say how it was
// built (Hostname, Image, ...) are kept in `more` as they are.
constexpr std::array<std::string_view, 9> kKnown{"User",       "ExposedPorts", "Env",
                                                 "Entrypoint", "Cmd",          "Volumes",
                                                 "WorkingDir", "Labels",       "StopSignal"};

Status read_run(const Json& json, ImageConfig& config) {
  if (json.is_null()) {
    return {};
  }
  if (!json.is_object()) {
    return fail(ErrorKind::kInvalid, "{} is not an object", kRun);
  }
  config.user = TRY(text_field(json, "User", kRun));
  config.exposed_ports = TRY(keys_field(json, "ExposedPorts", kRun));
  config.env = TRY(texts_field(json, "Env", kRun));
  config.entrypoint = TRY(texts_field(json, "Entrypoint", kRun));
  config.cmd = TRY(texts_field(json, "Cmd", kRun));
  config.volumes = TRY(keys_field(json, "Volumes", kRun));
  config.working_dir = TRY(text_field(json, "WorkingDir", kRun));
  config.labels = TRY(text_map_field(json, "Labels", kRun));
  config.stop_signal = TRY(text_field(json, "StopSignal", kRun));
  for (const auto& [name, value] : json.members()) {
    if (std::ranges::find(kKnown, name) == kKnown.end() && !value.is_null()) {
      config.more.emplace_back(name, value);
    }
  }
  std::ranges::sort(config.more, {}, &Json::Member::first);
  return {};
}

Status read_rootfs(const Json& json, ImageConfig& config) {
  if (json["type"] != Json("layers") || json["diff_ids"].is_object()) {
    return fail(ErrorKind::kInvalid, "{}: \"rootfs\" is not made of layers", kWhat);
  }
  const std::vector<std::string> ids = TRY(texts_field(json, "diff_ids", kWhat));
  if (ids.size() > kMaxLayers) {
    return fail(ErrorKind::kInvalid, "{}: more than {} layers", kWhat, kMaxLayers);
  }
  for (const std::string& id : ids) {
    config.diff_ids.push_back(TRY(Digest::parse(id).context("in {}, \"diff_ids\"", kWhat)));
  }
  return {};
}

Status read_history(const Json& json, ImageConfig& config) {
  if (json.is_null()) {
    return {};
  }
  if (!json.is_array()) {
    return fail(ErrorKind::kInvalid, "{}: \"history\" is not a list", kWhat);
  }
  for (const Json& step : json.items()) {
    if (!step.is_object()) {
      return fail(ErrorKind::kInvalid, "{}: a step of \"history\" is not an object", kWhat);
    }
    config.history.push_back({.created = TRY(text_field(step, "created", kWhat)),
                              .created_by = TRY(text_field(step, "created_by", kWhat)),
                              .author = TRY(text_field(step, "author", kWhat)),
                              .comment = TRY(text_field(step, "comment", kWhat)),
                              .empty_layer = TRY(bool_field(step, "empty_layer", kWhat))});
  }
  return {};
}

void set_text(Json& json, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    json.set(key, text);
  }
}

void set_texts(Json& json, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) {
    json.set(key, to_json(texts));
  }
}

void set_keys(Json& json, std::string_view key, const std::set<std::string>& keys) {
  if (keys.empty()) {
    return;
  }
  Json::Object object;
  for (const std::string& one : keys) {
    object.emplace_back(one, Json::object());
  }
  json.set(key, std::move(object));
}

Json run_json(const ImageConfig& config) {
  Json json = Json::object();
  set_text(json, "User", config.user);
  set_keys(json, "ExposedPorts", config.exposed_ports);
  set_texts(json, "Env", config.env);
  set_texts(json, "Entrypoint", config.entrypoint);
  set_texts(json, "Cmd", config.cmd);
  set_keys(json, "Volumes", config.volumes);
  set_text(json, "WorkingDir", config.working_dir);
  if (!config.labels.empty()) {
    json.set("Labels", to_json(config.labels));
  }
  set_text(json, "StopSignal", config.stop_signal);
  for (const auto& [name, value] : config.more) {
    json.members().emplace_back(name, value);
  }
  return json;
}

Json rootfs_json(const ImageConfig& config) {
  Json ids = Json::array();
  for (const Digest& id : config.diff_ids) {
    ids.push(id.to_string());
  }
  Json json = Json::object();
  json.set("type", "layers").set("diff_ids", std::move(ids));
  return json;
}

Json history_json(const std::vector<History>& history) {
  Json list = Json::array();
  for (const History& step : history) {
    Json json = Json::object();
    set_text(json, "created", step.created);
    set_text(json, "created_by", step.created_by);
    set_text(json, "author", step.author);
    set_text(json, "comment", step.comment);
    if (step.empty_layer) {
      json.set("empty_layer", true);
    }
    list.push(std::move(json));
  }
  return list;
}

}  // namespace

std::optional<std::string> ImageConfig::variable(std::string_view name) const {
  for (const std::string& one : env) {
    if (one.size() > name.size() && one[name.size()] == '=' && one.starts_with(name)) {
      return one.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

void ImageConfig::set_variable(std::string_view name, std::string_view value) {
  const std::string start = std::string(name) + "=";
  const auto found = std::ranges::find_if(
      env, [&start](const std::string& one) { return one.starts_with(start); });
  if (found == env.end()) {
    env.push_back(start + std::string(value));
  } else {
    *found = start + std::string(value);
  }
}

std::string ImageConfig::to_json() const {
  Json json = Json::object();
  set_text(json, "created", created);
  set_text(json, "author", author);
  write_platform(json, platform);
  json.set("config", run_json(*this));
  json.set("rootfs", rootfs_json(*this));
  if (!history.empty()) {
    json.set("history", history_json(history));
  }
  return json.dump();
}

Result<ImageConfig> parse_image_config(std::string_view text) {
  const Json json = TRY(parse_document(text, kMaxConfigBytes, "image's config"));
  ImageConfig config;
  config.created = TRY(text_field(json, "created", kWhat));
  config.author = TRY(text_field(json, "author", kWhat));
  config.platform = TRY(read_platform(json, kWhat));
  if (config.platform.os.empty() || config.platform.architecture.empty()) {
    return fail(ErrorKind::kInvalid, R"({} does not name its "os" and "architecture")", kWhat);
  }
  TRY(read_run(json["config"], config));
  TRY(read_rootfs(json["rootfs"], config));
  TRY(read_history(json["history"], config));
  return config;
}

Status check_layers(const Manifest& manifest, const ImageConfig& config) {
  const std::size_t layers = manifest.layers.size();
  if (layers != config.diff_ids.size()) {
    return fail(ErrorKind::kInvalid, "the manifest has {} layers, its config {}", layers,
                config.diff_ids.size());
  }
  return {};
}

}  // namespace cloche::image
