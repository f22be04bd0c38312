#include "build/build_request.h"

#include <algorithm>
#include <set>

#include <sys/utsname.h>

#include "image/platform.h"

namespace cloche::build {
namespace {

bool is_noarch_python(const lock::CondaPackage& one) {
  return one.record.noarch == conda::Noarch::kPython;
}

}  // namespace

std::map<std::string, std::string> variables_of(const definition::Definition& definition) {
  std::map<std::string, std::string> out = definition.environment_variables;
  if (definition.conda) {
    out.insert(definition.conda->variables.begin(), definition.conda->variables.end());
  }
  return out;
}

bool runs_here(const std::string& platform) {
  struct utsname system{};
  ::uname(&system);
  const auto here = image::parse_platform(std::string("linux/") + system.machine);
  const auto wanted = image::parse_platform(platform);
  return here && wanted && image::suits(*wanted, *here) > 0;
}

std::vector<std::string> needs_of(const lock::Lock& lock) {
  std::set<std::string> out;
  for (const lock::CondaPackage& one : lock.conda.packages) {
    for (const std::string& spec : one.record.depends) {
      if (spec.starts_with("__")) {
        out.insert(spec);
      }
    }
  }
  return {out.begin(), out.end()};
}

bool compiles_bytecode(const BuildRequest& request) {
  const std::vector<lock::CondaPackage>& packages = request.lock.conda.packages;
  return request.bytecode && !request.base.manifest.layers.empty() &&
         std::ranges::any_of(packages, is_noarch_python) &&
         std::ranges::any_of(packages,
                             [](const auto& one) { return one.record.name == "python"; }) &&
         runs_here(request.lock.platform);
}

}  // namespace cloche::build
