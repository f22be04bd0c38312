#include "core/json.h"
#include "core/yaml.h"
#include "definition/conda_yaml.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

Json channels(const CondaSection& conda) {
  Json list = Json::array();
  for (const Line& channel : conda.channels) {
    list.push(channel.text);
  }
  if (conda.nodefaults) {
    list.push("nodefaults");
  }
  return list;
}

Json dependencies(const CondaSection& conda, const std::optional<PipSection>& pip) {
  Json list = Json::array();
  for (const CondaDependency& dependency : conda.dependencies) {
    if (dependency.selector.empty()) {
      list.push(dependency.text);
    } else {
      list.push(Json::object().set("sel(" + dependency.selector + ")", dependency.text));
    }
  }
  if (pip && !pip->lines.empty()) {
    Json lines = Json::array();
    for (const std::string& line : write_pip_items(*pip)) {
      lines.push(line);
    }
    list.push(Json::object().set("pip", std::move(lines)));
  }
  return list;
}

}  // namespace

std::string write_conda_yaml(const CondaSection& conda, const std::optional<PipSection>& pip) {
  Json root = Json::object();
  if (!conda.name.empty()) {
    root.set("name", conda.name);
  }
  if (!conda.channels.empty()) {
    root.set("channels", channels(conda));
  }
  root.set("dependencies", dependencies(conda, pip));
  if (!conda.platforms.empty()) {
    Json list = Json::array();
    for (const std::string& platform : conda.platforms) {
      list.push(platform);
    }
    root.set("platforms", std::move(list));
  }
  if (!conda.variables.empty()) {
    Json variables = Json::object();
    for (const auto& [name, value] : conda.variables) {
      variables.set(name, value);
    }
    root.set("variables", std::move(variables));
  }
  return to_yaml(root);
}

}  // namespace cloche::definition
