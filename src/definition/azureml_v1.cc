#include "definition/azureml_v1.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/excerpt.h"
#include "core/json.h"
#include "core/text.h"
#include "core/yaml.h"
#include "definition/asset_reference.h"
#include "definition/base_text.h"
#include "definition/conda_yaml.h"
#include "definition/placeholder.h"

// The SDK's own loader is the rule here (azureml-core, environment.py, load_from_directory): a
// BaseDockerfile beside the JSON wins over its baseImage, conda_dependencies.yml over its
// condaDependencies.
namespace cloche::definition {
namespace {

// Secrets by the names that the SDK's classes give them: ContainerRegistry.password,
// RGitHubPackage.auth_token.
constexpr std::array<std::string_view, 4> kSecretKeys = {"password", "authToken", "auth_token",
                                                         "token"};

constexpr std::size_t kMaxKeys = 200;

constexpr std::array<std::string_view, 10> kTopKeys = {
    "name",       "version", "environmentVariables",    "python", "docker", "spark",
    "databricks", "r",       "inferencingStackVersion", "assetId"};
constexpr std::array<std::string_view, 5> kPythonKeys = {
    "userManagedDependencies", "interpreterPath", "condaDependenciesFile", "condaDependencies",
    "baseCondaEnvironment"};
constexpr std::array<std::string_view, 10> kDockerKeys = {
    "enabled", "baseImage", "baseDockerfile",    "buildContext", "sharedVolumes",
    "shmSize", "arguments", "baseImageRegistry", "platform",     "gpuSupport"};

// The text with '*' for each byte of a secret's value, for excerpts.
std::string star_secrets(std::string text) {
  for (const std::string_view key : kSecretKeys) {
    const std::string quoted = fmt::format("\"{}\"", key);
    for (std::size_t at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at)) {
      at += quoted.size();
      const std::size_t value = text.find_first_not_of(" \t\r\n:", at);
      if (value == std::string::npos || text[value] != '"') {
        continue;
      }
      for (at = value + 1; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] != '\n') {
          text[at++] = '*';
        }
        text[at] = '*';
      }
    }
  }
  return text;
}

class Reader {
 public:
  Reader(std::string directory, const std::string& text, FileSource& files,
         const ReadOptions& options, Diagnostics& diagnostics)
      : directory_(std::move(directory)),
        file_(join_path(directory_, kAzuremlV1File)),
        text_(text),
        shown_(star_secrets(text)),
        excerpts_(shown_, file_),
        files_(files),
        options_(options),
        diagnostics_(diagnostics) {}

  Result<Environment> read() {
    auto parsed = parse_json(text_, file_);
    if (!parsed.has_value()) {
      Error& error = parsed.error();
      error.message.resize(std::min(error.message.find("; last read"), error.message.size()));
      error.excerpt.clear();
      excerpts_.fill(error);
    }
    Json root = TRY(std::move(parsed));
    if (!root.is_object()) {
      return fail(ErrorKind::kInvalid, "{} is no JSON object", kAzuremlV1File)
          .with_location({file_, 1, 1}, std::string(excerpts_.line(1)));
    }
    drop_secrets(root, 0);
    TRY(note_unknown(root, kTopKeys));
    TRY(read_names(root));
    TRY(read_variables(root));
    TRY(read_docker(root));
    TRY(read_python(root));
    out_.definition.azureml_v1 = std::move(root);
    return std::move(out_);
  }

 private:
  // JSON values do not know their place, but a key's first occurrence in the text is almost always
  // the right one.
  Location locate(std::string_view key, std::size_t from = 0) const {
    const std::size_t at = text_.find(fmt::format("\"{}\"", key), from);
    if (at == std::string::npos) {
      return {file_, 0, 0};
    }
    const auto begin = text_.begin();
    const auto line = std::count(begin, begin + static_cast<std::ptrdiff_t>(at), '\n');
    const std::size_t start =
        text_.rfind('\n', at) == std::string::npos ? 0 : text_.rfind('\n', at) + 1;
    return {file_, static_cast<int>(line) + 1, static_cast<int>(at - start) + 1};
  }

