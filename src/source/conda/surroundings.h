// What a process finds around itself, as values: nothing here asks the process, so tests stay
// hermetic and the caller decides what counts.
#pragma once

#include <map>
#include <string>

namespace cloche::source {

struct Surroundings {
  std::map<std::string, std::string> environment;
  std::string home;       // "" when there is none
  std::string directory;  // what relative paths of channels start from; absolute

  std::string variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
  }
};

}  // namespace cloche::source
