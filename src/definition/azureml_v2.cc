#include "definition/azureml_v2.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/apt_list.h"
#include "definition/base_text.h"
#include "definition/build_context.h"
#include "definition/conda_yaml.h"
#include "definition/requirements_txt.h"
#include "definition/yaml_fields.h"
#include "definition/yaml_text.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxKeys = 1000;

// Keys that `az ml environment show` prints and Azure's service decides.
constexpr std::array<std::string_view, 11> kServiceKeys = {"datastore",
                                                           "id",
                                                           "creation_context",
                                                           "resourceGroup",
                                                           "resource_group",
                                                           "latest_version",
                                                           "stage",
                                                           "is_anonymous",
                                                           "intellectual_property",
                                                           "auto_delete_setting",
                                                           "provisioning_state"};

// What people write for a key out of habit with other formats.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kHabits = {{
    {"base_image", "image"},
    {"docker_image", "image"},
    {"conda", "conda_file"},
    {"conda_dependencies", "conda_file"},
    {"conda_dependencies_file", "conda_file"},
    {"dockerfile", "build"},
    {"docker", "build"},
    {"pip", "pip_file"},
    {"requirements", "pip_file"},
    {"variables", "environment_variables"},
    {"env", "environment_variables"},
    {"packages", "apt"},
    {"dockerfile", "dockerfile_path"},
    {"context", "path"},
    {"directory", "path"},
}};

class Reader {
 public:
  Reader(const std::string& file, FileSource& files, const ReadOptions& options,
         Diagnostics& diagnostics)
      : file_(file), files_(files), options_(options), diagnostics_(diagnostics) {}

  Result<Environment> read(const YamlNode& root) {
    TRY(check_root(root));
    for (const YamlNode::Member& member : root.members) {
      TRY(read_member(member));
    }
    TRY(combine(root));
    return std::move(out_);
  }

 private:
  using Handler = Status (Reader::*)(const YamlNode&);
  struct Key {
    std::string_view name;
    Handler handler;
  };
  static const std::array<Key, 14> kKeys;

  static Status check_root(const YamlNode& root) {
    if (!root.is_mapping()) {
      const std::string shown(root.kind_name());
      return wrong(root, "an environment is a mapping of keys, not " + shown,
                   "begin with 'name:', then 'image:' or 'build:'");
    }
    if (root.members.size() > kMaxKeys) {
      return wrong(root, fmt::format("more than {} keys", kMaxKeys));
    }
    for (const YamlNode::Member& member : root.members) {
      if (member.key.text == "dependencies" || member.key.text == "channels") {
        return wrong(member.key, fmt::format("'{}' belongs into a conda file", member.key.text),
                     "move it into a file of its own and name that under conda_file; or put it "
                     "below conda_file, indented");
      }
    }
    return {};
  }

  Status read_member(const YamlNode::Member& member) {
    const std::string& name = member.key.text;
    const auto* key = std::ranges::find(kKeys, name, &Key::name);
    if (key == kKeys.end()) {
      note_unknown(member.key);
      return {};
    }
    if (member.value.is_null()) {
      diagnostics_.warn("azureml-empty-key", member.key.at,
                        fmt::format("'{}' has no value and is left out", name));
      return {};
    }
    auto status = (this->*key->handler)(member.value);
    return std::move(status).context("reading '{}'", name);
  }

  void note_unknown(const YamlNode& key) {
    if (std::ranges::find(kServiceKeys, key.text) != kServiceKeys.end()) {
      diagnostics_.note("azureml-service-key", key.at,
                        fmt::format("'{}' has a meaning only in Azure and is ignored", key.text));
      return;
    }
    std::vector<std::string_view> names;
    std::ranges::transform(kKeys, std::back_inserter(names), &Key::name);
    warn_unknown(key, names);
  }

  void warn_unknown(const YamlNode& key, std::span<const std::string_view> names) {
    const std::string lower = to_lower(key.text);
    const auto* habit = std::ranges::find_if(kHabits, [&](const auto& pair) {
      return pair.first == lower && std::ranges::find(names, pair.second) != names.end();
    });
    const std::string_view near = habit != kHabits.end() ? habit->second : nearest(key.text, names);
    std::string hint = near.empty() ? fmt::format("the keys are {}", fmt::join(names, ", "))
                                    : fmt::format("did you mean {}?", near);
    diagnostics_.warn("azureml-unknown-key", key.at,
                      fmt::format("unknown key '{}' is ignored", printable(key.text)),
                      std::move(hint));
  }

