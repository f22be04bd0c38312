// Locks for tests of every module.
#pragma once

#include <string>
#include <vector>

#include <rapidcheck.h>

#include "lock/lock.h"

namespace cloche::lock {

// A record as a channel would have it, with a URL and hashes that follow from its name.
conda::PackageRecord sample_record(const std::string& name, const std::string& version,
                                   std::vector<std::string> depends = {},
                                   const std::string& build = "h0_0");

// A small complete lock: python, a noarch package, pip lines that are not locked.
Lock sample_lock();

// Anything that a lock can hold, each package name once, sorted.
rc::Gen<Lock> any_lock();

}  // namespace cloche::lock
