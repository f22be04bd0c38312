#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.h"
#include "core/yaml.h"
#include "definition/load.h"
#include "package/oci/reference.h"
#include "package/pypi/requirement.h"

// What a file is decides its content; a name helps only where the content leaves it open, because
// people name these files as they like: env.yml may be any of three formats.
namespace cloche::definition {
namespace {

constexpr std::string_view kV1File = "azureml_environment.json";

constexpr std::array<std::string_view, 9> kV2Keys = {"$schema",
                                                     "image",
                                                     "build",
                                                     "conda_file",
                                                     "inference_config",
                                                     "os_type",
                                                     "pip_file",
                                                     "environment_variables",
                                                     "apt"};
constexpr std::array<std::string_view, 4> kCondaKeys = {"dependencies", "channels", "prefix",
                                                        "platforms"};
// Keys that say nothing about the format.
constexpr std::array<std::string_view, 5> kSharedKeys = {"name", "version", "description", "tags",
                                                         "properties"};
// Keys of the other v2 files, which hold or use environments.
constexpr std::array<std::string_view, 5> kJobKeys = {"command", "compute", "jobs", "inputs",
                                                      "experiment_name"};

bool is_dockerfile_name(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "dockerfile" || lower == "containerfile" || lower == "basedockerfile" ||
         lower.starts_with("dockerfile.") || lower.ends_with(".dockerfile");
}

// A line that begins an instruction which only a Dockerfile begins with.
bool begins_dockerfile(std::string_view text) {
  for (const std::string_view raw : split_lines(text)) {
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t blank = line.find_first_of(" \t");
    if (blank == std::string_view::npos) {
      return false;
    }
    const std::string word = to_upper(line.substr(0, blank));
    return word == "FROM" || (word == "ARG" && line.find(':') == std::string_view::npos);
  }
  return false;
}

// "key" of a line "key: ..." that is not indented.
std::string_view top_key(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || line.empty() || is_blank(line.front())) {
    return {};
  }
  const bool ends = colon + 1 == line.size() || is_blank(line[colon + 1]);
  const std::string_view key = line.substr(0, colon);
  const bool word = std::ranges::none_of(key, [](char c) { return is_blank(c) || c == '#'; });
  return ends && word ? key : std::string_view();
}

std::vector<std::string> top_keys(std::string_view text) {
  std::vector<std::string> keys;
  const auto node = parse_yaml(text, "");
  if (node.has_value()) {
    for (const YamlNode::Member& member : node->members) {
      keys.push_back(member.key.text);
    }
    return keys;
  }
  for (const std::string_view line : split_lines(text)) {  // broken YAML: its parser will say why
    if (const std::string_view key = top_key(line); !key.empty()) {
      keys.emplace_back(key);
    }
  }
  return keys;
}

bool has_any(const std::vector<std::string>& keys, std::span<const std::string_view> wanted) {
  return std::ranges::any_of(
      keys, [&](const std::string& key) { return std::ranges::find(wanted, key) != wanted.end(); });
}

std::optional<Format> format_of_keys(const std::vector<std::string>& keys) {
  if (has_any(keys, kV2Keys)) {  // before conda's: a conda part on the wrong level gets v2's error
    return Format::kAzuremlV2;
  }
  if (has_any(keys, kCondaKeys)) {
    return Format::kCondaYaml;
  }
  return std::nullopt;
}

// The format that a mistyped key would belong to ("dependancies"), so that its own parser can name
// the right one.
std::optional<Format> format_of_near_keys(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (std::ranges::find(kSharedKeys, key) != kSharedKeys.end()) {
      continue;
    }
    if (!nearest(key, kCondaKeys).empty()) {
      return Format::kCondaYaml;
    }
    if (!nearest(key, kV2Keys).empty()) {
      return Format::kAzuremlV2;
    }
  }
  return std::nullopt;
}

// Whether the first line that says something is one of a requirements file.
bool begins_requirements(std::string_view text) {
  for (const std::string_view raw : split_lines(text)) {
    const std::string_view line = trim(raw.substr(0, raw.find(" #")));
    if (!line.empty() && line.front() != '#') {
      return line.starts_with('-') || pypi::parse_requirement(line).has_value();
    }
  }
  return false;
}