  // A member, as every entry of kKeys is.
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static)
  Status read_schema(const YamlNode& node) {
    const std::string text = TRY(text_of(node));
    static constexpr std::string_view kEnd = ".schema.json";
    const std::string_view base = base_name(text);
    if (base.ends_with(kEnd) && base != "environment.schema.json") {
      const std::string_view what = base.substr(0, base.size() - kEnd.size());
      return wrong(
          node, fmt::format("this is the schema of a {}, not of an environment", printable(what)));
    }
    return {};
  }

  Status read_name(const YamlNode& node) {
    out_.name = TRY(text_of(node));
    return placed_at(check_environment_name(out_.name), node);
  }

  Status read_version(const YamlNode& node) {
    out_.version = TRY(text_of(node));
    return placed_at(check_version(out_.version), node);
  }

  Status read_description(const YamlNode& node) {
    out_.description = TRY(text_of(node));
    return {};
  }

  Status read_tags(const YamlNode& node) {
    out_.tags = TRY(texts_of(node));
    return {};
  }

  Status read_properties(const YamlNode& node) {
    out_.properties = TRY(texts_of(node));
    return {};
  }

  Status read_image(const YamlNode& node) {
    image_ = TRY(read_image_text(TRY(filled_text(node)), node.at));
    return {};
  }

  // conda_file: a path, or the conda environment itself.
  Status read_conda(const YamlNode& node) {
    if (node.is_mapping()) {
      conda_ = TRY(read_conda_node(node, file_, files_, options_, diagnostics_));
      return {};
    }
    if (node.is_sequence()) {
      return wrong(node, "conda_file is a path or a mapping, not a list",
                   "put 'dependencies:' above the list, indented below conda_file");
    }
    const std::string path = TRY(path_of(node));
    const std::string text = TRY(read_named(node, path));
    conda_ = TRY(parse_conda_yaml(text, path, files_, options_, diagnostics_));
    return {};
  }

  Status read_pip(const YamlNode& node) {
    const std::string path = TRY(path_of(node));
    const std::string text = TRY(read_named(node, path));
    pip_file_ = TRY(parse_requirements_txt(text, path, files_, diagnostics_));
    return {};
  }

  Status read_apt(const YamlNode& node) {
    if (node.is_sequence()) {
      std::vector<Line> items;
      items.reserve(node.items.size());
      for (const YamlNode& item : node.items) {
        items.push_back({TRY(text_of(item)), item.at});
      }
      apt_ = TRY(read_apt_items(items));
      return {};
    }
    if (node.is_mapping()) {
      return wrong(node, "apt is a list of Debian packages or a file's path, not a mapping",
                   "write each as '- NAME' or '- NAME=VERSION'");
    }
    const std::string path = TRY(path_of(node));
    apt_ = TRY(parse_apt_list(TRY(read_named(node, path)), path));
    return {};
  }

  // A path that the YAML names, relative to the YAML.
  Result<std::string> path_of(const YamlNode& node) {
    std::string text = TRY(filled_text(node));
    if (text.find('\n') != std::string::npos) {
      return wrong(node, "a path is expected here, not a text of several lines",
                   "take the '|' away: what follows is then read as a mapping");
    }
    if (text.starts_with("file:")) {
      text = TRY(parse_asset_reference(text)).file;
    }
    if (is_remote_context(text)) {
      return fail_at(node, ErrorKind::kUnsupported, "a remote file cannot be read here",
                     "download it, and write its path beside this file");
    }
    return join_path(parent_path(file_), text);
  }

  Result<std::string> read_named(const YamlNode& node, const std::string& path) {
    auto text = files_.read(path, kMaxTextBytes);
    return text.has_value() ? std::move(text)
                            : Result<std::string>(misnamed(std::move(text).error(), node));
  }

  // A path that leads nowhere: most often it is relative to something else.
  static Error misnamed(Error error, const YamlNode& node) {
    if (error.hint.empty() && error.kind == ErrorKind::kNotFound) {
      error.hint = node.text.find('\\') == std::string::npos
                       ? "paths are relative to the file that names them"
                       : "write '/' between folders, not '\\'";
    }
    return placed(std::move(error), node);
  }

  // build: {path, dockerfile_path}
  Status read_build(const YamlNode& node) {
    static constexpr std::array<std::string_view, 2> kNames = {"path", "dockerfile_path"};
    if (!node.is_mapping()) {
      return wrong(
          node, fmt::format("build is a mapping, not {}", node.kind_name()),
          node.is_scalar() ? fmt::format("build: {{path: {}}}", printable(node.text)) : "");
    }
    note_unknown_members(node, kNames);
    const YamlNode* path = node.find("path");
    if (path == nullptr || path->is_null()) {
      return wrong(node, "build has no path", "name the folder with the Dockerfile: path: .");
    }
    std::string dockerfile = "Dockerfile";
    if (const YamlNode* given = node.find("dockerfile_path");
        given != nullptr && !given->is_null()) {
      dockerfile = TRY(filled_text(*given));
    }
    const std::string text = TRY(filled_text(*path));
    BuildContextBase context =
        TRY(is_remote_context(text) ? remote_context(*path, text, dockerfile)
                                    : local_context(*path, text, dockerfile));
    context.at = node.at;
    build_ = std::move(context);
    return {};
  }

  void note_unknown_members(const YamlNode& node, std::span<const std::string_view> names) {
    for (const YamlNode::Member& member : node.members) {
      if (std::ranges::find(names, member.key.text) == names.end()) {
        warn_unknown(member.key, names);
      }
    }
  }

  static Result<BuildContextBase> remote_context(const YamlNode& node, const std::string& uri,
                                                 const std::string& dockerfile_path) {
    auto context = remote_build_context(uri, dockerfile_path);
    return context.has_value() ? std::move(context)
                               : Result<BuildContextBase>(placed(std::move(context).error(), node));
  }

  Result<BuildContextBase> local_context(const YamlNode& node, const std::string& path,
                                         const std::string& dockerfile_path) {
    const std::string directory = normal_path(join_path(parent_path(file_), path));
    auto context = read_build_context(directory, dockerfile_path, files_, diagnostics_);
    return context.has_value()
               ? std::move(context)
               : Result<BuildContextBase>(misnamed(std::move(context).error(), node));
  }

  Status read_variables(const YamlNode& node) {
    out_.definition.environment_variables = TRY(variables_of(node));
    return {};
  }

  Status read_inference(const YamlNode& node) {
    static constexpr std::array<std::string_view, 3> kRoutes = {"liveness_route", "readiness_route",
                                                                "scoring_route"};
    if (!node.is_mapping()) {
      return wrong(node, fmt::format("inference_config is a mapping, not {}", node.kind_name()));
    }
    note_unknown_members(node, kRoutes);
    InferenceConfig config;
    const std::array<std::optional<InferenceRoute>*, 3> slots = {
        &config.liveness, &config.readiness, &config.scoring};
    for (std::size_t i = 0; i < kRoutes.size(); ++i) {
      const YamlNode* route = node.find(kRoutes[i]);
      if (route != nullptr && !route->is_null()) {
        *slots[i] = TRY(read_route(*route));
      } else {
        diagnostics_.warn(
            "azureml-incomplete-inference", node.at,
            fmt::format("inference_config has no {}; Azure asks for all three routes", kRoutes[i]));
      }
    }
    out_.definition.inference = config;
    return {};
  }

  Result<InferenceRoute> read_route(const YamlNode& node) {
    static constexpr std::array<std::string_view, 2> kNames = {"path", "port"};
    const YamlNode* path = node.find("path");
    const YamlNode* port = node.find("port");
    if (path == nullptr || port == nullptr) {
      return wrong(node, "a route has a path and a port", "{path: /score, port: 8080}");
    }
    note_unknown_members(node, kNames);
    InferenceRoute out;
    out.path = TRY(filled_text(*path));
    const std::string text = TRY(text_of(*port));
    const auto end = std::from_chars(text.data(), text.data() + text.size(), out.port);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size() || out.port < 1 ||
        out.port > 65535) {
      return wrong(*port, fmt::format("'{}' is no port", printable(text)), "1 to 65535");
    }
    return out;
  }

  Status read_os_type(const YamlNode& node) {
    static constexpr std::array<std::string_view, 2> kTypes = {"linux", "windows"};
    const std::string text = to_lower(TRY(text_of(node)));
    const auto* found = std::ranges::find(kTypes, text);
    if (found == kTypes.end()) {
      return wrong(node, fmt::format("unknown os_type '{}'", printable(node.text)),
                   "linux or windows");
    }
    out_.definition.os_type = text == "linux" ? OsType::kLinux : OsType::kWindows;
    return {};
  }

  // Exactly one base; packages only on top of an image.
  Status combine(const YamlNode& root) {
    if (image_ && build_) {
      return wrong(*root.find("build"), "image and build cannot both be given",
                   "remove one of them: a Dockerfile names its base image itself");
    }
    if (build_) {
      for (const char* key : {"conda_file", "pip_file", "apt"}) {
        const YamlNode* node = root.find(key);
        if (node != nullptr && !node->is_null()) {
          return wrong(*node, fmt::format("{} cannot be added on top of a build context", key),
                       "install these packages in the Dockerfile, or give 'image' instead of "
                       "'build'");
        }
      }
      out_.definition.base = std::move(*build_);
      return {};
    }
    if (!image_) {
      diagnostics_.note("default-image", root.at,
                        fmt::format("no image is given: {} is used", options_.default_image),
                        "write 'image:' to decide it here");
      image_ = ImageBase{options_.default_image, {}};
    }
    out_.definition.base = std::move(*image_);
    add_packages();
    return {};
  }

  void add_packages() {
    Definition& definition = out_.definition;
    if (conda_) {
      definition.conda = std::move(conda_->conda);
      definition.pip = std::move(conda_->pip);
    }
    if (pip_file_) {
      auto& lines = definition.pip ? definition.pip->lines : definition.pip.emplace().lines;
      std::ranges::move(pip_file_->lines, std::back_inserter(lines));
    }
    if (apt_ && !apt_->packages.empty()) {
      definition.apt = std::move(apt_);
    }
  }

  const std::string& file_;
  FileSource& files_;
  const ReadOptions& options_;
  Diagnostics& diagnostics_;
  Environment out_;
  std::optional<ImageBase> image_;
  std::optional<BuildContextBase> build_;
  std::optional<CondaYaml> conda_;
  std::optional<PipSection> pip_file_;
  std::optional<AptSection> apt_;
};

