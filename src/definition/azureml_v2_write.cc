#include <utility>

#include "core/json.h"
#include "core/yaml.h"
#include "definition/azureml_v2.h"
#include "definition/conda_yaml.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kSchema =
    "https://azuremlschemas.azureedge.net/latest/environment.schema.json";

Json to_json(const StringMap& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) {
    out.set(key, value);
  }
  return out;
}

void set_texts(Json& root, std::string_view key, const StringMap& map) {
  if (!map.empty()) {
    root.set(key, to_json(map));
  }
}

void set_text(Json& root, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    root.set(key, text);
  }
}

Json to_json(const InferenceConfig& config) {
  Json out = Json::object();
  const auto add = [&](std::string_view key, const std::optional<InferenceRoute>& route) {
    if (route) {
      out.set(key, Json::object().set("path", route->path).set("port", route->port));
    }
  };
  add("liveness_route", config.liveness);
  add("readiness_route", config.readiness);
  add("scoring_route", config.scoring);
  return out;
}

class Writer {
 public:
  Writer(const Environment& environment, const std::string& main_name)
      : environment_(environment), main_name_(main_name) {}

  WrittenFiles write() {
    const Definition& definition = environment_.definition;
    root_.set("$schema", kSchema);
    set_text(root_, "name", environment_.name);
    set_text(root_, "version", environment_.version);
    set_text(root_, "description", environment_.description);
    set_texts(root_, "tags", environment_.tags);
    set_texts(root_, "properties", environment_.properties);
    std::visit([this](const auto& base) { write_base(base); }, definition.base);
    write_packages(definition);
    set_texts(root_, "environment_variables", definition.environment_variables);
    if (definition.inference) {
      root_.set("inference_config", to_json(*definition.inference));
    }
    root_.set("os_type", definition.os_type == OsType::kWindows ? "windows" : "linux");
    out_[main_name_] = to_yaml(root_);
    return std::move(out_);
  }

 private:
  void write_base(const ImageBase& image) { root_.set("image", image.reference); }

  void write_base(const DockerfileBase& file) {
    out_[std::string(kWrittenContext) + "/Dockerfile"] = file.text;
    root_.set("build", Json::object().set("path", kWrittenContext));
  }

  void write_base(const BuildContextBase& context) {
    Json build = Json::object();
    build.set("path", context.uri.empty() ? std::string(kWrittenContext) : context.uri);
    if (context.dockerfile_path != "Dockerfile") {
      build.set("dockerfile_path", context.dockerfile_path);
    }
    root_.set("build", std::move(build));
  }

  // With a conda part, pip's lines go into its pip section: there they stand first when read.
  void write_packages(const Definition& definition) {
    if (definition.conda) {
      add_file("conda_file", "conda.yml", write_conda_yaml(*definition.conda, definition.pip));
    } else if (definition.pip) {
      add_file("pip_file", "requirements.txt", write_requirements_txt(*definition.pip));
    }
    if (definition.pip) {
      out_.merge(write_constraint_files(*definition.pip));
    }
    if (definition.apt) {
      Json packages = Json::array();
      for (const Line& package : definition.apt->packages) {
        packages.push(package.text);
      }
      root_.set("apt", std::move(packages));
    }
  }

  void add_file(std::string_view key, std::string name, std::string content) {
    if (name == main_name_) {
      name = "packages-" + name;
    }
    root_.set(key, name);
    out_[std::move(name)] = std::move(content);
  }

  const Environment& environment_;
  const std::string& main_name_;
  Json root_ = Json::object();
  WrittenFiles out_;
};

}  // namespace

WrittenFiles write_azureml_v2(const Environment& environment, const std::string& main_name) {
  return Writer(environment, main_name).write();
}

}  // namespace cloche::definition
