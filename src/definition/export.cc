#include "definition/export.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/credentials.h"
#include "definition/azureml_v1.h"
#include "definition/conda_yaml.h"
#include "definition/dockerfile_export.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

// ---- what a format has no place for

// Where the environment has it; nothing when it has none.
using Find = std::optional<Location> (*)(const Environment&);

std::optional<Location> find_image(const Environment& environment) {
  const auto* image = std::get_if<ImageBase>(&environment.definition.base);
  return image != nullptr ? std::optional(image->at) : std::nullopt;
}

std::optional<Location> find_dockerfile(const Environment& environment) {
  if (const auto* file = std::get_if<DockerfileBase>(&environment.definition.base)) {
    return file->at;
  }
  const auto* context = std::get_if<BuildContextBase>(&environment.definition.base);
  return context != nullptr ? std::optional(context->at) : std::nullopt;
}

std::optional<Location> find_conda(const Environment& environment) {
  const auto& conda = environment.definition.conda;
  if (!conda) {
    return std::nullopt;
  }
  return conda->dependencies.empty() ? Location{} : conda->dependencies.front().at;
}

std::optional<Location> find_apt(const Environment& environment) {
  const auto& apt = environment.definition.apt;
  return apt && !apt->packages.empty() ? std::optional(apt->packages.front().at) : std::nullopt;
}

std::optional<Location> when(bool present) {
  return present ? std::optional(Location{}) : std::nullopt;
}

std::optional<Location> find_variables(const Environment& environment) {
  return when(!environment.definition.environment_variables.empty());
}

std::optional<Location> find_inference(const Environment& environment) {
  return when(environment.definition.inference.has_value());
}

std::optional<Location> find_windows(const Environment& environment) {
  return when(environment.definition.os_type == OsType::kWindows);
}

std::optional<Location> find_labels(const Environment& environment) {
  return when(!environment.description.empty() || !environment.tags.empty() ||
              !environment.properties.empty());
}

std::optional<Location> find_version(const Environment& environment) {
  return when(!environment.version.empty());
}

std::optional<Location> find_v1_rest(const Environment& environment) {
  return when(!environment.definition.azureml_v1.is_null());
}

constexpr unsigned bit(Format format) { return 1U << static_cast<unsigned>(format); }
constexpr unsigned kConda = bit(Format::kCondaYaml);
constexpr unsigned kPip = bit(Format::kRequirementsTxt);
constexpr unsigned kV2 = bit(Format::kAzuremlV2);
constexpr unsigned kV1 = bit(Format::kAzuremlV1);
constexpr unsigned kDocker = bit(Format::kDockerfile) | bit(Format::kBuildContext);

struct Loss {
  std::string_view rule;
  Severity severity;
  unsigned formats;  // that cannot say it
  Find find;
  std::string_view what;
  std::string_view hint;
};

constexpr auto kWarning = Severity::kWarning;
constexpr auto kNote = Severity::kNote;

constexpr std::array<Loss, 10> kLosses = {{
    {"export-loses-image", kWarning, kConda | kPip, find_image, "the base image",
     "give it with --image when the file is used again"},
    {"export-loses-dockerfile", kWarning, kConda | kPip, find_dockerfile, "the Dockerfile",
     "export it as a Dockerfile"},
    {"export-loses-conda", kWarning, kPip, find_conda, "the conda packages", "export it as conda"},
    {"export-loses-apt", kWarning, kConda | kPip, find_apt, "the Debian packages",
     "export it as azureml-v2 or as a Dockerfile"},
    {"export-loses-variables", kWarning, kConda | kPip, find_variables, "the environment variables",
     "export it as azureml-v2 or as a Dockerfile"},
    {"export-loses-inference", kWarning, kConda | kPip | kDocker, find_inference,
     "the inference configuration", "export it as azureml-v2"},
    {"export-loses-os-type", kWarning, kConda | kPip | kDocker, find_windows,
     "the operating system (windows)", "export it as azureml-v2"},
    {"export-loses-labels", kNote, kConda | kPip | kV1 | kDocker, find_labels,
     "the description, tags and properties", "export it as azureml-v2"},
    {"export-loses-version", kNote, kConda | kPip | kDocker, find_version, "the version", ""},
    {"export-loses-azureml-v1", kNote, kConda | kPip | kV2 | kDocker, find_v1_rest,
     "what only an Azure ML v1 file says", "export it as azureml-v1"},
}};

void note_losses(const Environment& environment, Format format, Diagnostics& diagnostics) {
  for (const Loss& loss : kLosses) {
    if ((loss.formats & bit(format)) == 0) {
      continue;
    }
    if (const auto at = loss.find(environment)) {
      diagnostics.add(
          {loss.severity, std::string(loss.rule),
           fmt::format("{} cannot be said in the format {}", loss.what, to_string(format)),
           std::string(loss.hint), *at, ""});
    }
  }
}

