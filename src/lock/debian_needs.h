// Which of a lock's Debian packages need which others of it.
#pragma once

#include <cstddef>
#include <vector>

#include "lock/lock.h"

namespace cloche::lock {

// For each package, in their order, the places of those that its Pre-Depends and Depends name, or
// that provide what these name; ascending, each once, never itself. What the base has, and what
// cannot be read, has no place.
std::vector<std::vector<std::size_t>> debian_needs(const DebianLock& debian);

}  // namespace cloche::lock
