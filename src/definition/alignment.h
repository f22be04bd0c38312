// How one list became another: what both explanations and differences of packages are made of.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "definition/diff.h"

namespace cloche::definition {

// One step from the old list to the new one. kAdded has no `before`, kRemoved no `after`; both are
// indices. kMoved: the same key, but it changed places with its neighbours.
struct Edit {
  std::optional<ChangeKind> kind;  // nothing: the key stayed where it was
  std::optional<std::size_t> before;
  std::optional<std::size_t> after;
};

// Equal keys are matched in order (the second "numpy" with the second). Of the matches, the longest
// run that kept its order stayed; the others moved. In the new list's order, with what was removed
// standing where it stood. Time n log n.
std::vector<Edit> align(const std::vector<std::string>& before,
                        const std::vector<std::string>& after);

// The same with each removed key and an added one in its place joined to one kChanged.
std::vector<Edit> join_changed(const std::vector<Edit>& edits);

}  // namespace cloche::definition
