// Environments that `env activate` put into directories of this machine
// (docs/formats/activated-environment.md).
#pragma once

#include <optional>
#include <string>

#include "blob/garbage.h"
#include "core/result.h"
#include "workspace/workspace.h"

namespace cloche::cli {

// What the directory says of itself, in conda-meta/cloche-activated.
struct ActivatedPrefix {
  std::string environment;  // "train:3", for people
  std::string fingerprint;
  std::string lock;       // the lock's digest
  std::string workspace;  // the directory of the workspace that has the lock
};

// Where it goes when nobody says: below the cache, by what is in it.
std::string activated_place(const std::string& cache, const ActivatedPrefix& what);

// Nothing: no such directory, or not one of ours.
std::optional<ActivatedPrefix> read_activated(const std::string& prefix);
Status write_activated(const std::string& prefix, const ActivatedPrefix& what);

// Removes those below the cache whose workspace is gone, or is this one and has another lock for
// the definition by now, and what killed processes left; tells them in the report.
Status remove_stale_activated(const std::string& cache, workspace::Workspace& workspace,
                              bool dry_run, blob::GarbageReport& report);

}  // namespace cloche::cli