  Error wrong(std::string_view key, std::string message, std::string hint = "") const {
    const Location at = locate(key);
    return fail(ErrorKind::kInvalid, "'{}': {}", key, message)
        .with_location(at, std::string(excerpts_.line(at.line)))
        .with_hint(std::move(hint));
  }

  void say(void (Diagnostics::*how)(std::string, Location, std::string, std::string),
           std::string rule, std::string_view key, std::string message, std::string hint = "") {
    Diagnostics found;
    (found.*how)(std::move(rule), locate(key), std::move(message), std::move(hint));
    excerpts_.append(found, diagnostics_);
  }

  void drop_secrets(Json& node, int depth) {
    if (node.is_object()) {
      for (auto& [key, value] : node.members()) {
        const bool secret = std::ranges::find(kSecretKeys, key) != kSecretKeys.end();
        if (secret && value.is_string() && depth > 0 && key_holds_secrets_) {
          warn_secret(key);
          value = nullptr;
          continue;
        }
        // environmentVariables' keys are the author's: a variable named "token" is data.
        const bool outer = key_holds_secrets_;
        key_holds_secrets_ = outer && (depth != 0 || key != "environmentVariables");
        drop_secrets(value, depth + 1);
        key_holds_secrets_ = outer;
      }
    } else if (node.is_array()) {
      for (Json& item : node.items()) {
        drop_secrets(item, depth + 1);
      }
    }
  }

  void warn_secret(const std::string& key) {
    if (!std::exchange(warned_of_secret_, true)) {
      const std::size_t docker = text_.find("\"docker\"");  // behind the author's variables
      Diagnostics found;
      found.warn("azureml-v1-password", locate(key, docker == std::string::npos ? 0 : docker),
                 fmt::format("the {} in this file is not kept", key),
                 "take it out of the file, and give it to whoever pulls the image");
      excerpts_.append(found, diagnostics_);
    }
  }

  Status note_unknown(const Json& object, std::span<const std::string_view> names) {
    if (object.members().size() > kMaxKeys) {
      return fail(ErrorKind::kInvalid, "more than {} keys in one section", kMaxKeys)
          .with_location({file_, 0, 0});
    }
    for (const auto& [key, value] : object.members()) {
      if (std::ranges::find(names, key) == names.end()) {
        const std::string_view near = nearest(key, names);
        say(&Diagnostics::warn, "azureml-unknown-key", key,
            fmt::format("unknown key '{}' is kept, but has no effect", printable(key)),
            near.empty() ? std::string() : fmt::format("did you mean {}?", near));
      }
    }
    return {};
  }

  // A string, or nothing where the member is absent or null.
  Result<std::optional<std::string>> text_of(const Json& object, std::string_view key) const {
    const Json& value = object[key];
    if (value.is_null()) {
      return std::optional<std::string>();
    }
    if (value.is_integer() && key == "version") {
      return std::optional(std::to_string(value.as_integer()));
    }
    if (!value.is_string()) {
      return wrong(key, "a text is expected here");
    }
    if (value.as_string().find('\0') != std::string::npos) {
      return wrong(key, "the text holds a NUL character");
    }
    return std::optional(value.as_string());
  }

  // An object, or nullptr where the member is absent or null.
  Result<const Json*> object_of(const Json& object, std::string_view key) const {
    const Json& value = object[key];
    if (value.is_null()) {
      return static_cast<const Json*>(nullptr);
    }
    if (!value.is_object()) {
      return wrong(key, "an object is expected here");
    }
    return &value;
  }

  Status read_names(const Json& root) {
    out_.name = TRY(text_of(root, "name")).value_or("");
    out_.version = TRY(text_of(root, "version")).value_or("");
    if (!out_.name.empty()) {
      TRY(check(check_environment_name(out_.name), "name"));
    }
    return out_.version.empty() ? Status() : check(check_version(out_.version), "version");
  }

  Status check(Status status, std::string_view key) const {
    if (status.has_value()) {
      return status;
    }
    return wrong(key, status.error().message, status.error().hint);
  }

