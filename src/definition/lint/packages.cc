#include "definition/lint/packages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

std::string_view without_options(std::string_view text) { return text.substr(0, text.find(" --")); }

}  // namespace

std::vector<NamedSpec> conda_specs(const PackagesView& view) {
  std::vector<NamedSpec> out;
  if (view.conda != nullptr) {
    for (const CondaDependency& dependency : view.conda->dependencies) {
      if (auto spec = conda::parse_match_spec(dependency.text); spec.has_value()) {
        out.push_back({&dependency, std::move(*spec)});
      }
    }
  }
  return out;
}

std::vector<NamedRequirement> pip_requirements(const PackagesView& view) {
  std::vector<NamedRequirement> out;
  if (view.pip == nullptr) {
    return out;
  }
  for (const PipLine& line : view.pip->lines) {
    if (line.kind != PipLine::Kind::kRequirement) {
      continue;
    }
    std::string_view text = line.text;
    if (text.starts_with("--editable=")) {
      text.remove_prefix(std::string_view("--editable=").size());
    }
    if (auto requirement = pypi::parse_requirement(without_options(text));
        requirement.has_value()) {
      std::string name = requirement->name.empty() ? "" : pypi::normal_name(requirement->name);
      out.push_back({&line, std::move(*requirement), std::move(name)});
    }
  }
  return out;
}

std::vector<NamedOption> pip_options(const PackagesView& view) {
  std::vector<NamedOption> out;
  if (view.pip != nullptr) {
    for (const PipLine& line : view.pip->lines) {
      const std::size_t equals = line.text.find('=');
      if (line.kind == PipLine::Kind::kOption && equals != std::string::npos) {
        out.push_back({&line, line.text.substr(0, equals), line.text.substr(equals + 1)});
      }
    }
  }
  return out;
}

std::string minor_version(std::string_view version) {
  while (version.starts_with('=')) {
    version.remove_prefix(1);
  }
  std::size_t major = 0;
  while (major < version.size() && is_digit(version[major])) {
    ++major;
  }
  std::size_t end = major + 1;
  while (end < version.size() && is_digit(version[end])) {
    ++end;
  }
  const std::string_view rest = version.substr(std::min(end, version.size()));
  const bool one_version = rest.find_first_of(",|<>!~") == std::string_view::npos;
  return major > 0 && end > major + 1 && version[major] == '.' && one_version
             ? std::string(version.substr(0, end))
             : "";
}

bool is_torch(std::string_view normal_name) {
  static constexpr std::array<std::string_view, 5> kNames = {"torch", "torchvision", "torchaudio",
                                                             "torchtext", "torchdata"};
  return std::ranges::find(kNames, normal_name) != kNames.end();
}

std::vector<CudaPackage> cuda_packages(const PackagesView& view) {
  std::vector<CudaPackage> out;
  for (const NamedSpec& spec : conda_specs(view)) {
    const bool named = spec.spec.name == "cudatoolkit" || spec.spec.name == "pytorch-cuda" ||
                       spec.spec.name == "cuda-version";
    const std::string_view version = spec.spec.version;
    if (named && version.find_first_of("<>|,!") == std::string_view::npos) {
      if (const auto cuda = parse_cuda_version(version)) {
        out.push_back({*cuda, spec.dependency->at, spec.dependency->text});
      }
    }
  }
  for (const NamedRequirement& one : pip_requirements(view)) {
    const std::size_t plus = one.requirement.specifier.find('+');
    if (is_torch(one.name) && plus != std::string::npos) {
      if (const auto cuda = cuda_of_wheel(one.requirement.specifier.substr(plus))) {
        out.push_back({*cuda, one.line->at, one.name + one.requirement.specifier});
      }
    }
  }
  return out;
}

}  // namespace cloche::definition
