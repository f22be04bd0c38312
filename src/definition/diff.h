// What changed between two environments, package by package.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "definition/environment.h"

namespace cloche::definition {

enum class ChangeKind { kAdded, kRemoved, kChanged, kMoved };

std::string_view to_string(ChangeKind kind);  // "added", ...

struct Change {
  std::string section;  // "image", "dockerfile", "context", "channels", "conda", "pip", "apt",
                        // "variables", "inference", ...
  ChangeKind kind = ChangeKind::kChanged;
  std::string name;    // "numpy", a file's path, a variable's name
  std::string before;  // "numpy=1.26"; "" when added
  std::string after;   // "" when removed
};

// In the order of the sections above, packages by name. Empty: the definitions are the same in all
// that a version keeps.
std::vector<Change> diff(const Definition& before, const Definition& after);

}  // namespace cloche::definition
