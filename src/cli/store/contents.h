// What the store commands share: who needs which blob, and the records of what goes and stays.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "blob/garbage.h"
#include "cli/context.h"
#include "core/json.h"
#include "core/result.h"
#include "workspace/workspace.h"

namespace cloche::cli {

// Everything that the workspace needs of its own store: context files of registered versions, and
// all blobs of the images in its index.json. A thing is named once for each that needs it.
Status visit_roots(workspace::Workspace& workspace, const blob::Keep& keep);

// Of the cache, what this workspace would fetch again: "locked here" for packages of its locks.
Result<std::function<std::string(const Digest&)>> wanted_of(workspace::Workspace& workspace);

// The person's cache; "" when there is no place for one.
std::string cache_place();

// {"removed": [{"path", "size", "why"}], "removed_size", "kept": [{"why", "count", "size"}],
// "kept_size"}, the largest reasons first.
Json garbage_record(const blob::GarbageReport& report);

}  // namespace cloche::cli
