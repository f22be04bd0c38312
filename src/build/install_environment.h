// From a lock to an environment on this host: its packages fetched, verified and installed.
#pragma once

#include <stop_token>
#include <string>

#include "build/lock_environment.h"
#include "core/progress.h"
#include "core/result.h"
#include "lock/lock.h"
#include "source/conda/prefix_install.h"

namespace cloche::build {

struct InstallRequest {
  const lock::Lock& lock;
  std::string prefix;            // absolute; made by the call
  bool replace = false;          // an environment that this program made gives way
  bool compile_bytecode = true;  // of noarch Python packages, where their python runs here
  bool offline = false;
};

// The conda packages of the lock, in conda's order. What the lock has beyond them (pip, apt) is not
// installed. Errors are those of PackageCache::fetch and install_prefix; kUnsupported: a lock whose
// packages are not complete (imported without dependencies).
Result<source::InstallReport> install_environment(const InstallRequest& request,
                                                  const Channels& channels,
                                                  const std::stop_token& stop, Progress& progress);

}  // namespace cloche::build
