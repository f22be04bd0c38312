#include "resolve/provider.h"

#include <fmt/format.h>

namespace cloche::resolve {

std::string Provider::to_string(std::span<const SolvableId> solvables) {
  if (solvables.size() == 1) {
    return to_string(solvables.front());
  }
  if (solvables.size() == 2) {
    return fmt::format("{} and {}", to_string(solvables.front()), to_string(solvables.back()));
  }
  return fmt::format("{} to {} ({} candidates)", to_string(solvables.back()),
                     to_string(solvables.front()), solvables.size());
}

}  // namespace cloche::resolve
