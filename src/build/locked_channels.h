// Where a lock's packages come from, and where their archives are kept.
#pragma once

#include <string>
#include <vector>

#include "build/lock_environment.h"
#include "core/result.h"
#include "lock/lock.h"
#include "source/conda/channel.h"

namespace cloche::build {

// The lock's channels with their mirrors. As resolve_channels.
Result<std::vector<source::Channel>> locked_channels(const lock::Lock& lock,
                                                     const Channels& channels);

// The package cache's directory.
std::string package_directory(const Channels& channels);

}  // namespace cloche::build