Error unknown_format(const std::string& path) {
  return fail(ErrorKind::kInvalid, "{} is no environment in a format known here", printable(path))
      .with_hint(
          "looked for: a conda environment.yml (dependencies:), an Azure ML YAML (image:, build: "
          "or conda_file:), azureml_environment.json, requirements.txt, a Dockerfile");
}

Result<Format> detect_yaml(std::string_view text, const std::string& path) {
  const std::vector<std::string> keys = top_keys(text);
  const bool job = has_any(keys, kJobKeys) && !has_any(keys, std::array{kV2Keys[1], kV2Keys[2]});
  if (job) {
    return fail(ErrorKind::kInvalid, "{} is a job, not an environment", printable(path))
        .with_hint("its 'environment:' part can stand in a file of its own");
  }
  if (const auto format = format_of_keys(keys)) {
    return *format;
  }
  if (const auto format = format_of_near_keys(keys)) {
    return *format;
  }
  const bool only_a_name = !keys.empty() && std::ranges::find(keys, "name") != keys.end();
  if (only_a_name) {
    return Format::kAzuremlV2;  // name, version, tags: the default image
  }
  return unknown_format(path);
}

Result<Format> detect_file(const std::string& path, FileSource& files) {
  const std::string_view name = base_name(path);
  if (name == kV1File) {
    return Format::kAzuremlV1;
  }
  const std::string text = TRY(files.read(path, kMaxTextBytes));
  if (is_dockerfile_name(name) || begins_dockerfile(text)) {
    return Format::kDockerfile;
  }
  const std::string lower = to_lower(name);
  if (trim_left(text).starts_with('{') && lower.ends_with(".json")) {
    return fail(ErrorKind::kInvalid, "{} is JSON under a name that is not expected",
                printable(path))
        .with_hint("an Azure ML v1 environment is a folder with azureml_environment.json in it");
  }
  if (lower.ends_with(".txt") || lower.ends_with(".in") || lower.ends_with(".pip")) {
    return Format::kRequirementsTxt;
  }
  if (lower.ends_with(".yml") || lower.ends_with(".yaml") || !top_keys(text).empty()) {
    return detect_yaml(text, path);
  }
  // Standard input has no name that would tell.
  const bool without_suffix = name.find('.') == std::string_view::npos;
  if (lower.find("requirements") != std::string::npos ||
      (without_suffix && begins_requirements(text))) {
    return Format::kRequirementsTxt;
  }
  return unknown_format(path);
}

Result<Format> detect_directory(const std::string& path, FileSource& files) {
  if (files.kind(join_path(path, kV1File)).has_value()) {
    return Format::kAzuremlV1;
  }
  if (files.kind(join_path(path, "Dockerfile")).has_value()) {
    return Format::kBuildContext;
  }
  std::string hint = "looked for azureml_environment.json and Dockerfile in it";
  for (const char* name :
       {"environment.yml", "environment.yaml", "conda.yml", "conda.yaml", "requirements.txt"}) {
    if (files.kind(join_path(path, name)).has_value()) {
      hint = "did you mean " + join_path(path, name) + "?";
      break;
    }
  }
  return fail(ErrorKind::kInvalid, "the folder {} holds no environment", printable(path))
      .with_hint(std::move(hint));
}

}  // namespace

std::string_view to_string(Format format) {
  static constexpr std::array<std::pair<Format, std::string_view>, 7> kNames = {{
      {Format::kCondaYaml, "conda"},
      {Format::kRequirementsTxt, "requirements"},
      {Format::kAzuremlV2, "azureml-v2"},
      {Format::kAzuremlV1, "azureml-v1"},
      {Format::kDockerfile, "dockerfile"},
      {Format::kBuildContext, "build-context"},
      {Format::kImage, "image"},
  }};
  const auto* found =
      std::ranges::find(kNames, format, [](const auto& pair) { return pair.first; });
  return found == kNames.end() ? std::string_view() : found->second;
}

Result<Format> detect_format(const std::string& path, FileSource& files) {
  auto kind = files.kind(path);
  if (!kind.has_value()) {
    const bool looks_like_image =
        path.find(':') != std::string::npos && oci::parse_reference(path).has_value();
    Error error = std::move(kind).error();
    if (looks_like_image && error.hint.empty()) {
      error.hint = "an image is named with --image";
    }
    return error;
  }
  return *kind == FileKind::kDirectory ? detect_directory(path, files) : detect_file(path, files);
}

}  // namespace cloche::definition
