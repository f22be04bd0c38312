// What happened while packages were put together, as records.
#pragma once

#include <vector>

#include "core/json.h"
#include "source/conda/prefix_install.h"

namespace cloche::cli {

// [{"path", "winner", "losers": [...]}]: paths that several packages brought.
Json clobber_records(const std::vector<source::Clobber>& clobbers);

// [{"package", "action", "path"}]: scripts of packages, which were not run.
Json script_records(const std::vector<source::LinkScript>& scripts);

}  // namespace cloche::cli
