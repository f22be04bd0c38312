#include "definition/validate.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/asset_reference.h"
#include "package/conda/match_spec.h"
#include "package/oci/reference.h"
#include "package/pypi/requirement.h"

namespace cloche::definition {
namespace {

// Azure refuses larger ones: how-to-troubleshoot-environments, "Dockerfile length over limit".
constexpr std::size_t kAzureDockerfileBytes = 100'000;

void report(const Status& status, std::string rule, Diagnostics& diagnostics) {
  if (!status.has_value()) {
    const Error& error = status.error();
    diagnostics.error(std::move(rule), error.at, error.message, error.hint);
  }
}

void check_names(const Environment& environment, Diagnostics& diagnostics) {
  if (!environment.name.empty()) {
    report(check_environment_name(environment.name), "invalid-name", diagnostics);
    if (has_reserved_prefix(environment.name)) {
      report(check_custom_name(environment.name), "reserved-name", diagnostics);
    }
  }
  if (!environment.version.empty()) {
    report(check_version(environment.version), "invalid-version", diagnostics);
  }
}

void check_image(const ImageBase& image, Diagnostics& diagnostics) {
  const auto reference = oci::parse_reference(image.reference);
  if (!reference.has_value()) {
    diagnostics.error("invalid-image", image.at, reference.error().message, reference.error().hint);
  } else if (reference->tag.empty() && reference->digest.empty()) {
    diagnostics.warn(
        "image-without-tag", image.at,
        fmt::format("the base image {} has no tag and no digest", image.reference),
        "without one, 'latest' is taken, which changes over time: add the tag that you tested");
  }
}

void check_base(const Definition& definition, Diagnostics& diagnostics) {
  if (const auto* image = std::get_if<ImageBase>(&definition.base)) {
    check_image(*image, diagnostics);
    return;
  }
  const auto* alone = std::get_if<DockerfileBase>(&definition.base);
  const Location at = alone != nullptr ? alone->at : std::get<BuildContextBase>(definition.base).at;
  const std::string* text = dockerfile_text(definition);
  if (text != nullptr && text->size() > kAzureDockerfileBytes) {
    diagnostics.warn("dockerfile-too-large", at,
                     fmt::format("the Dockerfile has {} bytes; Azure takes at most {}",
                                 text->size(), kAzureDockerfileBytes),
                     "move scripts into files of the build context");
  }
  if (!definition.user_managed()) {
    diagnostics.error("not-combinable", at,
                      "packages cannot be added on top of a Dockerfile or a build context",
                      "install them in the Dockerfile, or give an image instead");
  }
}

void warn_unpinned(std::string_view name, std::string_view text, std::string_view pin,
                   const Location& at, Diagnostics& diagnostics) {
  diagnostics.warn("unpinned-package", at,
                   fmt::format("the version of {} is open: '{}'", name, printable(text)),
                   fmt::format("pin it, {}{}VERSION, with the version that you tested", name, pin));
}

struct NamedDependency {
  const CondaDependency* dependency;
  conda::MatchSpec spec;
};

std::vector<NamedDependency> parse_dependencies(const CondaSection& section) {
  std::vector<NamedDependency> out;
  for (const CondaDependency& dependency : section.dependencies) {
    auto spec = conda::parse_match_spec(dependency.text);
    if (spec.has_value()) {  // the conda reader refused or reported the others
      out.push_back({&dependency, std::move(*spec)});
    }
  }
  return out;
}

// Two pythons for different platforms are one python each.
void check_pythons(const CondaSection& section, const std::vector<NamedDependency>& dependencies,
                   Diagnostics& diagnostics) {
  std::set<std::string> selectors;
  bool any = false;
  for (const auto& [dependency, spec] : dependencies) {
    if (spec.name != "python") {
      continue;
    }
    const bool again = !selectors.insert(dependency->selector).second;
    if (again || (any && (dependency->selector.empty() || selectors.contains("")))) {
      diagnostics.warn("several-pythons", dependency->at,
                       fmt::format("python stands here again: '{}'", dependency->text),
                       "keep one python");
    }
    any = true;
  }
  if (!any) {
    const Location at = section.dependencies.empty() ? Location() : section.dependencies.front().at;
    diagnostics.warn("no-python", {at.file, 0, 0}, "the conda part names no python",
                     "add python=3.11, or another minor version: else the newest one is taken");
  }
}

void check_pip(const std::vector<NamedDependency>& dependencies, const PipSection& pip,
               Diagnostics& diagnostics) {
  const Location at = pip.lines.empty() ? Location() : pip.lines.front().at;
  for (const auto& [dependency, spec] : dependencies) {
    if (spec.name != "pip") {
      continue;
    }
    if (!spec.pinned() && spec.url.empty()) {
      diagnostics.warn("pip-unpinned", dependency->at, "the version of pip is open",
                       "pin it, pip=VERSION: its solver changes from version to version");
    }
    return;
  }
  diagnostics.warn("pip-not-listed", at, "there are pip packages, but conda does not install pip",
                   "add pip=VERSION to the dependencies, above 'pip:'");
}

void check_conda(const CondaSection& section, const Definition& definition,
                 Diagnostics& diagnostics) {
  if (section.channels.empty()) {
    diagnostics.warn("no-channels", {}, "the conda part names no channels",
                     "add 'channels:' with conda-forge, or what you use");
  }
  const std::vector<NamedDependency> dependencies = parse_dependencies(section);
  check_pythons(section, dependencies, diagnostics);
  if (definition.pip) {
    check_pip(dependencies, *definition.pip, diagnostics);
  }
  for (const auto& [dependency, spec] : dependencies) {
    const bool pip_has_its_own_rule = spec.name == "pip" && definition.pip.has_value();
    if (!spec.pinned() && spec.url.empty() && !pip_has_its_own_rule) {
      warn_unpinned(spec.name, dependency->text, "=", dependency->at, diagnostics);
    }
  }
}

// A pip line without its per-requirement options ("--hash=...").
std::string_view requirement_part(std::string_view text) {
  return text.substr(0, text.find(" --"));
}

void check_requirements(const PipSection& pip, Diagnostics& diagnostics) {
  std::set<std::string> constrained;
  for (const PipLine& line : pip.lines) {
    if (line.kind == PipLine::Kind::kConstraint) {
      const auto requirement = pypi::parse_requirement(requirement_part(line.text));
      if (requirement.has_value() && requirement->pinned()) {
        constrained.insert(pypi::normal_name(requirement->name));
      }
    }
  }
  for (const PipLine& line : pip.lines) {
    if (line.kind != PipLine::Kind::kRequirement || line.text.starts_with("--")) {
      continue;
    }
    const auto requirement = pypi::parse_requirement(requirement_part(line.text));
    if (requirement.has_value() && !requirement->pinned() &&
        !constrained.contains(pypi::normal_name(requirement->name))) {
      warn_unpinned(requirement->name, line.text, "==", line.at, diagnostics);
    }
  }
}

}  // namespace

void validate(const Environment& environment, Diagnostics& diagnostics) {
  check_names(environment, diagnostics);
  check_base(environment.definition, diagnostics);
  if (environment.definition.conda) {
    check_conda(*environment.definition.conda, environment.definition, diagnostics);
  }
  if (environment.definition.pip) {
    check_requirements(*environment.definition.pip, diagnostics);
  }
}

}  // namespace cloche::definition
