#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/json.h"
#include "definition/azureml_v1.h"
#include "definition/conda_yaml.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

// What the SDK writes for a new Environment, in its order (azureml-core, environment.py,
// _field_to_info_dict of each section).
Json new_python() {
  return Json::object()
      .set("userManagedDependencies", false)
      .set("interpreterPath", "python")
      .set("condaDependenciesFile", nullptr)
      .set("baseCondaEnvironment", nullptr);
}

Json new_docker() {
  Json registry = Json::object()
                      .set("address", nullptr)
                      .set("username", nullptr)
                      .set("password", nullptr)
                      .set("registryIdentity", nullptr);
  return Json::object()
      .set("enabled", false)
      .set("baseImage", nullptr)
      .set("baseDockerfile", nullptr)
      .set("sharedVolumes", true)
      .set("shmSize", "2g")
      .set("arguments", Json::array())
      .set("baseImageRegistry", std::move(registry))
      .set("platform", Json::object().set("os", "Linux").set("architecture", "amd64"));
}

Json new_document() {
  Json databricks = Json::object();
  for (const char* key :
       {"mavenLibraries", "pypiLibraries", "rcranLibraries", "jarLibraries", "eggLibraries"}) {
    databricks.set(key, Json::array());
  }
  return Json::object()
      .set("name", nullptr)
      .set("version", nullptr)
      .set("environmentVariables", Json::object())
      .set("python", new_python())
      .set("docker", new_docker())
      .set("spark", Json::object()
                        .set("repositories", Json::array())
                        .set("packages", Json::array())
                        .set("precachePackages", true))
      .set("databricks", std::move(databricks))
      .set("r", nullptr)
      .set("inferencingStackVersion", nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// The member, made an object first where it is none.
Json& section(Json& root, std::string_view key, const Json& fresh) {
  if (!root[key].is_object()) {
    root.set(key, fresh);
  }
  return std::ranges::find(root.members(), key, &Json::Member::first)->second;
}

void erase(Json& object, std::string_view key) {
  std::erase_if(object.members(), [&](const auto& member) { return member.first == key; });
}

// Keeps the order of the variables that were there.
Json variables_in_order(const Json& before, const StringMap& variables) {
  Json out = Json::object();
  if (before.is_object()) {
    for (const auto& [key, value] : before.members()) {
      if (const auto found = variables.find(key); found != variables.end()) {
        out.set(key, found->second);
      }
    }
  }
  for (const auto& [key, value] : variables) {
    out.set(key, value);
  }
  return out;
}

// The image as the file has it, its registry's address apart; the kept parts are right as long as
// they still say this image.
void write_image(Json& docker, const std::string& reference) {
  const std::string name = docker.string_or_empty("baseImage");
  const std::string address = docker["baseImageRegistry"].string_or_empty("address");
  const std::string full =
      address.empty() || name.starts_with(address + "/") ? name : address + "/" + name;
  if (full != reference) {
    docker.set("baseImage", reference);
    if (!address.empty()) {
      section(docker, "baseImageRegistry", Json::object()).set("address", nullptr);
    }
  }
}

void write_os(Json& docker, OsType os_type) {
  const bool windows = os_type == OsType::kWindows;
  const bool has_platform = docker["platform"].is_object();
  if (windows || has_platform) {
    section(docker, "platform", Json::object()).set("os", windows ? "Windows" : "Linux");
  }
}

Status check_sayable(const Definition& definition) {
  const auto refuse = [](std::string_view what) {
    return fail(ErrorKind::kUnsupported, "Azure ML v1 has no place for {}", what)
        .with_hint("export it as azureml-v2, or as a Dockerfile");
  };
  if (definition.apt) {
    return refuse("Debian packages");
  }
  if (definition.inference) {
    return refuse("an inference configuration");
  }
  const auto* context = std::get_if<BuildContextBase>(&definition.base);
  const Json& kept = definition.azureml_v1["docker"]["buildContext"];
  if (context != nullptr &&
      (context->uri.empty() || kept.string_or_empty("location") != context->uri)) {
    return refuse("a build context");
  }
  return {};
}

void write_base(const Definition& definition, Json& docker, WrittenFiles& out) {
  if (const auto* image = std::get_if<ImageBase>(&definition.base)) {
    write_image(docker, image->reference);
  } else if (const auto* dockerfile = std::get_if<DockerfileBase>(&definition.base)) {
    docker.set("baseImage", nullptr);
    erase(docker, "baseDockerfile");
    out[std::string(kAzuremlV1Dockerfile)] = dockerfile->text;
  }
}

}  // namespace

CondaSection conda_around_pip() {
  CondaSection conda;
  conda.channels = {{"conda-forge", {}}};
  conda.dependencies = {{"python", "", {}}, {"pip", "", {}}};
  return conda;
}

Result<WrittenFiles> write_azureml_v1(const Environment& environment) {
  const Definition& definition = environment.definition;
  TRY(check_sayable(definition));
  WrittenFiles out;
  Json root = definition.azureml_v1.is_object() ? definition.azureml_v1 : new_document();
  root.set("name", text_or_null(environment.name));
  root.set("version", text_or_null(environment.version));
  root.set("environmentVariables",
           variables_in_order(root["environmentVariables"], definition.environment_variables));
  const bool managed_here = definition.conda || definition.pip;
  Json& python = section(root, "python", new_python());
  python.set("userManagedDependencies", !managed_here);
  python.set("condaDependenciesFile", nullptr);
  Json& docker = section(root, "docker", new_docker());
  write_base(definition, docker, out);
  write_os(docker, definition.os_type);
  if (managed_here) {
    out[std::string(kAzuremlV1CondaFile)] =
        write_conda_yaml(definition.conda ? *definition.conda : conda_around_pip(), definition.pip);
  }
  if (definition.pip) {
    out.merge(write_constraint_files(*definition.pip));
  }
  out[std::string(kAzuremlV1File)] = root.dump(4);
  return out;
}

}  // namespace cloche::definition
