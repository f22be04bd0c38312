// What apt-get would mark for a request, by its own way of deciding: depth first, alternatives in
// their order, candidates only, never back (apt 2.6: depcache.cc, MarkInstall). The solver starts
// from it, so that people get what they are used to, and proves it or finds something better.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "resolve/ids.h"
#include "source/debian/provider.h"

namespace cloche::source {

// The packages to install, new or in place of an installed version, in the order of marking; the
// roots first. Nothing: apt would have to call its problem resolver, whose answers are not copied.
Result<std::optional<std::vector<resolve::SolvableId>>> apt_marks(
    DebianProvider& provider, std::span<const resolve::RequirementId> roots);

}  // namespace cloche::source