// "./wheels/a.whl", "--editable=../src": files of the author's machine.
void note_local_paths(const Environment& environment, Diagnostics& diagnostics) {
  if (!environment.definition.pip) {
    return;
  }
  for (const PipLine& line : environment.definition.pip->lines) {
    std::string_view target = line.text;
    for (const std::string_view prefix : {"--editable=", "--find-links="}) {
      target.remove_prefix(target.starts_with(prefix) ? prefix.size() : 0);
    }
    if (target.starts_with('.') || target.starts_with('/') || target.starts_with("file:")) {
      diagnostics.warn(
          "export-loses-files", line.at,
          fmt::format("{} names a file that is not exported", hide_passwords(line.text)),
          "put it beside the exported files, at the same relative path");
    }
  }
}

// ---- the formats

Error refuse(Format format, std::string_view why, std::string_view hint) {
  return fail(ErrorKind::kUnsupported, "{} as {}", why, to_string(format))
      .with_hint(std::string(hint));
}

// With the -c files that pip's lines name beside it.
WrittenFiles with_constraints(std::string name, std::string text,
                              const std::optional<PipSection>& pip) {
  WrittenFiles out = pip ? write_constraint_files(*pip) : WrittenFiles();
  out[std::move(name)] = std::move(text);
  return out;
}

Result<WrittenFiles> to_conda(const Environment& environment, Diagnostics& diagnostics) {
  const Definition& definition = environment.definition;
  if (!definition.conda && !definition.pip) {
    return refuse(Format::kCondaYaml, "there is no package to write",
                  "an image or a Dockerfile alone can be exported as azureml-v2");
  }
  CondaSection conda = definition.conda ? *definition.conda : conda_around_pip();
  if (!definition.conda) {
    diagnostics.warn("export-adds-conda", {},
                     "pip's lines get a conda environment with python and pip around them",
                     "export it as requirements to keep to pip");
  }
  if (conda.name.empty()) {
    conda.name = environment.name;  // `conda env create` wants one
  }
  return with_constraints("environment.yml", write_conda_yaml(conda, definition.pip),
                          definition.pip);
}

Result<WrittenFiles> to_requirements(const Environment& environment, Diagnostics& /*diagnostics*/) {
  if (!environment.definition.pip) {
    return refuse(Format::kRequirementsTxt, "there is no pip package to write",
                  "export it as conda, azureml-v2 or a Dockerfile");
  }
  const PipSection& pip = *environment.definition.pip;
  return with_constraints("requirements.txt", write_requirements_txt(pip), pip);
}

Result<WrittenFiles> to_v2(const Environment& environment, Diagnostics& /*diagnostics*/) {
  const Definition& definition = environment.definition;
  if (!std::holds_alternative<ImageBase>(definition.base) && !definition.user_managed()) {
    return refuse(Format::kAzuremlV2, "packages on top of a Dockerfile cannot be written",
                  "export it as azureml-v1 or as a Dockerfile");
  }
  return write_azureml_v2(environment, "environment.yml");
}

Result<WrittenFiles> to_v1(const Environment& environment, Diagnostics& /*diagnostics*/) {
  return write_azureml_v1(environment);
}

// A context is its own export: its files, the Dockerfile among them, are the workspace's to put
// there.
Result<WrittenFiles> to_dockerfile(const Environment& environment, Diagnostics& /*diagnostics*/) {
  if (context_folder(environment, Format::kDockerfile) && environment.definition.user_managed()) {
    const auto& context = std::get<BuildContextBase>(environment.definition.base);
    return WrittenFiles{{context.dockerfile_path, context.dockerfile}};
  }
  return write_dockerfile(environment);
}

Result<WrittenFiles> to_image(const Environment& /*environment*/, Diagnostics& /*diagnostics*/) {
  return refuse(Format::kImage, "no file can be written", "a reference to an image is no file");
}

using Writer = Result<WrittenFiles> (*)(const Environment&, Diagnostics&);

// Indexed by Format.
constexpr std::array<Writer, 7> kWriters = {to_conda,      to_requirements, to_v2,   to_v1,
                                            to_dockerfile, to_dockerfile,   to_image};

}  // namespace

Result<WrittenFiles> export_environment(const Environment& environment, Format format,
                                        Diagnostics& diagnostics) {
  WrittenFiles files = TRY(kWriters.at(static_cast<std::size_t>(format))(environment, diagnostics));
  note_losses(environment, format, diagnostics);
  note_local_paths(environment, diagnostics);
  return files;
}

std::optional<std::string> context_folder(const Environment& environment, Format format) {
  const auto* context = std::get_if<BuildContextBase>(&environment.definition.base);
  if (context == nullptr || !context->uri.empty()) {
    return std::nullopt;
  }
  if (format == Format::kAzuremlV2) {
    return std::string(kWrittenContext);
  }
  return (bit(format) & kDocker) != 0 ? std::optional<std::string>(".") : std::nullopt;
}

}  // namespace cloche::definition