const std::array<Reader::Key, 14> Reader::kKeys = {{
    {"$schema", &Reader::read_schema},
    {"name", &Reader::read_name},
    {"version", &Reader::read_version},
    {"description", &Reader::read_description},
    {"tags", &Reader::read_tags},
    {"properties", &Reader::read_properties},
    {"image", &Reader::read_image},
    {"build", &Reader::read_build},
    {"conda_file", &Reader::read_conda},
    {"pip_file", &Reader::read_pip},
    {"apt", &Reader::read_apt},
    {"environment_variables", &Reader::read_variables},
    {"inference_config", &Reader::read_inference},
    {"os_type", &Reader::read_os_type},
}};

}  // namespace

Result<Environment> read_azureml_v2_node(const YamlNode& node, const std::string& file,
                                         FileSource& files, const ReadOptions& options,
                                         Diagnostics& diagnostics) {
  return Reader(file, files, options, diagnostics).read(node);
}

Result<Environment> parse_azureml_v2(std::string_view text, const std::string& file,
                                     FileSource& files, const ReadOptions& options,
                                     Diagnostics& diagnostics) {
  return read_yaml_text(text, file, "an environment YAML", kMaxAzuremlV2Bytes, diagnostics,
                        [&](const YamlNode& node, Diagnostics& found) {
                          return read_azureml_v2_node(node, file, files, options, found);
                        });
}

Result<EnvironmentUse> read_environment_use(const YamlNode& node, const std::string& file,
                                            FileSource& files, const ReadOptions& options,
                                            Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    return TRY(read_azureml_v2_node(node, file, files, options, diagnostics));
  }
  auto reference = parse_asset_reference(node.text);
  if (!reference.has_value()) {
    return placed(std::move(reference).error(), node);
  }
  return std::move(*reference);
}

}  // namespace cloche::definition
