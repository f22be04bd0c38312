// Changes of a request that were solved. For the explanations of this folder.
#pragma once

#include <vector>

#include "core/result.h"
#include "resolve/minimal_conflict.h"
#include "resolve/problem.h"

namespace cloche::resolve {

struct WaysOut {
  std::vector<WayOut> ways;
  // When no single change helps: the conflicts behind the first, each of requirements that are not
  // given up for one before it.
  std::vector<MinimalConflict> further;
};

// Single changes, where one is enough: for each requirement of the conflict another candidate of
// its name, else leaving it out. Otherwise changes of several: one for each conflict that turns up
// when those before it are resolved, once giving up what stands last in the request and once what
// stands first.
Result<WaysOut> find_ways_out(Prober& prober, const Request& request,
                              const std::vector<RequirementId>& relaxed,
                              const MinimalConflict& conflict);

}  // namespace cloche::resolve
