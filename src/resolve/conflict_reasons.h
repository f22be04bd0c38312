// A conflict as sentences. For the explanations of this folder.
#pragma once

#include <vector>

#include "core/result.h"
#include "resolve/minimal_conflict.h"
#include "resolve/problem.h"

namespace cloche::resolve {

// A root for each requirement of the conflict, in their order.
Result<std::vector<Reason>> conflict_reasons(Provider& provider, const Request& request,
                                             MinimalConflict conflict);

}  // namespace cloche::resolve
