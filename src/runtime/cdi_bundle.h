// Edits of the Container Device Interface in a config.json.
#pragma once

#include "core/json.h"
#include "runtime/bundle.h"
#include "runtime/cdi_spec.h"

namespace cloche::runtime {

// An entry of "mounts".
Json cdi_mount(const CdiMount& mount);

// Device nodes with the right to use them, and hooks. The nodes are of gpu_edits(): their types and
// numbers are known. A node without an owner is the user's.
void add_cdi_devices(const CdiEdits& edits, const ProcessUser& user, const BundlePlace& place,
                     Json& config);

}  // namespace cloche::runtime