  Status read_variables(const Json& root) {
    const Json* variables = TRY(object_of(root, "environmentVariables"));
    if (variables == nullptr) {
      return {};
    }
    for (const auto& [key, value] : variables->members()) {
      if (!value.is_string() && !value.is_null()) {
        return wrong("environmentVariables", fmt::format("'{}' is no text", printable(key)));
      }
      if (key.empty() || key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
        return wrong("environmentVariables",
                     fmt::format("'{}' is no name of a variable", printable(key)));
      }
      out_.definition.environment_variables[key] = value.is_null() ? "" : value.as_string();
    }
    return {};
  }

  Status read_docker(const Json& root) {
    static const Json kNone = Json::object();
    const Json* given = TRY(object_of(root, "docker"));
    const Json& docker = given != nullptr ? *given : kNone;
    TRY(note_unknown(docker, kDockerKeys));
    TRY(read_platform(docker));
    auto dockerfile = TRY(text_of(docker, "baseDockerfile"));
    if (auto text = TRY(read_beside(kAzuremlV1Dockerfile))) {
      out_.definition.base =
          DockerfileBase{std::move(*text), {join_path(directory_, kAzuremlV1Dockerfile), 1, 1}};
      return {};
    }
    const auto image = TRY(text_of(docker, "baseImage"));
    const Json* context = TRY(object_of(docker, "buildContext"));
    const int given_count = (image ? 1 : 0) + (dockerfile ? 1 : 0) + (context != nullptr ? 1 : 0);
    if (given_count > 1) {
      return wrong(image ? "baseImage" : "baseDockerfile",
                   "exactly one of baseImage, baseDockerfile and buildContext can be given",
                   "set the others to null");
    }
    if (dockerfile) {
      out_.definition.base = DockerfileBase{std::move(*dockerfile), locate("baseDockerfile")};
    } else if (context != nullptr) {
      out_.definition.base = TRY(read_context(*context));
    } else {
      out_.definition.base = TRY(read_image(docker, image));
    }
    return {};
  }

  // A base image in a registry of its own: the address stands apart from the name.
  Result<ImageBase> read_image(const Json& docker, const std::optional<std::string>& image) {
    if (!image) {
      say(&Diagnostics::note, "default-image", "docker",
          fmt::format("no image is given: {} is used", options_.default_image));
      return ImageBase{options_.default_image, {}};
    }
    std::string name = *image;
    if (const Json* registry = TRY(object_of(docker, "baseImageRegistry"))) {
      const std::string address = TRY(text_of(*registry, "address")).value_or("");
      if (!address.empty() && !name.starts_with(address + "/")) {
        name = address + "/" + name;
      }
    }
    auto base = read_image_text(name, locate("baseImage"));
    if (!base.has_value()) {
      return wrong("baseImage", base.error().message, base.error().hint);
    }
    return base;
  }

  Result<BuildContextBase> read_context(const Json& context) const {
    const auto location = TRY(text_of(context, "location"));
    if (!location) {
      return wrong("buildContext", "it has no location");
    }
    auto base = remote_build_context(
        *location, TRY(text_of(context, "dockerfilePath")).value_or("Dockerfile"));
    if (!base.has_value()) {
      Error error = wrong("buildContext", base.error().message, base.error().hint);
      error.kind = base.error().kind;
      return error;
    }
    base->at = locate("buildContext");
    return base;
  }

  Status read_platform(const Json& docker) {
    const Json* platform = TRY(object_of(docker, "platform"));
    if (platform == nullptr) {
      return {};
    }
    const std::string os = to_lower(TRY(text_of(*platform, "os")).value_or("Linux"));
    if (os != "linux" && os != "windows") {
      return wrong("os", fmt::format("unknown operating system '{}'", printable(os)),
                   "Linux or Windows");
    }
    out_.definition.os_type = os == "windows" ? OsType::kWindows : OsType::kLinux;
    return {};
  }

