// The fewest requirements that already collide. For the explanations of this folder.
#pragma once

#include <cstddef>
#include <vector>

#include "core/result.h"
#include "resolve/prober.h"

namespace cloche::resolve {

struct MinimalConflict {
  std::vector<std::size_t> requirements;  // indices into the request, ascending
  Unsolvable proof;                       // of these alone
};

// `among` are the requirements of the request that `proof` refutes. Deletion: leave out one after
// the other; what makes the rest solvable stays, and each proof shrinks the set by itself. What the
// purse does not decide stays, too.
Result<MinimalConflict> minimal_conflict(Prober& prober, const Request& request,
                                         const std::vector<std::size_t>& among, Unsolvable proof);

}  // namespace cloche::resolve
