// Conda and pip packages of one definition, read for rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "definition/environment.h"
#include "definition/lint/cuda.h"
#include "definition/lint/rules.h"
#include "package/conda/match_spec.h"
#include "package/pypi/requirement.h"

namespace cloche::definition {

struct NamedSpec {
  const CondaDependency* dependency = nullptr;
  conda::MatchSpec spec;
};
std::vector<NamedSpec> conda_specs(const PackagesView& view);

struct NamedRequirement {
  const PipLine* line = nullptr;
  pypi::Requirement requirement;
  std::string name;  // normal form; "" for a bare URL or path
};
// Requirements, editable ones included; constraints and options are not among them.
std::vector<NamedRequirement> pip_requirements(const PackagesView& view);

// The values of options like "--index-url=URL" among the lines.
struct NamedOption {
  const PipLine* line = nullptr;
  std::string name;  // "--index-url"
  std::string value;
};
std::vector<NamedOption> pip_options(const PackagesView& view);

// "3.8" of "3.8", "=3.8.5", "==3.8.*"; "" of ranges and of a bare "3".
std::string minor_version(std::string_view version);

// PyTorch and what is built against one build of it.
bool is_torch(std::string_view normal_name);

struct CudaPackage {
  CudaVersion version;
  Location at;
  std::string text;
};
// What fixes a CUDA version: torch==2.1.0+cu121, cudatoolkit=11.3, pytorch-cuda=11.8.
std::vector<CudaPackage> cuda_packages(const PackagesView& view);

}  // namespace cloche::definition