  Status read_python(Json& root) {
    static const Json kNone = Json::object();
    const Json* given = TRY(object_of(root, "python"));
    const Json& python = given != nullptr ? *given : kNone;
    TRY(note_unknown(python, kPythonKeys));
    const Json& user_managed = python["userManagedDependencies"];
    if (!user_managed.is_bool() && !user_managed.is_null()) {
      return wrong("userManagedDependencies", "true or false is expected here");
    }
    const bool managed_by_user = user_managed.is_bool() && user_managed.as_bool();
    auto conda = TRY(managed_by_user ? note_unused(python) : read_conda(python));
    if (conda) {
      out_.definition.conda = std::move(conda->conda);
      out_.definition.pip = std::move(conda->pip);
    }
    for (auto& [key, value] : root.members()) {
      if (key == "python" &&
          value.is_object()) {  // it moves into the file of its own, as the SDK's save does
        std::erase_if(value.members(),
                      [](const auto& member) { return member.first == "condaDependencies"; });
      }
    }
    return {};
  }

  Result<std::optional<CondaYaml>> note_unused(const Json& python) {
    const bool has_file = files_.kind(join_path(directory_, kAzuremlV1CondaFile)).has_value();
    if (has_file || !python["condaDependencies"].is_null()) {
      say(&Diagnostics::note, "azureml-v1-unused-conda", "userManagedDependencies",
          "the conda part is left out: the dependencies are managed by the user");
    }
    return std::optional<CondaYaml>();
  }

  Result<std::optional<CondaYaml>> read_conda(const Json& python) {
    const std::string named = TRY(text_of(python, "condaDependenciesFile")).value_or("");
    std::string name(kAzuremlV1CondaFile);
    auto text = TRY(read_beside(name));
    if (!text && !named.empty()) {
      name = named;
      text = TRY(read_beside(name));
      if (!text) {
        return wrong("condaDependenciesFile", fmt::format("no file {}", printable(named)),
                     "paths are relative to the folder of " + std::string(kAzuremlV1File));
      }
    }
    if (text) {
      return std::optional(TRY(
          parse_conda_yaml(*text, join_path(directory_, name), files_, options_, diagnostics_)));
    }
    const Json* inline_conda = TRY(object_of(python, "condaDependencies"));
    if (inline_conda == nullptr) {
      return std::optional<CondaYaml>();
    }
    // As YAML it is what the SDK would have saved beside.
    const std::string yaml = to_yaml(*inline_conda);
    YamlNode node = TRY(parse_yaml(yaml, file_));
    place(node, locate("condaDependencies"));
    return std::optional(TRY(read_conda_node(node, file_, files_, options_, diagnostics_)));
  }

  static void place(YamlNode& node, const Location& at) {
    node.at = at;
    for (YamlNode& item : node.items) {
      place(item, at);
    }
    for (YamlNode::Member& member : node.members) {
      place(member.key, at);
      place(member.value, at);
    }
  }

  // A file of the directory; nothing when there is none.
  Result<std::optional<std::string>> read_beside(std::string_view name) {
    auto text = files_.read(join_path(directory_, name), kMaxTextBytes);
    if (text.has_value()) {
      return std::optional(std::move(*text));
    }
    if (text.error().kind == ErrorKind::kNotFound) {
      return std::optional<std::string>();
    }
    return std::move(text).error();
  }

  std::string directory_;
  std::string file_;
  const std::string& text_;
  std::string shown_;  // the text as messages may show it
  Excerpts excerpts_;
  FileSource& files_;
  const ReadOptions& options_;
  Diagnostics& diagnostics_;
  Environment out_;
  bool key_holds_secrets_ = true;
  bool warned_of_secret_ = false;
};

}  // namespace

Result<Environment> load_azureml_v1(const std::string& directory, FileSource& files,
                                    const ReadOptions& options, Diagnostics& diagnostics) {
  const std::string text =
      TRY(files.read(join_path(directory, kAzuremlV1File), kMaxAzuremlV1Bytes));
  return Reader(directory, text, files, options, diagnostics).read();
}

}  // namespace cloche::definition
